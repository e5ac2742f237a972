//! Chefs: the people who cook at the customer's place.

use serde::{Deserialize, Serialize};

use crate::decider::{Decider, Refusal};
use crate::envelope::Sealed;

crate::events! {
    /// What can happen to a chef.
    pub enum ChefEvent {
        "A chef joined the company." Registered(ChefRegistered) = "chef.registered" v 1;
    }
}

/// A chef joined the company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChefRegistered {
    /// Name, sealed.
    pub name: Sealed,
}

/// What can be asked of a chef's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ChefCommand {
    /// Join the company.
    Register(ChefRegistered),
}

/// Why a chef's record refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChefError {
    /// It is there already.
    #[error("the chef exists already")]
    Exists,
}

impl Refusal for ChefError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists => "ALREADY_EXISTS",
        }
    }
}

/// A chef as the stream tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chef {
    registered: Option<ChefRegistered>,
}

impl Decider for Chef {
    const STREAM: &'static str = "chef";
    type Command = ChefCommand;
    type Event = ChefEvent;
    type Error = ChefError;

    fn decide(&self, command: ChefCommand) -> Result<Vec<ChefEvent>, ChefError> {
        let ChefCommand::Register(registered) = command;
        if self.registered.is_some() {
            return Err(ChefError::Exists);
        }
        Ok(vec![ChefEvent::Registered(registered)])
    }

    fn evolve(&mut self, event: &ChefEvent) {
        let ChefEvent::Registered(registered) = event;
        self.registered = Some(registered.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SubjectId;

    #[test]
    fn a_chef_joins_once() {
        let name = Sealed {
            subject: SubjectId(uuid::Uuid::nil()),
            sealed: String::new(),
        };
        let mut chef = Chef::default();
        let register = ChefCommand::Register(ChefRegistered { name });
        chef.evolve(&chef.decide(register.clone()).unwrap()[0]);
        assert_eq!(chef.decide(register), Err(ChefError::Exists));
    }
}
