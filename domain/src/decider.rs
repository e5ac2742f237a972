//! The two traits everything hangs on: what an event is, and how an aggregate decides.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use crate::envelope::Claim;
use crate::ids::SubjectId;

/// A fact that has happened, in the business's words.
///
/// Shapes are append-only: once released, a payload gains optional fields or a new version, never
/// another meaning. How a version leads to the next is in [`shape`](crate::shape).
pub trait Event: Serialize + DeserializeOwned + Clone + PartialEq + Debug + Send + Sync + 'static {
    /// Stable wire name, `<aggregate>.<past_tense>`; never renamed.
    fn name(&self) -> &'static str;

    /// Version of the payload's newest shape, counted from 1: the one that is written.
    fn version(&self) -> u16;

    /// What recording this event takes from, or gives back to, the tenant's shared resources.
    ///
    /// Pure, so that the claims table can be rebuilt from the log.
    fn claims(&self) -> Vec<Claim> {
        Vec::new()
    }

    /// The persons whose data keys recording this event destroys: what was sealed for them can be read by nobody after it.
    fn erases(&self) -> Vec<SubjectId> {
        Vec::new()
    }

    /// The payload as canonical JSON (RFC 8785): the text that is stored and hashed.
    fn payload(&self) -> String;

    /// Reads a stored payload of any version back, upcast to the newest shape.
    ///
    /// # Errors
    /// [`DecodeError`] names the type and version that is unknown, or says what does not fit.
    fn decode(name: &str, version: u16, payload: &str) -> Result<Self, DecodeError>;

    /// Every event of this aggregate, for the catalogue.
    fn kinds() -> Vec<EventKind>;
}

/// One line of the event catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventKind {
    /// Stable wire name.
    pub name: &'static str,
    /// Newest version of the payload; every version from 1 to it can be read.
    pub version: u16,
    /// What the event means to the business.
    pub meaning: &'static str,
}

/// A stored event that this program cannot read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The type or version was written by a program that knows more than this one.
    #[error("unknown event {name} version {version}")]
    Unknown {
        /// Wire name found in the log.
        name: String,
        /// Version found in the log.
        version: u16,
    },
    /// The payload is not of the shape that its type and version promise.
    #[error("event {name} version {version} does not fit its shape: {reason}")]
    Shape {
        /// Wire name found in the log.
        name: String,
        /// Version found in the log.
        version: u16,
        /// What the JSON reader said.
        reason: String,
    },
}

impl DecodeError {
    pub(crate) fn unknown(name: &str, version: u16) -> Self {
        Self::Unknown {
            name: name.to_owned(),
            version,
        }
    }
}

/// An aggregate: a state that is folded from its stream and that decides on commands.
pub trait Decider: Default + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Name of the stream's kind, the first part of every event name.
    const STREAM: &'static str;
    /// What can be asked of the aggregate, with every fact the decision needs.
    type Command: Send;
    /// What can happen to it.
    type Event: Event;
    /// Why it may refuse.
    type Error: Refusal;

    /// Decides a command against the current state. Pure and total.
    ///
    /// # Errors
    /// The refusal, when a rule forbids the command; nothing has happened then.
    fn decide(&self, command: Self::Command) -> Result<Vec<Self::Event>, Self::Error>;

    /// Applies one event of the stream. Total: what happened is never refused.
    fn evolve(&mut self, event: &Self::Event);
}

/// A refusal that a person can act on.
pub trait Refusal: std::error::Error + Send + Sync + 'static {
    /// Stable code in capitals, for programs.
    fn code(&self) -> &'static str;
    /// Path of the input field at fault, outermost first; empty when it is the whole command.
    fn field(&self) -> &'static [&'static str] {
        &[]
    }
}

