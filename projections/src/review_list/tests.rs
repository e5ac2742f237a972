use domain::ids::{ChefId, MessageId, PromoCodeId};
use domain::money::RatePpm;
use domain::promo_code::Discount;
use domain::review::{
    ReviewApproved, ReviewCancelled, ReviewCancelledBecause, ReviewCouponGranted, ReviewExpired,
    ReviewExternalClicked, ReviewOpened, ReviewRejected, ReviewReminded, ReviewReplied, ReviewedParty,
};
use uuid::Uuid;

use super::*;
use crate::testing::{BOOKING, CUSTOMER, STATION, at, fold, recorded, sealed};

const PARTY: ReviewedParty = ReviewedParty {
    booking_id: BOOKING,
    customer_id: CUSTOMER,
    station_id: STATION,
};

fn id() -> ReviewId {
    ReviewId::of(BOOKING)
}

fn issued(sent_as: SentAs, when: &str, until: &str) -> ReviewEvent {
    ReviewEvent::LinkIssued(ReviewLinkIssued {
        party: PARTY,
        number: "N".to_owned(),
        event_on: "2026-11-01".parse().unwrap(),
        chefs: vec![ChefId(Uuid::from_u128(3))],
        sent_as,
        token_key: "t".to_owned(),
        message_id: None,
        issued_at: at(when),
        expires_at: at(until),
    })
}

fn asked() -> ReviewEvent {
    issued(SentAs::Request, "2026-11-02T00:00:00Z", "2026-12-02T00:00:00Z")
}

fn shown(url: &str) -> ShownLinks {
    ShownLinks {
        mode: RoutingMode::Neutral,
        risk_version: None,
        links: vec![ShownLink {
            site: ExternalSite::Google,
            url: url.to_owned(),
        }],
    }
}

fn opened() -> ReviewEvent {
    ReviewEvent::Opened(ReviewOpened {
        party: PARTY,
        sent_as: SentAs::Request,
        shown: shown("https://g.page/old"),
        opened_at: at("2026-11-02T10:00:00Z"),
    })
}

fn submitted(rating: i32) -> ReviewEvent {
    ReviewEvent::Submitted(ReviewSubmitted {
        party: PARTY,
        number: "N".to_owned(),
        sent_as: SentAs::FirstReminder,
        rating: Rating::new(rating).unwrap(),
        text: Some(sealed("words")),
        public_name: None,
        media: Vec::new(),
        shown: shown("https://g.page/new"),
        submitted_at: at("2026-11-05T00:00:00Z"),
    })
}

fn row(events: Vec<ReviewEvent>) -> ReviewRow {
    let recorded: Vec<Recorded> = events
        .into_iter()
        .zip(1..)
        .map(|(event, position)| recorded(position, &id().to_string(), position, DomainEvent::Review(event)))
        .collect();
    fold::<ReviewList>(&recorded).get(&id()).cloned().unwrap()
}

#[test]
fn a_review_is_listed_from_the_question_to_the_answer() {
    let waiting = row(vec![
        asked(),
        opened(),
        ReviewEvent::Reminded(ReviewReminded {
            party: PARTY,
            number: 1,
            token_key: "r".to_owned(),
            message_id: MessageId(Uuid::nil()),
            reminded_at: at("2026-11-04T00:00:00Z"),
        }),
    ]);
    assert_eq!((waiting.status, waiting.rating), (ReviewStatus::Opened, 0));
    assert_eq!((waiting.reminders, waiting.version), (1, 3));
    assert_eq!(waiting.listed_at, at("2026-11-02T00:00:00Z"));
    let answered = row(vec![
        asked(),
        opened(),
        submitted(2),
        ReviewEvent::ExternalClicked(ReviewExternalClicked {
            party: PARTY,
            site: ExternalSite::Google,
            clicked_at: at("2026-11-05T00:01:00Z"),
        }),
    ]);
    assert_eq!(
        (answered.status, answered.rating, answered.escalated),
        (ReviewStatus::Submitted, 2, 1)
    );
    assert_eq!(answered.answered_through, AnsweredThrough::FirstReminder);
    assert_eq!(answered.respond_secs, 3 * 86_400);
    assert_eq!(answered.listed_at, at("2026-11-05T00:00:00Z"));
    assert_eq!(
        (answered.clicks, answered.clicked),
        (1, vec![ExternalSite::Google])
    );
    assert_eq!(answered.shown.len(), 1);
    assert_eq!(answered.shown[0].url, "https://g.page/new");
    assert_eq!(row(vec![asked(), submitted(3)]).escalated, 0);
}

#[test]
fn a_further_link_after_the_end_opens_it_again() {
    let expired = ReviewEvent::Expired(ReviewExpired {
        party: PARTY,
        expired_at: at("2026-12-02T00:00:00Z"),
    });
    let over = row(vec![asked(), expired.clone()]);
    assert_eq!(over.status, ReviewStatus::Expired);
    assert!(over.ended_at.is_some());
    let again = issued(SentAs::ByStaff, "2026-12-10T00:00:00Z", "2027-01-09T00:00:00Z");
    let open = row(vec![asked(), expired, again.clone()]);
    assert_eq!((open.status, open.ended_at), (ReviewStatus::Pending, None));
    assert_eq!(open.expires_at, at("2027-01-09T00:00:00Z"));
    assert_eq!(open.issued_at, at("2026-11-02T00:00:00Z"));
    assert_eq!(row(vec![asked(), opened(), again]).status, ReviewStatus::Opened);
    let cancelled = row(vec![
        asked(),
        ReviewEvent::Cancelled(ReviewCancelled {
            party: PARTY,
            because: ReviewCancelledBecause::BookingDeleted,
            cancelled_at: at("2026-11-03T00:00:00Z"),
        }),
    ]);
    assert_eq!(cancelled.status, ReviewStatus::Cancelled);
}

#[test]
fn what_the_company_does_is_shown_with_the_review() {
    let approved = ReviewEvent::Approved(ReviewApproved {
        party: PARTY,
        before: Moderation::Awaiting,
        reason: None,
        approved_at: at("2026-11-06T00:00:00Z"),
    });
    let rejected = ReviewEvent::Rejected(ReviewRejected {
        party: PARTY,
        before: Moderation::Approved,
        reason: "names a guest".to_owned(),
        rejected_at: at("2026-11-07T00:00:00Z"),
    });
    let replied = ReviewEvent::Replied(ReviewReplied {
        party: PARTY,
        text: sealed("sorry"),
        replied_at: at("2026-11-06T01:00:00Z"),
    });
    let granted = ReviewEvent::CouponGranted(ReviewCouponGranted {
        party: PARTY,
        promo_id: PromoCodeId(Uuid::nil()),
        code: "SORRY-1".to_owned(),
        discount: Discount::Percent {
            rate_ppm: RatePpm(100_000),
        },
        ends_at: at("2027-05-01T00:00:00Z"),
        reason: "cold rice".to_owned(),
        granted_at: at("2026-11-06T02:00:00Z"),
    });
    let published = row(vec![asked(), submitted(1), approved.clone(), replied, granted]);
    assert_eq!(published.moderation, Moderation::Approved);
    assert_eq!(published.coupon.as_deref(), Some("SORRY-1"));
    assert!(published.reply.is_some());
    let kept_back = row(vec![asked(), submitted(1), approved, rejected]);
    assert_eq!(kept_back.moderation, Moderation::Rejected);
    assert_eq!(kept_back.moderation_reason.as_deref(), Some("names a guest"));
}
