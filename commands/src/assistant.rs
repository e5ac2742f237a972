//! The assistant: what the company's own facts say to a customer's question. It never names a price that is not in them.

use std::time::Duration;

use chrono::{NaiveDate, NaiveTime};
use domain::access::StationScope;
use domain::availability;
use domain::conversation::{Conversation, ConversationAnswer, ConversationCommand, LONGEST_TEXT};
use domain::decider::Decider;
use domain::envelope::{Actor, ActorKind, Channel, StreamId, Version};
use domain::guests::Guests;
use domain::ids::{ConversationId, StationId, TenantId};
use domain::organisation::Organisation;
use domain::place::ZipCode;
use domain::price_list::PriceList;
use domain::quote::Quote;
use domain::router::Particulars;
use domain::station::{Station, StationSettings};
use event_log::Opened;

use crate::availability::AvailabilityInput;
use crate::conversation::TEXT_FIELD;
use crate::execute::{Plan, Written};
use crate::gateways::FactsAssistant;
use crate::organisation::organisation_id;
use crate::quote::QuoteInput;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

mod facts;

pub use facts::{BranchFacts, CompanyFacts, Question};

/// How long the assistant may think about an answer, before the company's facts are said plainly.
const LONGEST_THOUGHT: Duration = Duration::from_secs(10);

