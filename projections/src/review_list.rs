//! What do customers say of their parties, and which of them have not answered?

mod query;
mod stats;

use chrono::{DateTime, NaiveDate, Utc};
use domain::envelope::{Position, Sealed, StreamId};
use domain::ids::{BookingId, CustomerId, ReviewId, StationId};
use domain::recorded::{DomainEvent, Recorded};
use domain::review::{
    ExternalSite, Moderation, Rating, ReviewEvent, ReviewLinkIssued, ReviewMedia, ReviewStatus,
    ReviewSubmitted, RoutingMode, SentAs, ShownLink, ShownLinks,
};
use serde::{Deserialize, Serialize};

use crate::engine::{Column, Fold, Kind, Poison, Source, Value, row, shown_only};
use crate::id_list::IdList;

pub use query::{ReviewFilter, count, one, page, published, published_count};
pub use stats::{ByChef, ByMessage, ReviewFigures, ReviewStats, StatsError, StatsFilter, average, stats};

/// The message through whose link a customer answered, once they did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredThrough {
    /// There is no answer.
    Nothing,
    /// The first question.
    Request,
    /// The first reminder.
    FirstReminder,
    /// The second reminder.
    SecondReminder,
    /// A further link of staff.
    ByStaff,
}

impl AnsweredThrough {
    /// Each of them.
    pub const ALL: [Self; 5] = [
        Self::Nothing,
        Self::Request,
        Self::FirstReminder,
        Self::SecondReminder,
        Self::ByStaff,
    ];

    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Request => "request",
            Self::FirstReminder => "first_reminder",
            Self::SecondReminder => "second_reminder",
            Self::ByStaff => "by_staff",
        }
    }
}

impl From<SentAs> for AnsweredThrough {
    fn from(sent_as: SentAs) -> Self {
        match sent_as {
            SentAs::Request => Self::Request,
            SentAs::FirstReminder => Self::FirstReminder,
            SentAs::SecondReminder => Self::SecondReminder,
            SentAs::ByStaff => Self::ByStaff,
        }
    }
}

macro_rules! words {
    ($( $type:ty; )+) => { $(
        impl Column for $type {
            const KIND: Option<Kind> = Some(Kind::Text);

            fn value(&self) -> Option<Value> {
                Some(Value::Text(self.as_str().to_owned()))
            }
        }
    )+ };
}

words! {
    AnsweredThrough;
    ReviewStatus;
    Moderation;
    RoutingMode;
}

impl Column for ReviewId {
    const KIND: Option<Kind> = Some(Kind::Uuid);

    fn value(&self) -> Option<Value> {
        Some(Value::Uuid(self.0))
    }
}

shown_only! {
    Vec<ReviewMedia>;
    Vec<ShownLink>;
    Vec<ExternalSite>;
}

