//! Escalations: what policies, conversations and people call a person for, and who takes it over.

use domain::access::Permission;
use domain::booking::Booking;
use domain::conversation::{Conversation, SilencedBy};
use domain::decider::Decider;
use domain::escalation::{
    EndedBy, Escalation, EscalationCommand, EscalationError, EscalationOpen, EscalationOpened,
    EscalationSource, EscalationSubject, Severity,
};
use domain::ids::{BookingId, ConversationId, EscalationId, UserId};
use serde::Serialize;

use crate::execute::{Plan, Written, to_the_end};
use crate::load::Loaded;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Who asks for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum AskedBy {
    /// The customer, on the telephone say.
    Customer,
    /// A person of the company.
    Staff,
}

/// What a person of the company wants somebody to take over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EscalationInput {
    /// The booking that it is about.
    pub booking_id: Option<BookingId>,
    /// The conversation that it is about: its assistant is silent from then on.
    pub conversation_id: Option<ConversationId>,
    /// Who asks for it.
    pub asked_by: AskedBy,
    /// How bad it is: from 1, the worst, to 3.
    pub severity: u8,
    /// Why, in a sentence without personal data; 3 to 500 characters.
    pub reason: String,
}

/// The conversation that an escalation is about.
fn conversation_of(escalation: &Loaded<Escalation>) -> Option<ConversationId> {
    escalation.state.opened()?.subject.conversation_id
}

/// The person who gives a command.
pub(crate) fn person(caller: &Caller) -> Result<UserId, CommandError> {
    let id = caller.actor.role.and_then(|_| caller.actor.id.parse().ok());
    id.ok_or_else(|| CommandError::refused(EscalationError::NotAPerson))
}