impl Commands {
    /// Answers the customer's message that waits in a conversation, if there is one and the assistant may. The same message
    /// is answered once.
    ///
    /// # Errors
    /// When the log is out of reach.
    pub async fn answer_waiting(
        &self,
        tenant: TenantId,
        id: ConversationId,
    ) -> Result<Option<Written>, CommandError> {
        let caller = assistant(tenant);
        let loaded = self.load::<Conversation>(&caller, &id.to_string()).await?;
        let conversation = &loaded.state;
        let (Some(waits), Some(topic), Some(started)) = (
            conversation.to_answer().cloned(),
            conversation.topic(),
            conversation.started(),
        ) else {
            return Ok(None);
        };
        let stream = StreamId::new(Conversation::STREAM, id.to_string());
        let opened = self.vault.open(tenant, &stream, TEXT_FIELD, &waits.text).await?;
        let Opened::Text(text) = opened else {
            return Ok(None);
        };
        let question = Question {
            text,
            intent: topic,
            particulars: conversation.particulars().clone(),
        };
        let facts = self.company_facts(&caller, started.station_id, &question).await?;
        let text = self.say(&question, &facts).await;
        let (customer, number) = (started.customer_id, waits.number);
        let key = answer_key(id, waits.version);
        let written = self
            .run(&caller, &key, "assistant_answer", &(id, number), || async {
                let loaded = self.load::<Conversation>(&caller, &id.to_string()).await?;
                let answer = ConversationAnswer {
                    to: number,
                    text: self.seal_said(&caller, id, customer, TEXT_FIELD, &text).await?,
                    intent: topic,
                    now: self.ports.now(),
                };
                let events = loaded
                    .state
                    .decide(ConversationCommand::Answer(answer))
                    .map_err(CommandError::refused)?;
                Ok(Plan::default().write::<Conversation>(self, id.to_string(), loaded.version, events))
            })
            .await;
        match written {
            Ok(written) => Ok(Some(written)),
            // A person was faster, or the customer has gone on.
            Err(CommandError::Refused(refused)) => {
                tracing::info!(%tenant, conversation = %id, code = refused.code, "the assistant says nothing");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What was written, and the answer to it.
    pub(crate) async fn with_answer(&self, caller: &Caller, mut written: Written) -> Written {
        let stream = written.stream_of(Conversation::STREAM);
        let Some((id, version)) = stream.and_then(|(id, version)| Some((id.parse().ok()?, version))) else {
            return written;
        };
        if written.replayed {
            // The message ended its command, or what it led to did.
            for version in [version, Version(version.0 - 1)] {
                let key = answer_key(id, version);
                if let Ok(Some(answer)) = self.log().command(caller.tenant, key.command_id()).await {
                    written.position = written.position.max(answer.last);
                }
            }
            return written;
        }
        match self.answer_waiting(caller.tenant, id).await {
            Ok(Some(answer)) => written.position = written.position.max(answer.position),
            Ok(None) => {}
            // It is answered soon after, by the policy that sees to it.
            Err(error) => tracing::warn!(tenant = %caller.tenant, %error, "an answer waits"),
        }
        written
    }

    /// What the assistant says: its own words where they name known amounts alone, else the facts.
    async fn say(&self, question: &Question, facts: &CompanyFacts) -> String {
        let thought = tokio::time::timeout(LONGEST_THOUGHT, self.assistant.answer(question, facts)).await;
        let said = thought.ok().flatten().filter(|said| {
            !said.trim().is_empty() && said.chars().count() <= LONGEST_TEXT && facts.covers(said)
        });
        said.unwrap_or_else(|| FactsAssistant::say(question, facts))
    }

    async fn company_facts(
        &self,
        caller: &Caller,
        station: Option<StationId>,
        question: &Question,
    ) -> Result<CompanyFacts, CommandError> {
        let company = self
            .load::<Organisation>(caller, &organisation_id(caller.tenant))
            .await?;
        let mut facts = CompanyFacts {
            company: company
                .state
                .created()
                .map(|created| created.name.clone())
                .unwrap_or_default(),
            ..CompanyFacts::default()
        };
        for added in company.state.stations() {
            let branch = self
                .load::<Station>(caller, &added.station_id.to_string())
                .await?;
            if let Some(opened) = branch.state.opened() {
                facts
                    .branches
                    .push((opened.name.clone(), opened.zip.clone(), opened.state.clone()));
            }
        }
        let said = &question.particulars;
        let only = match company.state.stations() {
            [only] => Some(only.station_id),
            _ => None,
        };
        let serving = match &said.zip {
            Some(zip) => self.serving_station(caller, station, zip).await.ok(),
            None => station.or(only),
        };
        let Some(serving) = serving else {
            return Ok(facts);
        };
        facts.branch = self.branch_facts(caller, serving, said.zip.as_ref()).await?;
        if let Some(branch) = &facts.branch {
            facts.quote = self.quoted(caller, serving, said, &branch.settings).await?;
            if let Some(on) = said.on {
                facts.free = Some(
                    self.free_starts(caller, serving, on, said, &branch.settings)
                        .await?,
                );
            }
        }
        Ok(facts)
    }

    async fn branch_facts(
        &self,
        caller: &Caller,
        id: StationId,
        zip: Option<&ZipCode>,
    ) -> Result<Option<BranchFacts>, CommandError> {
        let station = self.load::<Station>(caller, &id.to_string()).await?;
        let prices = self.load::<PriceList>(caller, &id.to_string()).await?;
        Ok(station.state.opened().map(|opened| BranchFacts {
            name: opened.name.clone(),
            settings: opened.settings.clone(),
            items: prices.state.items_at(self.ports.now()),
            travel: prices.state.travel().cloned(),
            miles: zip
                .and_then(|zip| self.ports.places.travel(&opened.zip, zip))
                .map(|travel| travel.tenths_of_mile.saturating_add(9) / 10),
            minimum: prices.state.minimum().cloned(),
            policy: prices.state.policy(),
        }))
    }

    /// What the party would cost, where enough is said of it.
    async fn quoted(
        &self,
        caller: &Caller,
        station: StationId,
        said: &Particulars,
        settings: &StationSettings,
    ) -> Result<Option<Result<Quote, String>>, CommandError> {
        let (Some(guests), Some(zip), Some(on)) = (said.guests(), &said.zip, said.on) else {
            return Ok(None);
        };
        let input = QuoteInput {
            station: Some(station),
            zip: zip.to_string(),
            start: on.and_time(settings.slots.first().copied().unwrap_or(NaiveTime::MIN)),
            guests,
            add_ons: Vec::new(),
            promo_code: None,
            customer_email: None,
        };
        match self.quote(caller, input).await {
            Ok(answer) => Ok(Some(Ok(answer.quote))),
            Err(CommandError::Refused(refused)) => Ok(Some(Err(refused.message))),
            Err(error) => Err(error),
        }
    }

    /// The starts that are free on a day, for the party or one that a single chef serves.
    async fn free_starts(
        &self,
        caller: &Caller,
        station: StationId,
        on: NaiveDate,
        said: &Particulars,
        settings: &StationSettings,
    ) -> Result<Result<Vec<NaiveTime>, String>, CommandError> {
        let input = AvailabilityInput {
            station,
            from: on,
            to: on,
            guests: said.guests().map_or(settings.guests_per_chef, Guests::total),
            zip: said.zip.as_ref().map(ZipCode::to_string),
        };
        let facts = match self.availability_facts(caller, &input).await {
            Ok(facts) => facts,
            Err(CommandError::Refused(refused)) => return Ok(Err(refused.message)),
            Err(error) => return Err(error),
        };
        let slots = availability::slots(&facts.station, &facts.roster, &facts.wanted);
        Ok(slots.map_err(|error| error.to_string()).map(|slots| {
            let free = slots.into_iter().filter(|slot| slot.refused.is_none());
            free.map(|slot| slot.start.local.time()).collect()
        }))
    }
}

/// The key of the answer to the message that left a conversation at a version.
fn answer_key(id: ConversationId, version: Version) -> IdempotencyKey {
    IdempotencyKey::of_reaction("assistant_answer", &format!("{id}/{}", version.0))
}

/// Who answers: the program, in the assistant's name.
fn assistant(tenant: TenantId) -> Caller {
    Caller {
        tenant,
        actor: Actor {
            kind: ActorKind::Policy,
            id: "assistant".to_owned(),
            role: None,
        },
        stations: StationScope::All,
        channel: Channel::Policy,
        request_id: None,
        causation: None,
        correlation: None,
        through: None,
    }
}