/// Writes an aggregate's event enum with its wire names, versions and catalogue lines.
///
/// A line whose payload had other shapes before names them all, the newest first:
///
/// ```text
/// "…" Cancelled(BookingCancelled) = "booking.cancelled" v 3 from 2 as BookingCancelledV2 from 1 as BookingCancelledV1;
/// ```
///
/// Each of them is turned into the next by `From`: the upcasters. A version that is left out, counted twice or called 0
/// does not compile:
///
/// ```compile_fail
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)] struct Laid;
/// # #[derive(Deserialize)] struct LaidV1;
/// # impl From<LaidV1> for Laid { fn from(_: LaidV1) -> Self { Self } }
/// domain::events! {
///     /// What can happen to a nest.
///     pub enum NestEvent {
///         "Something was laid." Laid(Laid) = "nest.laid" v 3 from 1 as LaidV1;
///     }
/// }
/// ```
///
/// A line that ends in `, claims` takes or releases what the payload's method of that name says; one that ends in `, erases`
/// destroys the keys of whom that method names.
#[macro_export]
macro_rules! events {
    (
        $(#[$meta:meta])*
        $visible:vis enum $enum:ident {
            $(
                $meaning:literal $variant:ident($payload:ty) = $wire:literal v $version:literal
                $(from $older_version:literal as $older:ident)* $(, $effect:ident)*;
            )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "type", content = "payload")]
        $visible enum $enum {
            $(
                #[doc = $meaning]
                #[serde(rename = $wire)]
                $variant($payload),
            )+
        }

        $( $crate::events!(@shapes $version $payload $(, $older_version $older)*); )+

        impl $crate::decider::Event for $enum {
            fn name(&self) -> &'static str {
                match self { $( Self::$variant(_) => $wire, )+ }
            }
            fn version(&self) -> u16 {
                match self { $( Self::$variant(_) => $version, )+ }
            }
            fn claims(&self) -> Vec<$crate::envelope::Claim> {
                match self {
                    $( Self::$variant(_payload) => $crate::events!(@claims _payload $($effect)*), )+
                }
            }
            fn erases(&self) -> Vec<$crate::ids::SubjectId> {
                match self {
                    $( Self::$variant(_payload) => $crate::events!(@erases _payload $($effect)*), )+
                }
            }
            fn payload(&self) -> String {
                match self { $( Self::$variant(payload) => $crate::canonical::json(payload), )+ }
            }
            fn decode(
                name: &str,
                version: u16,
                payload: &str,
            ) -> Result<Self, $crate::decider::DecodeError> {
                match name {
                    $( $wire => $crate::shape::read(name, version, payload).map(Self::$variant), )+
                    other => Err($crate::decider::DecodeError::Unknown {
                        name: other.to_owned(),
                        version,
                    }),
                }
            }
            fn kinds() -> Vec<$crate::decider::EventKind> {
                vec![ $( $crate::decider::EventKind { name: $wire, version: $version, meaning: $meaning }, )+ ]
            }
        }
    };
    (@claims $payload:ident claims $($rest:ident)*) => { $payload.claims() };
    (@claims $payload:ident erases $($rest:ident)*) => { $crate::events!(@claims $payload $($rest)*) };
    (@claims $payload:ident) => { Vec::new() };
    (@erases $payload:ident erases $($rest:ident)*) => { $payload.erases() };
    (@erases $payload:ident claims $($rest:ident)*) => { $crate::events!(@erases $payload $($rest)*) };
    (@erases $payload:ident) => { Vec::new() };
    (@shapes $version:literal $shape:ty) => {
        impl $crate::shape::Shape for $shape {
            type Before = $crate::shape::Unreleased;
            fn upcast(before: $crate::shape::Unreleased) -> Self {
                match before {}
            }
        }
        $crate::events!(@counted $version $shape);
    };
    (@shapes $version:literal $shape:ty, $before_version:literal $before:ident $($older:tt)*) => {
        impl $crate::shape::Shape for $shape {
            type Before = $before;
            fn upcast(before: $before) -> Self {
                before.into()
            }
        }
        $crate::events!(@counted $version $shape);
        $crate::events!(@shapes $before_version $before $($older)*);
    };
    (@counted $version:literal $shape:ty) => {
        const _: () = assert!(
            <$shape as $crate::shape::Shape>::VERSION == $version,
            "an event's versions lead down to 1, each one named"
        );
    };
}
