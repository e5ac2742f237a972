//! Reviews: asking customers for them, by links whose tokens nobody can guess and of which only a hash is kept.

mod answer;
mod media;
mod reaction;
mod staff;
mod sweep;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use domain::access::Permission;
use domain::booking::{Booking, BookingError, BookingStatus};
use domain::decider::Decider;
use domain::envelope::{ActorKind, StreamId, Version};
use domain::ids::{BookingId, MessageId, ReviewId, SubjectId, TenantId};
use domain::message::{Message, MessageEvent, MessageKind, MessageRequested};
use domain::organisation::Organisation;
use domain::review::{
    IssueLink, IssuedBy, Review, ReviewCancelledBecause, ReviewCommand, ReviewError, ReviewedParty,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::execute::{Plan, Written, to_the_end};
use crate::organisation::organisation_id;
use crate::{Caller, CommandError, Commands, IdempotencyKey};

pub use answer::{Answered, Invitation, ReviewAnswer};
pub use media::StoredMedia;
pub use staff::{ReviewModerate, Verdict};
pub(crate) use sweep::Sweep;

/// Bytes of a tenant's id, with which a token begins.
const TENANT: usize = 16;
/// Random bytes of a token.
const SECRET: usize = 32;

/// Whether a link is sent to the customer too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Notify {
    /// A message is asked for.
    Customer,
    /// Whoever asks for the link hands it over.
    Nobody,
}

/// A link that was just made: its token is nowhere but here, and sealed in the message.
struct NewLink {
    url: String,
    token_key: String,
}

/// What stands for a token in events and claims.
fn token_key(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// The company that a token belongs to, by its own word.
fn tenant_of(token: &str) -> Option<TenantId> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (tenant, secret) = bytes.split_at_checked(TENANT)?;
    let tenant = Uuid::from_slice(tenant).ok()?;
    (secret.len() == SECRET).then_some(TenantId(tenant))
}

impl Commands {
    /// Asks the customer of a party that was held for a review, or gives out a further link while there is no answer. The
    /// address is told once, here: a repeat does not know it.
    ///
    /// # Errors
    /// `NOT_FOUND`, `REVIEW_NOT_COMPLETED`, `LINK_USED`, `CUSTOMER_ERASED`; for the company's policy also `ALREADY_EXISTS` and
    /// `REVIEW_TOO_LATE`.
    pub async fn issue_review_link(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        booking_id: BookingId,
        notify: Notify,
    ) -> Result<(Written, Option<String>), CommandError> {
        let this = self.clone();
        to_the_end(async move {
            caller.require(Permission::ReviewWrite)?;
            let link = this.new_link(&caller).await?;
            let written = this
                .run(&caller, &key, "review_link_issue", &(booking_id, notify), || {
                    this.plan_link(&caller, booking_id, notify, &link)
                })
                .await?;
            let url = (!written.replayed).then_some(link.url);
            Ok((written, url))
        })
        .await
    }

    async fn plan_link(
        &self,
        caller: &Caller,
        booking_id: BookingId,
        notify: Notify,
        link: &NewLink,
    ) -> Result<Plan, CommandError> {
        let booking = self.load::<Booking>(caller, &booking_id.to_string()).await?;
        let missing = || CommandError::refused(BookingError::NotFound);
        let requested = booking.state.requested().ok_or_else(missing)?;
        caller.reach(requested.station_id, BookingError::NotFound.into())?;
        let held = booking.state.status() == Some(BookingStatus::Completed) && !booking.state.is_deleted();
        let now = self.ports.now();
        let party = ReviewedParty {
            booking_id,
            customer_id: requested.customer_id,
            station_id: requested.station_id,
        };
        let message = match notify {
            Notify::Customer => Some(
                self.review_message(caller, party, MessageKind::ReviewRequest, link, now)
                    .await?,
            ),
            Notify::Nobody => None,
        };
        let review_id = ReviewId::of(booking_id).to_string();
        let review = self.load::<Review>(caller, &review_id).await?;
        let ask = IssueLink {
            party,
            number: requested.number.clone(),
            event_on: requested.start.local.date(),
            chefs: booking.state.chefs().to_vec(),
            held_at: held.then_some(requested.start.utc),
            by: match caller.actor.kind {
                ActorKind::Policy => IssuedBy::Policy,
                ActorKind::User | ActorKind::Customer | ActorKind::System => IssuedBy::Staff,
            },
            token_key: link.token_key.clone(),
            message_id: message.as_ref().map(|(id, _)| *id),
            now,
        };
        let events = review
            .state
            .decide(ReviewCommand::IssueLink(Box::new(ask)))
            .map_err(CommandError::refused)?;
        let plan = Plan::default()
            .write::<Review>(self, review_id, review.version, events)
            .reads::<Booking>(booking_id.to_string(), booking.version);
        Ok(self.with_message(plan, message))
    }

