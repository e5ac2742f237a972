//! When the assistant of a conversation is silent, and when it is back: in one append with the escalation.

use domain::conversation::{Conversation, ConversationCommand, SilencedBy};
use domain::decider::Decider;
use domain::escalation::{Escalation, EscalationCommand, ResumedBy};
use domain::ids::{ConversationId, EscalationId};

use crate::execute::Plan;
use crate::{Caller, CommandError, Commands};

impl Commands {
    /// Adds to a plan that the assistant is back, to an escalation that is not resolved yet.
    pub(super) async fn plan_resumption(
        &self,
        caller: &Caller,
        plan: Plan,
        id: EscalationId,
        by: ResumedBy,
    ) -> Result<Plan, CommandError> {
        let loaded = self.load::<Escalation>(caller, &id.to_string()).await?;
        let now = self.ports.now();
        match loaded
            .state
            .decide(EscalationCommand::ResumeAssistant { by, now })
        {
            Ok(events) => Ok(plan.write::<Escalation>(self, id.to_string(), loaded.version, events)),
            // Resolved meanwhile: it needs no word of it.
            Err(_) => Ok(plan.reads::<Escalation>(id.to_string(), loaded.version)),
        }
    }

    /// Adds to a plan that the assistant of a conversation is silent.
    pub(crate) async fn plan_silence(
        &self,
        caller: &Caller,
        plan: Plan,
        id: ConversationId,
        escalation_id: EscalationId,
        by: SilencedBy,
    ) -> Result<Plan, CommandError> {
        let loaded = self.load_conversation(caller, id).await?;
        let command = ConversationCommand::Silence {
            escalation_id,
            by,
            now: self.ports.now(),
        };
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        if events.is_empty() {
            return Ok(plan.reads::<Conversation>(id.to_string(), loaded.version));
        }
        Ok(plan.write::<Conversation>(self, id.to_string(), loaded.version, events))
    }

    /// Adds to a plan that the assistant of a conversation is back, where this escalation had silenced it.
    pub(crate) async fn plan_end_of_silence(
        &self,
        caller: &Caller,
        plan: Plan,
        id: ConversationId,
        escalation_id: EscalationId,
    ) -> Result<Plan, CommandError> {
        let loaded = self.load::<Conversation>(caller, &id.to_string()).await?;
        if loaded.state.silenced_by() != Some(escalation_id) {
            return Ok(plan.reads::<Conversation>(id.to_string(), loaded.version));
        }
        let command = ConversationCommand::Resume {
            by: ResumedBy::Resolution,
            now: self.ports.now(),
        };
        let events = loaded.state.decide(command).map_err(CommandError::refused)?;
        Ok(plan.write::<Conversation>(self, id.to_string(), loaded.version, events))
    }
}