row! {
    /// A review. What the customer wrote stays sealed.
    pub struct ReviewRow in "review_list", key (review_id: ReviewId) {
        /// The review.
        pub review_id: ReviewId,
        /// Events of the review so far: what a command expects of it.
        pub version: i64,
        /// The booking of the party.
        pub booking_id: BookingId,
        /// That booking's number.
        pub number: String,
        /// Who booked.
        pub customer_id: CustomerId,
        /// The station that served.
        pub station_id: StationId,
        /// Who cooked.
        pub chefs: IdList,
        /// Local date of the party.
        pub event_on: NaiveDate,
        /// Where it stands.
        pub status: ReviewStatus,
        /// Whether it may be published.
        pub moderation: Moderation,
        /// From 1 to 5; 0 while there is none.
        pub rating: i32,
        /// The message through whose link the customer answered.
        pub answered_through: AnsweredThrough,
        /// Reminders so far.
        pub reminders: i32,
        /// External sites that the customer went on to.
        pub clicks: i32,
        /// 1 where a person was called for its rating, else 0.
        pub escalated: i32,
        /// Seconds from the first question to the answer; 0 while there is none.
        pub respond_secs: i64,
        /// What the customer wrote, sealed.
        pub text: Option<Sealed>,
        /// How the customer wants to be called where it is published, sealed.
        pub public_name: Option<Sealed>,
        /// Pictures and videos.
        pub media: Vec<ReviewMedia>,
        /// How the company went about external sites when it showed them last.
        pub routing_mode: Option<RoutingMode>,
        /// Version of the risk text that was acknowledged for that.
        pub risk_version: Option<String>,
        /// External sites that the customer was shown, each as it was shown last.
        pub shown: Vec<ShownLink>,
        /// Those that the customer went on to.
        pub clicked: Vec<ExternalSite>,
        /// When the customer was asked first.
        pub issued_at: DateTime<Utc>,
        /// First instant at which no link of it is good any more.
        pub expires_at: DateTime<Utc>,
        /// When a link was opened first.
        pub opened_at: Option<DateTime<Utc>>,
        /// When the customer answered.
        pub submitted_at: Option<DateTime<Utc>>,
        /// When it expired or was called off.
        pub ended_at: Option<DateTime<Utc>>,
        /// When it was answered; until then, when it was asked for.
        pub listed_at: DateTime<Utc>,
        /// When somebody decided whether it is published.
        pub moderated_at: Option<DateTime<Utc>>,
        /// Why they did so.
        pub moderation_reason: Option<String>,
        /// The company's answer, sealed.
        pub reply: Option<Sealed>,
        /// When the company answered.
        pub replied_at: Option<DateTime<Utc>>,
        /// The promo code that the customer was given.
        pub coupon: Option<String>,
    }
}

/// The fold behind the list of reviews.
pub struct ReviewList;

impl Fold for ReviewList {
    type Key = ReviewId;
    type Row = ReviewRow;
    const NAME: &'static str = "review_list";
    const VERSION: i32 = 1;
    const POISON: Poison = Poison::Park;

    fn event_types() -> &'static [&'static str] {
        &[
            "review.link_issued",
            "review.reminded",
            "review.opened",
            "review.submitted",
            "review.external_clicked",
            "review.expired",
            "review.cancelled",
            "review.approved",
            "review.rejected",
            "review.replied",
            "review.coupon_granted",
        ]
    }

    fn key(event: &Recorded) -> Option<ReviewId> {
        review(event)?;
        event.stream.id.parse().ok()
    }

    fn apply(row: Option<ReviewRow>, event: &Recorded) -> Option<ReviewRow> {
        let Some(happened) = review(event) else {
            return row;
        };
        if let (ReviewEvent::LinkIssued(issued), None) = (happened, &row) {
            return Some(asked(Self::key(event)?, issued, event.sequence.0));
        }
        row.map(|row| changed(row, happened, event.sequence.0))
    }

    fn key_of(stream: &StreamId, _: Position) -> Option<ReviewId> {
        (stream.kind == "review").then(|| stream.id.parse().ok())?
    }

    fn source(review: &ReviewId) -> Source {
        Source::Stream(StreamId::new("review", review.to_string()))
    }
}

fn review(event: &Recorded) -> Option<&ReviewEvent> {
    if let DomainEvent::Review(review) = &event.event {
        Some(review)
    } else {
        None
    }
}