    /// Reminds a customer who has not answered.
    ///
    /// # Errors
    /// `ALREADY_REMINDED`, `LINK_USED`, `LINK_EXPIRED`, `LINK_CANCELLED`, `CUSTOMER_ERASED`.
    pub(crate) async fn remind_review(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        review_id: ReviewId,
        number: i32,
    ) -> Result<Written, CommandError> {
        let link = self.new_link(&caller).await?;
        self.run(&caller, &key, "review_remind", &(review_id, number), || async {
            let loaded = self.load::<Review>(&caller, &review_id.to_string()).await?;
            let missing = || CommandError::refused(ReviewError::NotFound);
            let party = loaded.state.issued().ok_or_else(missing)?.party;
            let now = self.ports.now();
            let message_id = MessageKind::ReviewReminder.message(&link.token_key);
            let command = ReviewCommand::Remind {
                number,
                token_key: link.token_key.clone(),
                message_id,
                now,
            };
            let events = loaded.state.decide(command).map_err(CommandError::refused)?;
            let message = self
                .review_message(&caller, party, MessageKind::ReviewReminder, &link, now)
                .await?;
            let plan = Plan::default().write::<Review>(self, review_id.to_string(), loaded.version, events);
            Ok(self.with_message(plan, Some(message)))
        })
        .await
    }

    /// Says that nobody has answered in time. What was uploaded and never sent goes.
    ///
    /// # Errors
    /// `LINK_NOT_EXPIRED`, `LINK_USED`, `LINK_EXPIRED`, `LINK_CANCELLED`.
    pub(crate) async fn expire_review(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        review_id: ReviewId,
    ) -> Result<Written, CommandError> {
        let now = self.ports.now();
        let command = ReviewCommand::Expire { now };
        let written = self
            .write_review(&caller, &key, "review_expire", review_id, command)
            .await?;
        self.drop_media(caller.tenant, review_id).await?;
        Ok(written)
    }

    /// Calls off a question that was not answered. What was uploaded and never sent goes.
    ///
    /// # Errors
    /// `NOT_FOUND`, `LINK_USED`, `LINK_EXPIRED`, `LINK_CANCELLED`.
    pub(crate) async fn cancel_review(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        review_id: ReviewId,
        because: ReviewCancelledBecause,
    ) -> Result<Written, CommandError> {
        let now = self.ports.now();
        let command = ReviewCommand::Cancel { because, now };
        let written = self
            .write_review(&caller, &key, "review_cancel", review_id, command)
            .await?;
        self.drop_media(caller.tenant, review_id).await?;
        Ok(written)
    }

    /// Calls off what an erased customer was asked, and destroys the pictures and videos of what they answered: no key
    /// seals those.
    ///
    /// # Errors
    /// When the log or the store is out of reach.
    pub(crate) async fn forget_reviewer(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        reviews: Vec<ReviewId>,
    ) -> Result<(), CommandError> {
        for review_id in reviews {
            let key = key.derived(&format!("forget {review_id}"));
            let because = ReviewCancelledBecause::CustomerErased;
            match self.cancel_review(caller.clone(), key, review_id, because).await {
                Ok(_) | Err(CommandError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
            self.drop_media(caller.tenant, review_id).await?;
        }
        Ok(())
    }

    async fn write_review(
        &self,
        caller: &Caller,
        key: &IdempotencyKey,
        operation: &'static str,
        review_id: ReviewId,
        command: ReviewCommand,
    ) -> Result<Written, CommandError> {
        self.run(caller, key, operation, &review_id, || async {
            let loaded = self.load::<Review>(caller, &review_id.to_string()).await?;
            let events = loaded
                .state
                .decide(command.clone())
                .map_err(CommandError::refused)?;
            Ok(Plan::default().write::<Review>(self, review_id.to_string(), loaded.version, events))
        })
        .await
    }

    /// A link with a new token: 256 random bits after the company that it belongs to.
    async fn new_link(&self, caller: &Caller) -> Result<NewLink, CommandError> {
        let organisation = self
            .load::<Organisation>(caller, &organisation_id(caller.tenant))
            .await?;
        let own = format!("{}/review", self.public_url());
        let page = organisation.state.reviews().settings.page_url.as_deref();
        let bytes = [caller.tenant.0.as_bytes().as_slice(), &self.vault.secret()].concat();
        let token = URL_SAFE_NO_PAD.encode(bytes);
        Ok(NewLink {
            url: format!("{}/{token}", page.unwrap_or(&own)),
            token_key: token_key(&token),
        })
    }

    /// A message that takes a link to the customer; the link itself is sealed in it.
    async fn review_message(
        &self,
        caller: &Caller,
        party: ReviewedParty,
        kind: MessageKind,
        link: &NewLink,
        now: DateTime<Utc>,
    ) -> Result<(MessageId, MessageRequested), CommandError> {
        let id = kind.message(&link.token_key);
        let subject = SubjectId(party.customer_id.0);
        let stream = StreamId::new(Message::STREAM, id.to_string());
        let variables = serde_json::json!({ "review_link": link.url }).to_string();
        let variables = self
            .vault
            .seal(caller.tenant, subject, &stream, "variables", &variables)
            .await?;
        let requested = MessageRequested {
            kind,
            customer_id: party.customer_id,
            booking_id: Some(party.booking_id),
            station_id: Some(party.station_id),
            preferred: None,
            variables: Some(variables),
            due_at: now,
        };
        Ok((id, requested))
    }

    /// Adds a message that nobody has asked for yet to a plan.
    pub(crate) fn with_message(&self, plan: Plan, message: Option<(MessageId, MessageRequested)>) -> Plan {
        match message {
            Some((id, requested)) => {
                let events = vec![MessageEvent::Requested(requested)];
                plan.write::<Message>(self, id.to_string(), Version(0), events)
            }
            None => plan,
        }
    }
}
