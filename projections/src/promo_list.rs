//! Which promo codes are there, and how often is each used?

use chrono::{DateTime, Utc};
use domain::access::{Permission, Viewer};
use domain::booking::BookingEvent;
use domain::envelope::{Position, StreamId};
use domain::ids::PromoCodeId;
use domain::promo_code::{CustomerHold, PromoCodeEvent, PromoTerms};
use domain::recorded::{DomainEvent, Recorded};

use crate::engine::{
    Answer, At, Condition, Fold, Order, Page, Poison, ReadError, ReadModels, Select, Slice, Value, row,
    shown_only,
};

row! {
    /// A promo code.
    pub struct PromoRow in "promo_list", key (promo_id: PromoCodeId) {
        /// The code.
        pub promo_id: PromoCodeId,
        /// Events of the code so far: what a command expects of it.
        pub version: i64,
        /// What customers type.
        pub code: String,
        /// What it grants.
        pub terms: PromoTerms,
        /// Bookings that hold a use of it: those that were held, are still to be held, or were called off after they began.
        pub uses: i64,
        /// When it was made.
        pub created_at: DateTime<Utc>,
        /// When it was ended, if it was.
        pub ended_at: Option<DateTime<Utc>>,
    }
}

shown_only! {
    PromoTerms;
}

impl PromoRow {
    /// Whether somebody can use it at an instant: within its window, not ended, not used up.
    pub fn is_active(&self, at: DateTime<Utc>) -> bool {
        self.ended_at.is_none()
            && self.terms.starts_at <= at
            && self.terms.ends_at.is_none_or(|end| at < end)
            && self
                .terms
                .limit_total
                .is_none_or(|limit| self.uses < i64::from(limit))
    }
}

/// The fold behind the list of promo codes.
pub struct PromoList;

impl Fold for PromoList {
    type Key = PromoCodeId;
    type Row = PromoRow;
    const NAME: &'static str = "promo_list";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "promo_code.created",
            "promo_code.changed",
            "promo_code.ended",
            "booking.requested",
            "booking.cancelled",
            "booking.expired",
            "booking.deleted",
            "booking.restored",
        ]
    }

    fn key(event: &Recorded) -> Option<PromoCodeId> {
        match &event.event {
            DomainEvent::PromoCode(_) => event.stream.id.parse().ok(),
            DomainEvent::Booking(booking) => used(booking).map(|(promo, _)| promo),
            DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::Payment(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::WorkItem(_)
            | DomainEvent::MessageTemplate(_)
            | DomainEvent::Job(_)
            | DomainEvent::Conversation(_)
            | DomainEvent::Review(_)
            | DomainEvent::Escalation(_)
            | DomainEvent::Message(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::Lead(_) => None,
        }
    }

    fn apply(row: Option<PromoRow>, event: &Recorded) -> Option<PromoRow> {
        match &event.event {
            DomainEvent::PromoCode(PromoCodeEvent::Created(created)) => Some(PromoRow {
                promo_id: Self::key(event)?,
                version: event.sequence.0,
                code: created.code.clone(),
                terms: created.terms.clone(),
                uses: 0,
                created_at: created.created_at,
                ended_at: None,
            }),
            DomainEvent::PromoCode(PromoCodeEvent::Changed(changed)) => row.map(|row| PromoRow {
                version: event.sequence.0,
                terms: changed.terms.clone(),
                ..row
            }),
            DomainEvent::PromoCode(PromoCodeEvent::Ended(ended)) => row.map(|row| PromoRow {
                version: event.sequence.0,
                ended_at: Some(ended.ended_at),
                ..row
            }),
            DomainEvent::Booking(booking) => row.map(|row| PromoRow {
                uses: row.uses + used(booking).map_or(0, |(_, uses)| uses),
                ..row
            }),
            DomainEvent::Organisation(_)
            | DomainEvent::Station(_)
            | DomainEvent::Chef(_)
            | DomainEvent::User(_)
            | DomainEvent::Customer(_)
            | DomainEvent::Payment(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::TaxRate(_)
            | DomainEvent::WorkItem(_)
            | DomainEvent::MessageTemplate(_)
            | DomainEvent::Job(_)
            | DomainEvent::Conversation(_)
            | DomainEvent::Review(_)
            | DomainEvent::Escalation(_)
            | DomainEvent::Message(_)
            | DomainEvent::TaxPeriod(_)
            | DomainEvent::Document(_)
            | DomainEvent::DocumentSeries(_)
            | DomainEvent::Lead(_) => row,
        }
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<PromoCodeId> {
        (stream.kind == "promo_code").then(|| stream.id.parse().ok())?
    }
}

/// The code that an event of a booking takes a use of, or gives one back to.
fn used(event: &BookingEvent) -> Option<(PromoCodeId, i64)> {
    let of = |hold: Option<&CustomerHold>, uses| {
        let promo = hold.and_then(|hold| hold.promo.as_ref())?;
        Some((promo.promo_id, uses))
    };
    match event {
        BookingEvent::Requested(requested) => requested.promo.as_ref().map(|promo| (promo.promo_id, 1)),
        BookingEvent::Cancelled(cancelled) => of(cancelled.gives_back.as_ref(), -1),
        BookingEvent::Expired(expired) => of(expired.gives_back.as_ref(), -1),
        BookingEvent::Deleted(deleted) => of(deleted.gives_back.as_ref(), -1),
        BookingEvent::Restored(restored) => of(restored.takes_again.as_ref(), 1),
        BookingEvent::Confirmed(_)
        | BookingEvent::Completed(_)
        | BookingEvent::DepositDueExtended(_)
        | BookingEvent::GuestCountChanged(_)
        | BookingEvent::MenuChanged(_)
        | BookingEvent::Rescheduled(_)
        | BookingEvent::ChefAssigned(_)
        | BookingEvent::ChefUnassigned(_)
        | BookingEvent::NoteAdded(_)
        | BookingEvent::TermsAccepted(_)
        | BookingEvent::TaxPlaceSet(_)
        | BookingEvent::TaxAdjusted(_) => None,
    }
}

/// A page of promo codes, the last made first. They are the company's: whoever may see prices sees all of them.
///
/// # Errors
/// [`ReadError`] when the viewer may not see prices, or there is no answer.
pub async fn page(
    models: &ReadModels,
    viewer: &Viewer,
    slice: Slice,
    at: At,
) -> Result<Page<PromoRow>, ReadError> {
    viewer.require(Permission::PriceRead)?;
    let select = Select {
        conditions: Vec::new(),
        order: Order::descending(&["created_at", "promo_id"]),
        after: slice.after,
        first: slice.first,
    };
    models.page::<PromoList>(viewer.tenant, select, at).await
}

/// How many promo codes there are.
///
/// # Errors
/// As [`page`].
pub async fn count(models: &ReadModels, viewer: &Viewer, at: At) -> Result<Answer<u64>, ReadError> {
    viewer.require(Permission::PriceRead)?;
    models.count::<PromoList>(viewer.tenant, Vec::new(), at).await
}

/// One promo code.
///
/// # Errors
/// As [`page`].
pub async fn one(
    models: &ReadModels,
    viewer: &Viewer,
    id: PromoCodeId,
    at: At,
) -> Result<Answer<Option<PromoRow>>, ReadError> {
    viewer.require(Permission::PriceRead)?;
    let conditions = vec![Condition::Eq("promo_id", Value::Uuid(id.0))];
    let found = models.all::<PromoList>(viewer.tenant, conditions, at).await?;
    Ok(found.map(|rows| rows.into_iter().next()))
}

#[cfg(test)]
mod tests;
