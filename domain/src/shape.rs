//! How payloads evolve: each shape that was ever released leads, by one upcaster after the other, to the newest.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::decider::DecodeError;

/// The shape of an event's payload at one version.
///
/// Each names the shape before it, so that the newest leads back to the first and no version between them can be
/// left out. [`events!`](crate::events) implements it, from the `From` that turns one shape into the next.
pub trait Shape: DeserializeOwned {
    /// The shape one version earlier; [`Unreleased`] before the first.
    type Before: Shape;

    /// Version of this shape, counted from 1.
    const VERSION: u16 = <Self::Before as Shape>::VERSION + 1;

    /// What the event would have said in this shape.
    ///
    /// Pure and total: what happened has happened, and is never validated again.
    fn upcast(before: Self::Before) -> Self;

    /// Reads the text of any version up to this one; none where this shape never had that version.
    fn read(version: u16, payload: &str) -> Option<serde_json::Result<Self>> {
        if version >= Self::VERSION {
            return (version == Self::VERSION).then(|| serde_json::from_str(payload));
        }
        let before = Self::Before::read(version, payload)?;
        Some(before.map(Self::upcast))
    }
}

/// What was there before the first version: nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Unreleased {}

impl Shape for Unreleased {
    type Before = Self;
    const VERSION: u16 = 0;

    fn upcast(before: Self) -> Self {
        before
    }

    fn read(_version: u16, _payload: &str) -> Option<serde_json::Result<Self>> {
        None
    }
}

/// Reads a stored payload of any version into the newest shape.
///
/// # Errors
/// [`DecodeError::Unknown`] for a version that was never released, [`DecodeError::Shape`] for a text that is not
/// of its version's shape.
pub fn read<S: Shape>(name: &str, version: u16, payload: &str) -> Result<S, DecodeError> {
    match S::read(version, payload) {
        Some(Ok(newest)) => Ok(newest),
        Some(Err(error)) => Err(DecodeError::Shape {
            name: name.to_owned(),
            version,
            reason: error.to_string(),
        }),
        None => Err(DecodeError::unknown(name, version)),
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::decider::Event;

    /// Version 1 counted in dozens, version 2 in pieces, version 3 says what of.
    #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
    struct LaidV1 {
        dozens: u32,
    }

    #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
    struct LaidV2 {
        pieces: u32,
    }

    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    struct Laid {
        pieces: u32,
        of: String,
    }

    impl From<LaidV1> for LaidV2 {
        fn from(LaidV1 { dozens }: LaidV1) -> Self {
            Self { pieces: dozens * 12 }
        }
    }

    impl From<LaidV2> for Laid {
        fn from(LaidV2 { pieces }: LaidV2) -> Self {
            Self {
                pieces,
                of: "egg".to_owned(),
            }
        }
    }

    crate::events! {
        /// What can happen to a nest.
        enum NestEvent {
            "Something was laid." Laid(Laid) = "nest.laid" v 3 from 2 as LaidV2 from 1 as LaidV1;
        }
    }

    fn laid(pieces: u32, of: &str) -> NestEvent {
        NestEvent::Laid(Laid {
            pieces,
            of: of.to_owned(),
        })
    }

    #[test]
    fn a_chain_of_upcasters_leads_from_every_version_to_the_newest() {
        for (version, payload, event) in [
            (1, "{\"dozens\":2}", laid(24, "egg")),
            (2, "{\"pieces\":5}", laid(5, "egg")),
            (3, "{\"of\":\"pearl\",\"pieces\":1}", laid(1, "pearl")),
        ] {
            assert_eq!(NestEvent::decode("nest.laid", version, payload), Ok(event));
        }
        assert_eq!(laid(1, "egg").version(), 3);
        assert_eq!([LaidV1::VERSION, LaidV2::VERSION, Laid::VERSION], [1, 2, 3]);
    }

    #[test]
    fn a_version_that_was_never_released_is_named() {
        for version in [0, 4, u16::MAX] {
            let unknown = NestEvent::decode("nest.laid", version, "{\"pieces\":1}").unwrap_err();
            assert_eq!(
                unknown,
                DecodeError::Unknown {
                    name: "nest.laid".to_owned(),
                    version,
                }
            );
        }
    }

    #[test]
    fn a_text_of_another_version_is_named_with_the_version_it_claims() {
        let shape = NestEvent::decode("nest.laid", 1, "{\"pieces\":1}").unwrap_err();
        assert_eq!(
            shape.to_string(),
            "event nest.laid version 1 does not fit its shape: missing field `dozens` at line 1 column 12"
        );
    }
}
