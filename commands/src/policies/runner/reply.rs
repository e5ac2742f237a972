//! Gives the commands that policies answer with.

use domain::access::StationScope;
use domain::envelope::{Actor, ActorKind, Channel};
use domain::escalation::EndedBy;
use domain::ids::{EscalationId, EventId, TenantId};
use domain::work_item::WorkItemOpened;

use super::PolicyError;
use crate::policies::{Policy, Reply, WorkStep};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// What a command follows from.
pub(super) struct Cause {
    /// The event, where it is one; the passing of time otherwise.
    pub(super) event: Option<EventId>,
    /// What the command's key is made of.
    pub(super) key: String,
}

impl Commands {
    /// Changes the work queue. What is no longer so is left as it is.
    async fn work(
        &self,
        caller: &Caller,
        policy: &str,
        cause: &str,
        steps: Vec<WorkStep>,
    ) -> Result<(), PolicyError> {
        for step in steps {
            let done = match step {
                WorkStep::Open { id, opened } => {
                    // Under a simulated clock too it is opened when it is, and not when the database wrote what led to it.
                    let opened_at = self.ports.now();
                    let opened = WorkItemOpened { opened_at, ..opened };
                    self.open_work(caller.clone(), id, opened).await
                }
                WorkStep::Close { id, because } => {
                    let key = IdempotencyKey::of_reaction(policy, &format!("{cause} {id}"));
                    self.settle_work(caller.clone(), key, id, because)
                        .await
                        .map(|_| ())
                }
            };
            match done {
                Ok(()) => {}
                Err(CommandError::Refused(refused)) => {
                    tracing::info!(policy, code = refused.code, "nothing to do");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Ends escalations that nobody has to see to any more. What a person has taken over, or seen to, stays as it is.
    async fn end_escalations(
        &self,
        caller: &Caller,
        policy: &str,
        cause: &str,
        (escalations, by): (Vec<EscalationId>, EndedBy),
    ) -> Result<(), PolicyError> {
        for id in escalations {
            let key = IdempotencyKey::of_reaction(policy, &format!("{cause} {id}"));
            match self.end_escalation(caller, &key, id, by).await {
                Ok(_) => {}
                Err(CommandError::Refused(refused)) => {
                    tracing::info!(policy, code = refused.code, "nothing to do");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Gives a policy's command. A refusal by a rule is an answer: what the policy wanted is no longer so.
    pub(super) async fn reply<P: Policy>(
        &self,
        tenant: TenantId,
        cause: Cause,
        correlation: Option<String>,
        reply: Reply,
    ) -> Result<(), PolicyError> {
        let caller = Caller {
            tenant,
            actor: Actor {
                kind: ActorKind::Policy,
                id: P::NAME.to_owned(),
                role: None,
            },
            stations: StationScope::All,
            channel: Channel::Policy,
            request_id: None,
            causation: cause.event,
            correlation,
            through: None,
        };
        let key = IdempotencyKey::of_reaction(P::NAME, &cause.key);
        let done = match reply {
            Reply::ConfirmBooking {
                booking_id,
                payment_id,
                captured_cents,
            } => {
                self.confirm_booking(caller, key, booking_id, payment_id, captured_cents)
                    .await
            }
            Reply::ExpireBooking { booking_id } => self.expire_booking(caller, key, booking_id).await,
            Reply::Work(steps) => return Box::pin(self.work(&caller, P::NAME, &cause.key, steps)).await,
            // The provider is asked outside of this transaction: it may take its time, and so may its answer.
            Reply::TakeUpRefund {
                payment_id,
                refund_id,
            } => {
                let this = self.clone();
                tokio::spawn(async move { this.take_up_refund(tenant, payment_id, refund_id).await });
                return Ok(());
            }
            Reply::TakeUpCard { payment_id } => {
                let this = self.clone();
                tokio::spawn(async move { this.take_up_card(tenant, payment_id).await });
                return Ok(());
            }
            Reply::Review(step) => return Ok(Box::pin(self.review_step(caller, key, step)).await?),
            Reply::AskMessage(ask) => Box::pin(self.ask_for_message(&caller, &key, ask)).await,
            Reply::TellOfPrices(news) => {
                return Ok(Box::pin(self.tell_of_prices(&caller, P::NAME, news)).await?);
            }
            Reply::WinLeads {
                leads,
                customer_id,
                after,
            } => {
                let won = self.win_leads(caller, P::NAME, leads, customer_id, after);
                return Ok(Box::pin(won).await?);
            }
            Reply::PurgeLead { lead_id } => Box::pin(self.purge_lead(caller, key, lead_id)).await,
            // Outside of this transaction too: the assistant may take its time.
            Reply::AnswerMessage { conversation_id } => {
                let this = self.clone();
                tokio::spawn(async move {
                    if let Err(error) = this.answer_waiting(tenant, conversation_id).await {
                        tracing::warn!(%tenant, conversation = %conversation_id, %error, "an answer waits");
                    }
                });
                return Ok(());
            }
            Reply::EndEscalations { escalations, by } => {
                let ended = self.end_escalations(&caller, P::NAME, &cause.key, (escalations, by));
                return Box::pin(ended).await;
            }
            Reply::OpenEscalation(open) => Box::pin(self.open_escalation(caller, key, open)).await,
            Reply::ResolveTax { bookings, held } => {
                Box::pin(self.resolve_held_tax(caller, &key, bookings, held)).await
            }
            Reply::RecordTax { booking_id, facts } => {
                Box::pin(self.record_tax(caller, key, booking_id, facts)).await
            }
            Reply::RecordKept { booking_id, beside } => {
                Box::pin(self.record_kept(caller, key, booking_id, beside)).await
            }
            Reply::NeedReassignment { chef_id, needed } => {
                self.need_reassignment(caller, key, chef_id, needed).await
            }
        };
        match done {
            Ok(_) => Ok(()),
            Err(CommandError::Refused(refused)) => {
                tracing::info!(policy = P::NAME, %tenant, cause = cause.key, code = refused.code, "nothing to do");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