fn asked(review_id: ReviewId, issued: &ReviewLinkIssued, version: i64) -> ReviewRow {
    ReviewRow {
        review_id,
        version,
        booking_id: issued.party.booking_id,
        number: issued.number.clone(),
        customer_id: issued.party.customer_id,
        station_id: issued.party.station_id,
        chefs: issued
            .chefs
            .iter()
            .fold(IdList::default(), |chefs, chef| chefs.with(chef.0)),
        event_on: issued.event_on,
        status: ReviewStatus::Pending,
        moderation: Moderation::Awaiting,
        rating: 0,
        answered_through: AnsweredThrough::Nothing,
        reminders: 0,
        clicks: 0,
        escalated: 0,
        respond_secs: 0,
        text: None,
        public_name: None,
        media: Vec::new(),
        routing_mode: None,
        risk_version: None,
        shown: Vec::new(),
        clicked: Vec::new(),
        issued_at: issued.issued_at,
        expires_at: issued.expires_at,
        opened_at: None,
        submitted_at: None,
        ended_at: None,
        listed_at: issued.issued_at,
        moderated_at: None,
        moderation_reason: None,
        reply: None,
        replied_at: None,
        coupon: None,
    }
}

fn changed(row: ReviewRow, happened: &ReviewEvent, version: i64) -> ReviewRow {
    let mut row = ReviewRow { version, ..row };
    match happened {
        // A further link: after the end, everything is open again.
        ReviewEvent::LinkIssued(issued) => {
            row.expires_at = issued.expires_at;
            row.ended_at = None;
            row.status = match row.status {
                ReviewStatus::Opened => ReviewStatus::Opened,
                ReviewStatus::Submitted => ReviewStatus::Submitted,
                ReviewStatus::Pending | ReviewStatus::Expired | ReviewStatus::Cancelled => {
                    ReviewStatus::Pending
                }
            };
        }
        ReviewEvent::Reminded(_) => row.reminders += 1,
        ReviewEvent::Opened(opened) => {
            row.status = ReviewStatus::Opened;
            row.opened_at.get_or_insert(opened.opened_at);
            show(&mut row, &opened.shown);
        }
        ReviewEvent::Submitted(submitted) => answered(&mut row, submitted),
        ReviewEvent::ExternalClicked(clicked) => {
            row.clicked.push(clicked.site);
            row.clicks += 1;
        }
        ReviewEvent::Expired(expired) => {
            row.status = ReviewStatus::Expired;
            row.ended_at = Some(expired.expired_at);
        }
        ReviewEvent::Cancelled(cancelled) => {
            row.status = ReviewStatus::Cancelled;
            row.ended_at = Some(cancelled.cancelled_at);
        }
        ReviewEvent::Approved(approved) => {
            row.moderation = Moderation::Approved;
            row.moderated_at = Some(approved.approved_at);
            row.moderation_reason.clone_from(&approved.reason);
        }
        ReviewEvent::Rejected(rejected) => {
            row.moderation = Moderation::Rejected;
            row.moderated_at = Some(rejected.rejected_at);
            row.moderation_reason = Some(rejected.reason.clone());
        }
        ReviewEvent::Replied(replied) => {
            row.reply = Some(replied.text.clone());
            row.replied_at = Some(replied.replied_at);
        }
        ReviewEvent::CouponGranted(granted) => row.coupon = Some(granted.code.clone()),
    }
    row
}

fn answered(row: &mut ReviewRow, submitted: &ReviewSubmitted) {
    row.status = ReviewStatus::Submitted;
    row.rating = submitted.rating.number();
    row.answered_through = submitted.sent_as.into();
    row.escalated = i32::from(Rating::is_low(submitted.rating));
    row.respond_secs = (submitted.submitted_at - row.issued_at).num_seconds().max(0);
    row.text.clone_from(&submitted.text);
    row.public_name.clone_from(&submitted.public_name);
    row.media.clone_from(&submitted.media);
    row.submitted_at = Some(submitted.submitted_at);
    row.listed_at = submitted.submitted_at;
    show(row, &submitted.shown);
}

fn show(row: &mut ReviewRow, shown: &ShownLinks) {
    row.routing_mode = Some(shown.mode);
    row.risk_version.clone_from(&shown.risk_version);
    for link in &shown.links {
        row.shown.retain(|other| other.site != link.site);
        row.shown.push(link.clone());
    }
}

#[cfg(test)]
mod tests;
