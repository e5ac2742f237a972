//! Banks' notifications: put into the work queue with the open claims that they may be about. A person books.

use domain::access::Permission;
use domain::bank_mail::{BankNotice, OpenClaim, fit, folded_name};
use domain::booking::Booking;
use domain::decider::Decider;
use domain::envelope::StreamId;
use domain::ids::{PaymentId, StationId, WorkItemId};
use domain::payment::{Payment, PaymentStatus};
use domain::work_item::{BankMail, WorkItem, WorkItemCommand, WorkItemOpened, WorkKind};

use crate::execute::{Plan, Written, to_the_end};
use crate::{Caller, CommandError, Commands, IdempotencyKey};

/// Scope of keyed hashes of notifications and of their senders' names.
const BANK_MAIL: &str = "bank_mail";
const SENDER: &str = "bank_mail.sender";

/// How many claims are proposed at most.
const PROPOSALS: usize = 10;

/// How well a claim fits, with what is known of it.
type Fitting = (u32, PaymentId, StationId);

impl Commands {
    /// Files a bank's notification with the open claims that it may be about, the likeliest first. The mail is not kept, and
    /// of its sender's name a keyed hash: it books nothing.
    ///
    /// # Errors
    /// `BANK_MAIL_UNREADABLE`, `BANK_MAIL_NOT_INCOMING`, `TOO_LONG`; `ALREADY_EXISTS` for one that was filed before.
    pub async fn submit_bank_mail(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        text: String,
        open_claims: Vec<PaymentId>,
    ) -> Result<Written, CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::PaymentWrite)?;
            let notice = BankNotice::read(&text).map_err(CommandError::refused)?;
            let digest = this
                .vault
                .index_key(caller.tenant, BANK_MAIL, text.trim())
                .await?;
            let id = WorkKind::BankMail.item(&digest);
            this.run(&caller, &key, "bank_mail_submit", &digest, || {
                this.plan_bank_mail(&caller, id, &notice, &open_claims)
            })
            .await
        })
        .await
    }

    async fn plan_bank_mail(
        &self,
        caller: &Caller,
        id: WorkItemId,
        notice: &BankNotice,
        open_claims: &[PaymentId],
    ) -> Result<Plan, CommandError> {
        let mut fitting: Vec<Fitting> = Vec::new();
        for claim in open_claims {
            fitting.extend(self.fitting(caller, notice, *claim).await?);
        }
        fitting.sort_by_key(|(fit, claim, _)| (std::cmp::Reverse(*fit), *claim));
        fitting.truncate(PROPOSALS);
        let sender_key = match &notice.sender {
            Some(name) => {
                let name = folded_name(name);
                Some(self.vault.index_key(caller.tenant, SENDER, &name).await?)
            }
            None => None,
        };
        let found = match fitting.len() {
            0 => "no open claim fits it".to_owned(),
            1 => "one open claim fits it".to_owned(),
            more => format!("{more} open claims fit it"),
        };
        let opened = WorkItemOpened {
            kind: WorkKind::BankMail,
            station_id: fitting.first().map(|(_, _, station)| *station),
            booking_id: None,
            booking_number: None,
            payment_id: None,
            amount_cents: Some(notice.amount_cents),
            detail: format!(
                "a bank tells of {} by {}; {found}",
                notice.amount_cents,
                notice.method.as_str()
            ),
            mail: Some(BankMail {
                method: notice.method,
                amount_cents: notice.amount_cents,
                reference: notice.reference.clone(),
                sender_key,
                sent_at: notice.sent_at,
                proposals: fitting.into_iter().map(|(_, claim, _)| claim).collect(),
            }),
            provider_event: None,
            opened_at: self.ports.now(),
        };
        let known = self.load::<WorkItem>(caller, &id.to_string()).await?;
        let events = known
            .state
            .decide(WorkItemCommand::Open(opened))
            .map_err(CommandError::refused)?;
        Ok(Plan::default().write::<WorkItem>(self, id.to_string(), known.version, events))
    }

    /// How well an open claim fits; none where it does not, or is out of reach.
    async fn fitting(
        &self,
        caller: &Caller,
        notice: &BankNotice,
        id: PaymentId,
    ) -> Result<Option<Fitting>, CommandError> {
        let loaded = self.load::<Payment>(caller, &id.to_string()).await?;
        let Some(terms) = loaded.state.terms() else {
            return Ok(None);
        };
        let station = terms.booking.station_id;
        let open = loaded.state.status() == Some(PaymentStatus::Claimed) && caller.stations.covers(station);
        let mut claim = OpenClaim {
            method: terms.method,
            total_cents: terms.parts().total(),
            reference: terms.reference.clone(),
            booking_number: terms.booking.number.clone(),
            customer: None,
        };
        if !open || fit(notice, &claim).is_none() {
            return Ok(None);
        }
        let stream = StreamId::new(Booking::STREAM, terms.booking.booking_id.to_string());
        let booking = self.load::<Booking>(caller, &stream.id).await?;
        if let Some(requested) = booking.state.requested() {
            let contact = self.known_contact(caller, requested.customer_id).await?;
            claim.customer = contact.map(|contact| contact.name);
        }
        Ok(fit(notice, &claim).map(|fit| (fit, id, station)))
    }
}
