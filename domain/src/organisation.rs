//! The company itself.

use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Refusal};
use crate::ids::StationId;
use crate::place::ZipCode;

crate::events! {
    /// What can happen to an organisation.
    pub enum OrganisationEvent {
        "A company joined the platform." Created(OrganisationCreated) = "organisation.created" v 1;
        "The company opened a branch." StationAdded(StationAdded) = "organisation.station_added" v 1;
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

/// The company opened a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationAdded {
    /// The branch.
    pub station_id: StationId,
    /// Where it is: places nearer to it than to another are served from it.
    pub zip: ZipCode,
}

/// What can be asked of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum OrganisationCommand {
    /// Join the platform.
    Create(OrganisationCreated),
    /// Open a branch.
    AddStation(StationAdded),
}

/// Why an organisation refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrganisationError {
    /// It is there already.
    #[error("the organisation exists already")]
    Exists,
    /// There is no such company.
    #[error("there is no such organisation")]
    NotFound,
    /// Empty or too long.
    #[error("a name has 1 to 120 characters")]
    BadName,
    /// Not usable at sign-in.
    #[error("a slug has 2 to 60 lower-case letters and digits, in words joined by single hyphens")]
    BadSlug,
}

impl Refusal for OrganisationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
            Self::NotFound => "NOT_FOUND",
            Self::BadName => "INVALID_NAME",
            Self::BadSlug => "INVALID_SLUG",
        }
    }
    fn field(&self) -> &'static [&'static str] {
        match self {
            Self::Exists | Self::NotFound => &[],
            Self::BadName => &["name"],
            Self::BadSlug => &["slug"],
        }
    }
}

/// A company.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    created: Option<OrganisationCreated>,
    stations: Vec<StationAdded>,
}

impl Organisation {
    /// The company's branches, the oldest first.
    pub fn stations(&self) -> &[StationAdded] {
        &self.stations
    }

    fn create(&self, created: OrganisationCreated) -> Result<OrganisationEvent, OrganisationError> {
        if self.created.is_some() {
            return Err(OrganisationError::Exists);
        }
        if created.name.trim().is_empty() || created.name.chars().count() > 120 {
            return Err(OrganisationError::BadName);
        }
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let words_fit = created
            .slug
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(allowed));
        if !(2..=60).contains(&created.slug.len()) || !words_fit {
            return Err(OrganisationError::BadSlug);
        }
        Ok(OrganisationEvent::Created(created))
    }
}

impl Decider for Organisation {
    const STREAM: &'static str = "organisation";
    type Command = OrganisationCommand;
    type Event = OrganisationEvent;
    type Error = OrganisationError;

    fn decide(&self, command: OrganisationCommand) -> Result<Vec<OrganisationEvent>, OrganisationError> {
        let event = match command {
            OrganisationCommand::Create(created) => self.create(created)?,
            OrganisationCommand::AddStation(_) if self.created.is_none() => {
                return Err(OrganisationError::NotFound);
            }
            OrganisationCommand::AddStation(added) => OrganisationEvent::StationAdded(added),
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &OrganisationEvent) {
        match event {
            OrganisationEvent::Created(created) => self.created = Some(created.clone()),
            OrganisationEvent::StationAdded(added) => self.stations.push(added.clone()),
        }
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
    fn only_a_company_that_is_there_opens_branches() {
        let add = OrganisationCommand::AddStation(StationAdded {
            station_id: StationId(uuid::Uuid::nil()),
            zip: "95112".parse().unwrap(),
        });
        let mut company = Organisation::default();
        assert_eq!(company.decide(add.clone()), Err(OrganisationError::NotFound));
        company.evolve(&company.decide(create("My Hibachi", "my-hibachi")).unwrap()[0]);
        company.evolve(&company.decide(add).unwrap()[0]);
        assert_eq!(company.stations().len(), 1);
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
