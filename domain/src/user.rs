//! Users: people of the company who sign in. Passwords are never events.

use serde::{Deserialize, Serialize};

use crate::access::{Role, StationScope};
use crate::decider::{Decider, Refusal};
use crate::envelope::{Claim, Sealed};

crate::events! {
    /// What can happen to a user.
    pub enum UserEvent {
        "A person of the company may sign in." Created(UserCreated) = "user.created" v 1, claims;
    }
}

/// What a user's e-mail is unique in.
pub const USER_EMAIL: &str = "user.email";

/// A person of the company may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCreated {
    /// E-mail, sealed.
    pub email: Sealed,
    /// Keyed hash of the folded e-mail: finds the user at sign-in.
    pub email_key: String,
    /// What the person is there for.
    pub role: Role,
    /// The stations within reach.
    pub stations: StationScope,
}

impl UserCreated {
    fn claims(&self) -> Vec<Claim> {
        vec![Claim::TakeUnique {
            scope: USER_EMAIL.into(),
            key: self.email_key.clone(),
        }]
    }
}

/// What can be asked of a user's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum UserCommand {
    /// Let the person sign in.
    Create(UserCreated),
}

/// Why a user's record refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// It is there already.
    #[error("the user exists already")]
    Exists,
    /// Somebody signs in with this address.
    #[error("a user with this e-mail exists already")]
    EmailTaken,
    /// Not an address.
    #[error("an e-mail address has a name, an @ and a host")]
    BadEmail,
    /// Too easily guessed.
    #[error("a password has 12 to 200 characters")]
    BadPassword,
}

impl Refusal for UserError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::EmailTaken => "EMAIL_TAKEN",
            Self::BadEmail => "INVALID_EMAIL",
            Self::BadPassword => "INVALID_PASSWORD",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists => &[],
            Self::EmailTaken | Self::BadEmail => &["email"],
            Self::BadPassword => &["password"],
        }
    }
}

/// A user as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    created: Option<UserCreated>,
}

impl User {
    /// What the user is, once created.
    pub fn created(&self) -> Option<&UserCreated> {
        self.created.as_ref()
    }
}

impl Decider for User {
    const STREAM: &'static str = "user";
    type Command = UserCommand;
    type Event = UserEvent;
    type Error = UserError;

    fn decide(&self, command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
        let UserCommand::Create(created) = command;
        if self.created.is_some() {
            return Err(UserError::Exists);
        }
        Ok(vec![UserEvent::Created(created)])
    }

    fn evolve(&mut self, event: &UserEvent) {
        let UserEvent::Created(created) = event;
        self.created = Some(created.clone());
    }
}