impl Commands {
    /// Calls a person: for policies, reviews and conversations. The id says which escalation it is; one that is there
    /// already stays as it is.
    ///
    /// # Errors
    /// `ALREADY_EXISTS`, `INVALID_REASON`.
    pub async fn open_escalation(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        open: EscalationOpen,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::EscalationWrite)?;
            this.run(&caller, &key, "escalation_open", &open, || async {
                let plan = Plan::default();
                this.plan_escalation(&caller, plan, &open).await
            })
            .await
        })
        .await
    }

    /// Calls a person because somebody of the company asks for one.
    ///
    /// # Errors
    /// `NOT_FOUND` for a booking that is not there or not within reach, `INVALID_REASON`, `INVALID_SEVERITY`.
    pub async fn escalate(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        input: EscalationInput,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::EscalationWrite)?;
            this.run(&caller, &key, "escalate", &input, || {
                this.plan_call(&caller, &key, &input)
            })
            .await
        })
        .await
    }

    async fn plan_call(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        input: &EscalationInput,
    ) -> Result<Plan, CommandError> {
        let subject = EscalationSubject {
            booking_id: input.booking_id,
            conversation_id: input.conversation_id,
            ..EscalationSubject::default()
        };
        let source = match input.asked_by {
            AskedBy::Customer => EscalationSource::Request,
            AskedBy::Staff => EscalationSource::Staff,
        };
        let severity = Severity::new(input.severity);
        let mut open = EscalationOpen {
            id: source.escalation(&subject, &key.command_id().to_string()),
            source,
            severity: severity.ok_or_else(|| CommandError::refused(EscalationError::BadSeverity))?,
            code: source.as_str().to_owned(),
            reason: input.reason.trim().to_owned(),
            subject,
            station_id: None,
            customer_id: None,
        };
        if let Some(id) = input.booking_id {
            let booking = self.load::<Booking>(caller, &id.to_string()).await?;
            let unknown = EscalationError::UnknownSubject("booking");
            let requested = booking.state.requested();
            let requested = requested.ok_or_else(|| CommandError::refused(unknown.clone()))?;
            caller.reach(requested.station_id, unknown.into())?;
            open.station_id = Some(requested.station_id);
            open.customer_id = Some(requested.customer_id);
        }
        if let Some(id) = input.conversation_id {
            let conversation = self.load::<Conversation>(caller, &id.to_string()).await?;
            let unknown = EscalationError::UnknownSubject("conversation");
            let started = conversation.state.started();
            let started = started.ok_or_else(|| CommandError::refused(unknown.clone()))?;
            if let Some(station) = started.station_id {
                caller.reach(station, unknown.into())?;
            }
            open.station_id = open.station_id.or(started.station_id);
            open.customer_id = open.customer_id.or(started.customer_id);
        }
        self.plan_escalation(caller, Plan::default(), &open).await
    }

    /// Adds a new escalation to a plan, and that the assistant of the conversation that it is about is silent.
    async fn plan_escalation(
        &self,
        caller: &Caller,
        plan: Plan,
        open: &EscalationOpen,
    ) -> Result<Plan, CommandError> {
        let plan = self.plan_opening(caller, plan, open).await?;
        match open.subject.conversation_id {
            Some(id) => {
                self.plan_silence(caller, plan, id, open.id, SilencedBy::Escalation)
                    .await
            }
            None => Ok(plan),
        }
    }

    /// Adds a new escalation to a plan.
    pub(crate) async fn plan_opening(
        &self,
        caller: &Caller,
        plan: Plan,
        open: &EscalationOpen,
    ) -> Result<Plan, CommandError> {
        let loaded = self.load::<Escalation>(caller, &open.id.to_string()).await?;
        let now = self.ports.now();
        let open = open.clone();
        let opened = EscalationOpened {
            source: open.source,
            severity: open.severity,
            code: open.code,
            reason: open.reason,
            subject: open.subject,
            station_id: open.station_id,
            customer_id: open.customer_id,
            target_at: now + open.severity.target(),
            opened_at: now,
        };
        let events = loaded
            .state
            .decide(EscalationCommand::Open(opened))
            .map_err(CommandError::refused)?;
        Ok(plan.write::<Escalation>(self, open.id.to_string(), loaded.version, events))
    }

    /// Says who is to see to an escalation; whoever says so, where nobody is named.
    ///
    /// # Errors
    /// `NOT_FOUND` for the escalation or the person, `MAY_NOT_ASSIGN`, `ALREADY_ASSIGNED`, `WRONG_STATE`, `NOT_A_PERSON`.
    pub async fn assign_escalation(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: EscalationId,
        seen: Option<i64>,
        assignee: Option<UserId>,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::EscalationWrite)?;
            this.run(
                &caller,
                &key,
                "escalation_assign",
                &(id, seen, assignee),
                || async {
                    let loaded = this.load_escalation(&caller, id, seen).await?;
                    let assignee = match assignee {
                        Some(assignee) => assignee,
                        None => person(&caller)?,
                    };
                    let user = this.user(caller.tenant, assignee).await?;
                    let user = user.ok_or_else(|| CommandError::refused(EscalationError::UnknownPerson))?;
                    let station = loaded.state.opened().and_then(|opened| opened.station_id);
                    let reaches = station.is_none_or(|station| user.stations.covers(station));
                    if !(reaches && user.role.may(Permission::EscalationWrite)) {
                        return Err(CommandError::refused(EscalationError::MayNot));
                    }
                    let now = this.ports.now();
                    this.plan_escalated(id, loaded, EscalationCommand::Assign { assignee, now })
                },
            )
            .await
        })
        .await
    }

    /// Takes an escalation over.
    ///
    /// # Errors
    /// `NOT_FOUND`, `HUMAN_JOINED` when somebody has, `WRONG_STATE`, `NOT_A_PERSON`.
    pub async fn join_escalation(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: EscalationId,
        seen: Option<i64>,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::EscalationWrite)?;
            this.run(&caller, &key, "escalation_join", &(id, seen), || async {
                let loaded = this.load_escalation(&caller, id, seen).await?;
                let (by, now) = (person(&caller)?, this.ports.now());
                let about = conversation_of(&loaded);
                let plan = this.plan_escalated(id, loaded, EscalationCommand::Join { by, now })?;
                match about {
                    Some(about) => {
                        this.plan_silence(&caller, plan, about, id, SilencedBy::Person)
                            .await
                    }
                    None => Ok(plan),
                }
            })
            .await
        })
        .await
    }

    /// Says that an escalation was seen to.
    ///
    /// # Errors
    /// `NOT_FOUND`, `WRONG_STATE` when it was already, `INVALID_NOTE`.
    pub async fn resolve_escalation(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: EscalationId,
        seen: Option<i64>,
        note: String,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::EscalationWrite)?;
            this.run(
                &caller,
                &key,
                "escalation_resolve",
                &(id, seen, &note),
                || async {
                    let loaded = this.load_escalation(&caller, id, seen).await?;
                    let (note, now) = (note.clone(), this.ports.now());
                    let about = conversation_of(&loaded);
                    let plan = this.plan_escalated(id, loaded, EscalationCommand::Resolve { note, now })?;
                    match about {
                        Some(about) => this.plan_end_of_silence(&caller, plan, about, id).await,
                        None => Ok(plan),
                    }
                },
            )
            .await
        })
        .await
    }

    /// Ends an escalation that nobody has to see to any more, unless somebody has taken it over.
    pub(crate) async fn end_escalation(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        id: EscalationId,
        by: EndedBy,
    ) -> Result<Written, CommandError> {
        self.run(caller, key, "escalation_end", &(id, by), || async {
            let loaded = self.load_escalation(caller, id, None).await?;
            let now = self.ports.now();
            self.plan_escalated(id, loaded, EscalationCommand::End { by, now })
        })
        .await
    }

    /// Keeps how well the customer says that an escalation was seen to.
    ///
    /// # Errors
    /// `NOT_FOUND`, `WRONG_STATE` before its end, `ALREADY_SURVEYED`, `INVALID_SCORE`.
    pub async fn survey_escalation(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        id: EscalationId,
        seen: Option<i64>,
        score: u8,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::EscalationWrite)?;
            this.run(&caller, &key, "escalation_survey", &(id, seen, score), || async {
                let loaded = this.load_escalation(&caller, id, seen).await?;
                let now = this.ports.now();
                this.plan_escalated(id, loaded, EscalationCommand::Survey { score, now })
            })
            .await
        })
        .await
    }

    /// An escalation within the caller's reach, at the version that the client saw.
    pub(crate) async fn load_escalation(
        &self,
        caller: &Caller,
        id: EscalationId,
        seen: Option<i64>,
    ) -> Result<Loaded<Escalation>, CommandError> {
        let loaded = self.load::<Escalation>(caller, &id.to_string()).await?;
        let opened = loaded.state.opened();
        let opened = opened.ok_or_else(|| CommandError::refused(EscalationError::NotFound))?;
        if let Some(station) = opened.station_id {
            caller.reach(station, EscalationError::NotFound.into())?;
        }
        loaded.expect(seen)?;
        Ok(loaded)
    }

    fn plan_escalated(
        &self,
        id: EscalationId,
        loaded: Loaded<Escalation>,
        command: EscalationCommand,
    ) -> Result<Plan, CommandError> {
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(Plan::default().write::<Escalation>(self, id.to_string(), loaded.version, events))
    }
}
