//! The company itself.

use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Refusal};

crate::events! {
    /// What can happen to an organisation.
    pub enum OrganisationEvent {
        "A company joined the platform." Created(OrganisationCreated) = "organisation.created" v 1;
    }
}

/// A company joined the platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationCreated {
    /// Name on documents.
    pub name: String,
    /// Short name at sign-in; lower-case letters, digits and hyphens.
    pub slug: String,
}

/// What can be asked of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum OrganisationCommand {
    /// Join the platform.
    Create(OrganisationCreated),
}

/// Why an organisation refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrganisationError {
    /// It is there already.
    #[error("the organisation exists already")]
    Exists,
    /// Empty or too long.
    #[error("a name has 1 to 120 characters")]
    BadName,
    /// Not usable at sign-in.
    #[error("a slug has 2 to 60 lower-case letters, digits and hyphens")]
    BadSlug,
}

impl Refusal for OrganisationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::BadName => "INVALID_NAME",
            Self::BadSlug => "INVALID_SLUG",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists => &[],
            Self::BadName => &["name"],
            Self::BadSlug => &["slug"],
        }
    }
}

/// A company.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    created: Option<OrganisationCreated>,
}

impl Decider for Organisation {
    const STREAM: &'static str = "organisation";
    type Command = OrganisationCommand;
    type Event = OrganisationEvent;
    type Error = OrganisationError;

    fn decide(&self, command: OrganisationCommand) -> Result<Vec<OrganisationEvent>, OrganisationError> {
        let OrganisationCommand::Create(created) = command;
        if self.created.is_some() {
            return Err(OrganisationError::Exists);
        }
        if created.name.trim().is_empty() || created.name.chars().count() > 120 {
            return Err(OrganisationError::BadName);
        }
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(2..=60).contains(&created.slug.len()) || !created.slug.bytes().all(allowed) {
            return Err(OrganisationError::BadSlug);
        }
        Ok(vec![OrganisationEvent::Created(created)])
    }

    fn evolve(&mut self, event: &OrganisationEvent) {
        let OrganisationEvent::Created(created) = event;
        self.created = Some(created.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(name: &str, slug: &str) -> OrganisationCommand {
        OrganisationCommand::Create(OrganisationCreated {
            name: name.to_owned(),
            slug: slug.to_owned(),
        })
    }

    #[test]
    fn a_company_joins_once() {
        let mut company = Organisation::default();
        let events = company.decide(create("My Hibachi", "my-hibachi")).unwrap();
        company.evolve(&events[0]);
        assert_eq!(
            company.decide(create("My Hibachi", "my-hibachi")),
            Err(OrganisationError::Exists)
        );
    }

    #[test]
    fn a_name_or_slug_that_cannot_be_used_is_refused() {
        let company = Organisation::default();
        assert_eq!(company.decide(create(" ", "ok")), Err(OrganisationError::BadName));
        assert_eq!(
            company.decide(create("Ok", "Not Ok")),
            Err(OrganisationError::BadSlug)
        );
    }
}
