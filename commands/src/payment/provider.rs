//! What the payment provider says, heard once and in any order. What it says of nobody here is parked in the work queue.

use chrono::Timelike;
use domain::decider::Decider;
use domain::envelope::Channel;
use domain::ids::{PaymentId, TenantId};
use domain::money::Cents;
use domain::organisation::{OrganisationCommand, WebhookRefusal, WebhookRefused};
use domain::payment::{
    CANCELED, Payment, PaymentCommand, PaymentError, PaymentEvent, PaymentStatus, ProviderFact,
    ProviderNotice, RefundSeen, STRIPE_INTENT,
};
use domain::work_item::{WorkItemOpened, WorkKind};

use super::card::of_gateway;
use super::refund::provider;
use crate::execute::{NOTHING_NEW, Plan, to_the_end};
use crate::gateways::stripe::Notice;
use crate::load::Loaded;
use crate::ports::GatewayError;
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
    /// When the log or the provider is out of reach, or others keep changing the same payment: the provider tells again.
    pub async fn hear_provider(&self, tenant: TenantId, notice: Notice) -> Result<Heard, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            let caller = provider(tenant);
            let key = IdempotencyKey::of_reaction("stripe.event", &notice.event_id);
            let notice = this.one_by_one(notice).await?;
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
        let word = ProviderNotice {
            event_id: Some(notice.event_id.clone()),
            at: notice.at,
            fact: fact.clone(),
        };
        match loaded.state.decide(PaymentCommand::Hear(word)) {
            Ok(events) => self.plan_word(id, &loaded, events),
            Err(
                error @ (PaymentError::UnexplainedRefund
                | PaymentError::UnexplainedDispute
                | PaymentError::NotFound),
            ) => self.park(notice, format!("{}: {error}", notice.kind)),
            Err(error) => Err(CommandError::refused(error)),
        }
    }

    /// Writes what a word of the provider changes, with what a person should look at.
    fn plan_word(
        &self,
        id: PaymentId,
        loaded: &Loaded<Payment>,
        events: Vec<PaymentEvent>,
    ) -> Result<Plan, CommandError> {
        if events.is_empty() {
            return Err(CommandError::nothing_new());
        }
        let now = self.ports.now();
        let mut plan = Plan::default();
        for event in &events {
            if let PaymentEvent::RefundRequested(asked) = event {
                let detail =
                    "given back at the payment provider: it counts as a kindness, and no tax is taken back for it".to_owned();
                let opened = about(WorkKind::RefundAtProvider, &asked.booking, Some(id)).of(
                    asked.parts().total(),
                    detail,
                    now,
                );
                let item = WorkKind::RefundAtProvider.item(&asked.refund_id.to_string());
                plan = self.plan_work(plan, item, opened)?;
            }
            if let (PaymentEvent::Succeeded(charged), Some(terms)) = (event, loaded.state.terms())
                && charged.parts().total() != terms.parts().total()
            {
                let (came, asked) = (charged.parts().total(), terms.parts().total());
                let detail = format!("{came} was charged, and {asked} was asked for");
                let opened = about(WorkKind::ChargeDiffers, &charged.booking, Some(id)).of(came, detail, now);
                let item = WorkKind::ChargeDiffers.item(&id.to_string());
                plan = self.plan_work(plan, item, opened)?;
            }
        }
        Ok(plan.write::<Payment>(self, id.to_string(), loaded.version, events))
    }

    /// Asks the provider after a card payment of which nobody has said yet that it came, and records what it says.
    pub(crate) async fn take_up_card(&self, tenant: TenantId, payment_id: PaymentId) {
        // It is never closed.
        let Ok(_permit) = self.asking.acquire().await else {
            return;
        };
        if let Err(error) = self.ask_after(tenant, payment_id).await {
            tracing::warn!(%tenant, %error, "nobody knows what became of a card payment");
        }
    }

    async fn ask_after(&self, tenant: TenantId, payment_id: PaymentId) -> Result<(), CommandError> {
        let caller = provider(tenant);
        let loaded = self.load_payment(&caller, payment_id).await?;
        let (Some(intent_id), Some(cards)) = (loaded.state.intent_id(), &self.cards) else {
            return Ok(());
        };
        if loaded.state.counts() {
            return Ok(());
        }
        let found = cards.intent(intent_id).await.map_err(of_gateway)?;
        let standing = loaded.state.status();
        let fact = match found.fact {
            // It is known, and would be said again with every answer.
            Some(ProviderFact::Processing) if standing == Some(PaymentStatus::Processing) => return Ok(()),
            Some(ProviderFact::Failed { code })
                if standing == Some(PaymentStatus::Failed) && code.as_deref() != Some(CANCELED) =>
            {
                return Ok(());
            }
            Some(fact) => fact,
            None => {
                tracing::warn!(%tenant, "the payment provider tells of a card payment what nobody here can read");
                return Ok(());
            }
        };
        let cause = format!(
            "{payment_id} {} {}",
            loaded.version.0,
            domain::canonical::json(&fact)
        );
        let key = IdempotencyKey::of_reaction("card_taken_up", &cause);
        let done = self
            .run(&caller, &key, "card_taken_up", &(payment_id, &fact), || async {
                let loaded = self.load_payment(&caller, payment_id).await?;
                let word = ProviderNotice {
                    event_id: None,
                    at: self.ports.now(),
                    fact: fact.clone(),
                };
                let events = loaded.state.decide(PaymentCommand::Hear(word));
                self.plan_word(payment_id, &loaded, events.map_err(CommandError::refused)?)
            })
            .await;
        match done {
            Ok(_) => Ok(()),
            Err(CommandError::Refused(Refused {
                code: NOTHING_NEW, ..
            })) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A sum of refunds does not say which: the provider is asked for each of them. Where they do not come to the sum, it
    /// stays what it is.
    async fn one_by_one(&self, notice: Notice) -> Result<Notice, CommandError> {
        let (Some(ProviderFact::RefundedInAll(sum)), Some(intent_id), Some(cards)) =
            (&notice.fact, &notice.subject.intent_id, &self.cards)
        else {
            return Ok(notice);
        };
        let refunds = match cards.refunds(intent_id).await {
            Ok(refunds) => refunds,
            // It knows of no such intent: what it says of it is not explained by asking.
            Err(GatewayError::Refused { .. }) => return Ok(notice),
            Err(error) => return Err(of_gateway(error)),
        };
        let there = refunds
            .iter()
            .filter(|refund| refund.seen == RefundSeen::Succeeded);
        if there.map(|refund| refund.amount_cents).sum::<Cents>() < *sum {
            return Ok(notice);
        }
        Ok(Notice {
            fact: Some(ProviderFact::Refunds(refunds)),
            ..notice
        })
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

    /// Notes that a message that claimed to come from a provider was turned away; more of the kind within the hour are
    /// noted once, so that nobody can fill a log with them.
    ///
    /// # Errors
    /// When the log is out of reach, or there is no such company.
    pub async fn note_refused_webhook(
        &self,
        tenant: TenantId,
        provider: &'static str,
        why: WebhookRefusal,
    ) -> Result<(), CommandError> {
        let this = self.clone();
        to_the_end(async move {
            let mut caller = Caller::system(tenant, provider);
            caller.channel = Channel::Webhook;
            let now = this.ports.now();
            let hour = now.date_naive().and_hms_opt(now.hour(), 0, 0);
            let cause = format!("{provider} {} {hour:?}", why.as_str());
            let key = IdempotencyKey::of_reaction("webhook_refused", &cause);
            this.run(&caller, &key, "webhook_refused", &cause, || {
                let refused = OrganisationCommand::NoteRefusedWebhook(WebhookRefused {
                    provider: provider.to_owned(),
                    why,
                    refused_at: this.ports.now(),
                });
                this.plan_organisation(&caller, refused)
            })
            .await?;
            Ok(())
        })
        .await
    }
}
