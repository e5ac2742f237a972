//! What the payment provider says, heard once and in any order. What it says of nobody here is parked in the work queue.

use chrono::Timelike;
use domain::decider::Decider;
use domain::ids::{PaymentId, TenantId};
use domain::organisation::{Organisation, OrganisationCommand, WebhookRefusal, WebhookRefused};
use domain::payment::{
    Payment, PaymentCommand, PaymentError, PaymentEvent, ProviderFact, ProviderNotice, STRIPE_INTENT,
};
use domain::work_item::{WorkItemOpened, WorkKind};

use super::refund::provider;
use crate::execute::{NOTHING_NEW, Plan, to_the_end};
use crate::gateways::stripe::Notice;
use crate::load::Loaded;
use crate::organisation::organisation_id;
use crate::work::about;
use crate::{Caller, CommandError, Commands, IdempotencyKey, Refused};

/// What became of a word of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is in the log: of a payment, or parked in the work queue.
    Recorded,
    /// It changes nothing: it was known, or nothing here depends on it.
    NothingNew,
}

impl Commands {
    /// Hears an event of the provider for a company. When this returns, what it changes is in the log.
    ///
    /// # Errors
    /// When the log is out of reach, or others keep changing the same payment: the provider tells again.
    pub async fn hear_provider(&self, tenant: TenantId, notice: Notice) -> Result<Heard, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            let caller = provider(tenant);
            let key = IdempotencyKey::of_reaction("stripe.event", &notice.event_id);
            let done = this
                .run(&caller, &key, "provider_hear", &notice.event_id, || {
                    this.plan_heard(&caller, &notice)
                })
                .await;
            match done {
                Ok(_) => Ok(Heard::Recorded),
                Err(CommandError::Refused(Refused {
                    code: NOTHING_NEW, ..
                })) => Ok(Heard::NothingNew),
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn plan_heard(&self, caller: &Caller, notice: &Notice) -> Result<Plan, CommandError> {
        let Some(fact) = &notice.fact else {
            return self.park(
                notice,
                format!("{}: this program knows no such event", notice.kind),
            );
        };
        if *fact == ProviderFact::Nothing {
            return Err(CommandError::nothing_new());
        }
        let Some((id, loaded)) = self.payment_of(caller, notice).await? else {
            return self.park(
                notice,
                format!("{}: no payment here is of this object", notice.kind),
            );
        };
        let word = PaymentCommand::Hear(ProviderNotice {
            event_id: notice.event_id.clone(),
            at: notice.at,
            fact: fact.clone(),
        });
        let events = match loaded.state.decide(word) {
            Ok(events) if events.is_empty() => return Err(CommandError::nothing_new()),
            Ok(events) => events,
            Err(error @ (PaymentError::UnexplainedRefund | PaymentError::NotFound)) => {
                return self.park(notice, format!("{}: {error}", notice.kind));
            }
            Err(error) => return Err(CommandError::refused(error)),
        };
        let mut plan = Plan::default();
        for event in &events {
            if let PaymentEvent::RefundRequested(asked) = event {
                let detail =
                    "given back at the payment provider; say why, or the tax stays as it is".to_owned();
                let opened = about(WorkKind::RefundAtProvider, &asked.booking, Some(id)).of(
                    asked.parts().total(),
                    detail,
                    self.ports.now(),
                );
                let item = WorkKind::RefundAtProvider.item(&asked.refund_id.to_string());
                plan = self.plan_work(plan, item, opened)?;
            }
        }
        Ok(plan.write::<Payment>(self, id.to_string(), loaded.version, events))
    }

    /// The payment that an event is about: the one that holds the intent.
    async fn payment_of(
        &self,
        caller: &Caller,
        notice: &Notice,
    ) -> Result<Option<(PaymentId, Loaded<Payment>)>, CommandError> {
        let Some(intent_id) = &notice.subject.intent_id else {
            return Ok(None);
        };
        let held = self
            .log
            .unique_holder(caller.tenant, STRIPE_INTENT, intent_id)
            .await?;
        let Some(id) = held.and_then(|holder| holder.id.parse::<PaymentId>().ok()) else {
            return Ok(None);
        };
        let loaded = self.load::<Payment>(caller, &id.to_string()).await?;
        Ok(Some((id, loaded)))
    }

    /// Puts what nobody here knows into the work queue.
    fn park(&self, notice: &Notice, detail: String) -> Result<Plan, CommandError> {
        let object = notice
            .subject
            .intent_id
            .as_ref()
            .or(notice.subject.object_id.as_ref());
        let detail = match object {
            Some(object) => format!("{detail} ({object})"),
            None => detail,
        };
        let opened = WorkItemOpened {
            kind: WorkKind::UnknownWebhook,
            station_id: None,
            booking_id: None,
            booking_number: None,
            payment_id: None,
            amount_cents: notice.subject.amount_cents,
            detail: detail
                .chars()
                .filter(|letter| !letter.is_control())
                .take(400)
                .collect(),
            mail: None,
            provider_event: Some(notice.event_id.clone()),
            opened_at: self.ports.now(),
        };
        let item = WorkKind::UnknownWebhook.item(&notice.event_id);
        self.plan_work(Plan::default(), item, opened)
    }

    /// Notes that a message that claimed to come from the provider was turned away; more of the kind within the hour are
    /// noted once, so that nobody can fill a log with them.
    ///
    /// # Errors
    /// When the log is out of reach, or there is no such company.
    pub async fn note_refused_webhook(
        &self,
        tenant: TenantId,
        why: WebhookRefusal,
    ) -> Result<(), CommandError> {
        let this = self.clone();
        to_the_end(async move {
            let caller = provider(tenant);
            let now = this.ports.now();
            let hour = now.date_naive().and_hms_opt(now.hour(), 0, 0);
            let cause = format!("{} {hour:?}", why.as_str());
            let key = IdempotencyKey::of_reaction("webhook_refused", &cause);
            this.run(&caller, &key, "webhook_refused", &cause, || async {
                let id = organisation_id(tenant);
                let loaded = this.load::<Organisation>(&caller, &id).await?;
                let refused = OrganisationCommand::NoteRefusedWebhook(WebhookRefused {
                    provider: "stripe".to_owned(),
                    why,
                    refused_at: this.ports.now(),
                });
                let events = loaded.state.decide(refused).map_err(CommandError::refused)?;
                Ok(Plan::default().write::<Organisation>(&this, id, loaded.version, events))
            })
            .await?;
            Ok(())
        })
        .await
    }
}
