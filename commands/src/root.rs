//! Our aggregates as cqrs-es knows them, and our log as its event store: whoever has tools for cqrs-es can use
//! them. Nothing else of the write side names that crate.

use std::collections::{BTreeMap, HashMap};

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, AggregateContext, AggregateError, DomainEvent, EventEnvelope, EventStore};
use domain::canonical;
use domain::decider::{Decider, Event};
use domain::envelope::{StreamId, Version};
use domain::ids::CommandId;
use event_log::{Append, LogError, Outcome};
use serde::{Deserialize, Serialize};

use crate::execute::Plan;
use crate::{Caller, Commands};

/// A decider as a cqrs-es aggregate.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Root<D: Decider>(pub D);

/// A decider's event as a cqrs-es event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct RootEvent<E: Event>(pub E);

impl<E: Event> DomainEvent for RootEvent<E> {
    fn event_type(&self) -> String {
        self.0.name().to_owned()
    }
    fn event_version(&self) -> String {
        self.0.version().to_string()
    }
}

impl<D: Decider> Aggregate for Root<D> {
    const TYPE: &'static str = D::STREAM;
    type Command = D::Command;
    type Event = RootEvent<D::Event>;
    type Error = D::Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: D::Command,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), D::Error> {
        for event in self.0.decide(command)? {
            sink.write(RootEvent(event), self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: RootEvent<D::Event>) {
        self.0.evolve(&event.0);
    }
}

/// One company's log as a cqrs-es event store.
pub struct LogStore {
    commands: Commands,
    caller: Caller,
}

impl LogStore {
    /// The caller's log; events are written in the caller's name.
    pub fn new(commands: Commands, caller: Caller) -> Self {
        Self { commands, caller }
    }
}

/// An aggregate as loaded from the log.
pub struct RootContext<D: Decider> {
    id: String,
    version: Version,
    root: Root<D>,
}

impl<D: Decider> AggregateContext<Root<D>> for RootContext<D> {
    fn aggregate(&mut self) -> &mut Root<D> {
        &mut self.root
    }
}

type Failed<D> = AggregateError<<D as Decider>::Error>;

impl<D: Decider> EventStore<Root<D>> for LogStore {
    type AC = RootContext<D>;

    async fn load_events(&self, id: &str) -> Result<Vec<EventEnvelope<Root<D>>>, Failed<D>> {
        let stream = StreamId::new(D::STREAM, id);
        let stored = self
            .commands
            .log
            .read_stream(self.caller.tenant, &stream)
            .await
            .map_err(failed::<D>)?;
        let envelope = |event: domain::envelope::StoredEvent| {
            let payload = D::Event::decode(&event.event_type, event.event_version, &event.payload)
                .map_err(unreadable::<D>)?;
            Ok(EventEnvelope {
                aggregate_id: id.to_owned(),
                sequence: usize::try_from(event.sequence.0).map_err(unreadable::<D>)?,
                payload: RootEvent(payload),
                metadata: serde_json::from_str(&event.metadata).map_err(unreadable::<D>)?,
            })
        };
        stored.into_iter().map(envelope).collect()
    }

    async fn load_aggregate(&self, id: &str) -> Result<RootContext<D>, Failed<D>> {
        let mut context = RootContext {
            id: id.to_owned(),
            version: Version(0),
            root: Root::default(),
        };
        for event in EventStore::<Root<D>>::load_events(self, id).await? {
            context.version = context.version.next();
            context.root.apply(event.payload);
        }
        Ok(context)
    }

    async fn commit(
        &self,
        events: Vec<RootEvent<D::Event>>,
        context: RootContext<D>,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<Root<D>>>, Failed<D>> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let command_id = CommandId(self.commands.ports.id());
        let payloads: Vec<String> = events.iter().map(|event| event.0.payload()).collect();
        let plain = events.iter().map(|event| event.0.clone()).collect();
        let plan = Plan::default().write::<D>(&self.commands, context.id.clone(), context.version, plain);
        // Who it was and through what is not for whoever commits to say.
        let mut meta: BTreeMap<String, String> = metadata.into_iter().collect();
        meta.extend(self.commands.meta(&self.caller, command_id).to_strings());
        let (streams, erases) = plan.into_parts();
        let digest = self
            .commands
            .vault
            .digest(self.caller.tenant, &canonical::json(&payloads))
            .await
            .map_err(failed::<D>)?;
        let outcome = self.commands.log.append(Append {
            tenant: self.caller.tenant,
            command_id,
            digest,
            streams,
            reads: Vec::new(),
            erases,
            meta: meta.clone(),
        });
        match outcome.await.map_err(failed::<D>)? {
            Outcome::Appended(_) | Outcome::Replayed(_) => {}
            Outcome::Conflict { .. } => return Err(AggregateError::AggregateConflict),
            Outcome::ClaimRefused { claim } => {
                return Err(AggregateError::UnexpectedError(
                    format!("a claim was refused: {claim:?}").into(),
                ));
            }
            Outcome::IdempotencyMismatch => {
                return Err(AggregateError::UnexpectedError(
                    "a new command id was used before".into(),
                ));
            }
        }
        let first = usize::try_from(context.version.0).map_err(unreadable::<D>)? + 1;
        let envelope = |(index, payload)| EventEnvelope {
            aggregate_id: context.id.clone(),
            sequence: first + index,
            payload,
            metadata: meta.clone().into_iter().collect(),
        };
        Ok(events.into_iter().enumerate().map(envelope).collect())
    }
}

fn failed<D: Decider>(error: LogError) -> Failed<D> {
    if let LogError::Unavailable { .. } = error {
        AggregateError::DatabaseConnectionError(Box::new(error))
    } else {
        AggregateError::UnexpectedError(Box::new(error))
    }
}

fn unreadable<D: Decider>(error: impl std::error::Error + Send + Sync + 'static) -> Failed<D> {
    AggregateError::DeserializationError(Box::new(error))
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use domain::organisation::{
        Organisation, OrganisationCommand, OrganisationCreated, OrganisationError, OrganisationEvent,
    };

    use super::*;

    fn created() -> OrganisationCreated {
        OrganisationCreated {
            name: "My Hibachi".to_owned(),
            slug: "my-hibachi".to_owned(),
        }
    }

    #[test]
    fn an_aggregate_of_ours_is_tested_with_the_crates_own_framework() {
        TestFramework::<Root<Organisation>>::with(())
            .given_no_previous_events()
            .when(OrganisationCommand::Create(created()))
            .then_expect_events(vec![RootEvent(OrganisationEvent::Created(created()))]);
        TestFramework::<Root<Organisation>>::with(())
            .given(vec![RootEvent(OrganisationEvent::Created(created()))])
            .when(OrganisationCommand::Create(created()))
            .then_expect_error(OrganisationError::Exists);
    }
}
