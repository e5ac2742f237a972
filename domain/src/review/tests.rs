use super::*;
use crate::decider::{Decider, Refusal};
use crate::ids::{CustomerId, StationId, SubjectId};
use crate::money::RatePpm;

const PARTY: ReviewedParty = ReviewedParty {
    booking_id: BookingId(Uuid::from_u128(1)),
    customer_id: CustomerId(Uuid::from_u128(2)),
    station_id: StationId(Uuid::from_u128(3)),
};
const HELD: &str = "2026-11-20T03:00:00Z";
const ASKED: &str = "2026-11-21T03:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn sealed() -> Option<Sealed> {
    Some(Sealed {
        subject: SubjectId(PARTY.customer_id.0),
        sealed: "words".to_owned(),
    })
}

fn ask(token: &str, by: IssuedBy, now: &str) -> ReviewCommand {
    ReviewCommand::IssueLink(Box::new(IssueLink {
        party: PARTY,
        number: "4K7QX-93ZPA".to_owned(),
        event_on: "2026-11-19".parse().unwrap(),
        chefs: Vec::new(),
        held_at: Some(at(HELD)),
        by,
        token_key: token.to_owned(),
        message_id: None,
        now: at(now),
    }))
}

fn remind(number: i32, now: &str) -> ReviewCommand {
    ReviewCommand::Remind {
        number,
        token_key: format!("reminder {number}"),
        message_id: MessageId(Uuid::nil()),
        now: at(now),
    }
}

fn open(token: &str, now: &str) -> ReviewCommand {
    ReviewCommand::Open {
        token_key: token.to_owned(),
        practice: practice(),
        now: at(now),
    }
}

fn practice() -> ReviewPractice {
    ReviewPractice {
        settings: ReviewSettings {
            links: vec![ExternalLink {
                site: ExternalSite::Google,
                url: "https://g.page/r/ours".to_owned(),
                station_id: None,
            }],
            ..ReviewSettings::default()
        },
        ..ReviewPractice::default()
    }
}

fn answer(token: &str, rating: i32, text: Option<Sealed>, now: &str) -> SubmitReview {
    SubmitReview {
        token_key: token.to_owned(),
        rating,
        text,
        public_name: None,
        media: Vec::new(),
        practice: practice(),
        now: at(now),
    }
}

fn submit(token: &str, rating: i32, text: Option<Sealed>, now: &str) -> ReviewCommand {
    ReviewCommand::Submit(Box::new(answer(token, rating, text, now)))
}

fn click(site: ExternalSite) -> ReviewCommand {
    ReviewCommand::Click {
        token_key: "first".to_owned(),
        site,
        now: at("2026-11-22T00:00:00Z"),
    }
}

fn coupon() -> ReviewCommand {
    ReviewCommand::GrantCoupon {
        promo_id: PromoCodeId(Uuid::nil()),
        code: "SORRY-1".to_owned(),
        discount: Discount::Percent {
            rate_ppm: RatePpm(100_000),
        },
        ends_at: at("2027-05-21T00:00:00Z"),
        reason: "the rice was cold".to_owned(),
        now: at("2026-11-23T00:00:00Z"),
    }
}

/// A review to which commands were given; all of them must be taken.
fn given(commands: Vec<ReviewCommand>) -> Review {
    let mut review = Review::default();
    for command in commands {
        for event in review.decide(command).unwrap() {
            review.evolve(&event);
        }
    }
    review
}

fn asked() -> Review {
    given(vec![ask("first", IssuedBy::Policy, ASKED)])
}

fn rated(rating: i32) -> Review {
    given(vec![
        ask("first", IssuedBy::Policy, ASKED),
        open("first", "2026-11-21T10:00:00Z"),
        submit("first", rating, sealed(), "2026-11-21T10:05:00Z"),
    ])
}

fn refused(review: &Review, command: ReviewCommand) -> &'static str {
    review.decide(command).unwrap_err().code()
}

#[test]
fn a_customer_is_asked_once_and_a_link_is_good_for_thirty_days() {
    let review = asked();
    assert_eq!(review.expires_at(), Some(at("2026-12-21T03:00:00Z")));
    assert_eq!(
        refused(&review, ask("again", IssuedBy::Policy, ASKED)),
        "ALREADY_EXISTS"
    );
    let late = submit("first", 5, None, "2026-12-21T03:00:00Z");
    assert_eq!(refused(&review, late), "LINK_EXPIRED");
    assert!(
        review
            .decide(submit("first", 5, None, "2026-12-21T02:59:59Z"))
            .is_ok()
    );
}

#[test]
fn nobody_is_asked_before_the_party_was_held_or_long_after() {
    let nothing = Review::default();
    let late = ask("first", IssuedBy::Policy, "2026-12-05T00:00:00Z");
    assert_eq!(refused(&nothing, late), "REVIEW_TOO_LATE");
    let ReviewCommand::IssueLink(mut early) = ask("first", IssuedBy::Staff, ASKED) else {
        panic!("it is one");
    };
    early.held_at = None;
    assert_eq!(
        refused(&nothing, ReviewCommand::IssueLink(early)),
        "REVIEW_NOT_COMPLETED"
    );
    let by_hand = ask("first", IssuedBy::Staff, "2026-12-05T00:00:00Z");
    assert!(nothing.decide(by_hand).is_ok());
}

#[test]
fn a_further_link_of_staff_is_as_good_as_the_first_and_no_better() {
    let review = given(vec![
        ask("first", IssuedBy::Policy, ASKED),
        ask("second", IssuedBy::Staff, "2026-11-25T00:00:00Z"),
    ]);
    assert_eq!(review.expires_at(), Some(at("2026-12-21T03:00:00Z")));
    let now = at("2026-11-26T00:00:00Z");
    assert_eq!(review.answerable("first", now).unwrap().1, SentAs::Request);
    assert_eq!(review.answerable("second", now).unwrap().1, SentAs::ByStaff);
    assert_eq!(
        review.answerable("third", now).unwrap_err(),
        ReviewError::LinkUnknown
    );
}

#[test]
fn a_link_of_staff_after_the_end_is_good_for_another_thirty_days() {
    let review = given(vec![
        ask("first", IssuedBy::Policy, ASKED),
        ReviewCommand::Expire {
            now: at("2026-12-21T03:00:00Z"),
        },
        ask("second", IssuedBy::Staff, "2027-01-01T00:00:00Z"),
    ]);
    assert_eq!(review.status(), Some(ReviewStatus::Pending));
    assert_eq!(review.expires_at(), Some(at("2027-01-31T00:00:00Z")));
    assert_eq!(
        refused(&rated(5), ask("more", IssuedBy::Staff, ASKED)),
        "LINK_USED"
    );
}

#[test]
fn a_reminder_goes_out_once_and_its_link_works_beside_the_first() {
    let review = given(vec![
        ask("first", IssuedBy::Policy, ASKED),
        remind(1, "2026-11-23T03:00:00Z"),
    ]);
    assert_eq!(
        refused(&review, remind(1, "2026-11-23T03:00:00Z")),
        "ALREADY_REMINDED"
    );
    assert!(review.decide(remind(2, "2026-11-27T03:00:00Z")).is_ok());
    let submitted = review.decide(submit("reminder 1", 5, None, "2026-11-24T00:00:00Z"));
    let ReviewEvent::Submitted(submitted) = submitted.unwrap().remove(0) else {
        panic!("it is one");
    };
    assert_eq!(submitted.sent_as, SentAs::FirstReminder);
    assert_eq!(refused(&rated(4), remind(1, "2026-11-23T03:00:00Z")), "LINK_USED");
}

#[test]
fn a_link_that_is_over_says_how() {
    let now = "2026-11-25T00:00:00Z";
    assert_eq!(refused(&rated(5), submit("first", 1, sealed(), now)), "LINK_USED");
    let cancelled = given(vec![
        ask("first", IssuedBy::Policy, ASKED),
        ReviewCommand::Cancel {
            because: ReviewCancelledBecause::BookingDeleted,
            now: at(now),
        },
    ]);
    assert_eq!(refused(&cancelled, open("first", now)), "LINK_CANCELLED");
    let early = ReviewCommand::Expire { now: at(now) };
    assert_eq!(refused(&asked(), early), "LINK_NOT_EXPIRED");
    let expired = given(vec![
        ask("first", IssuedBy::Policy, ASKED),
        ReviewCommand::Expire {
            now: at("2026-12-21T03:00:00Z"),
        },
    ]);
    assert_eq!(refused(&expired, open("first", now)), "LINK_EXPIRED");
    let nothing = Review::default();
    assert_eq!(refused(&nothing, open("first", now)), "LINK_UNKNOWN");
    assert_eq!(refused(&nothing, remind(1, now)), "NOT_FOUND");
}

#[test]
fn the_first_opening_says_what_was_shown_and_later_ones_nothing() {
    let review = given(vec![
        ask("first", IssuedBy::Policy, ASKED),
        open("first", "2026-11-21T10:00:00Z"),
    ]);
    assert_eq!(review.status(), Some(ReviewStatus::Opened));
    assert_eq!(review.shown(ExternalSite::Google), Some("https://g.page/r/ours"));
    assert_eq!(
        refused(&review, open("first", "2026-11-21T11:00:00Z")),
        "LINK_OPENED"
    );
}

#[test]
fn a_low_rating_needs_words_and_the_others_do_not() {
    let now = "2026-11-21T10:00:00Z";
    for rating in [1, 2] {
        assert_eq!(
            refused(&asked(), submit("first", rating, None, now)),
            "TEXT_REQUIRED"
        );
        assert!(asked().decide(submit("first", rating, sealed(), now)).is_ok());
    }
    for rating in [3, 4, 5] {
        assert!(asked().decide(submit("first", rating, None, now)).is_ok());
    }
    for rating in [i32::MIN, 0, 6] {
        assert_eq!(
            refused(&asked(), submit("first", rating, sealed(), now)),
            "INVALID_RATING"
        );
    }
}

#[test]
fn a_review_has_five_pictures_and_one_video_at_most() {
    let with = |pictures: usize, videos: usize| {
        let media = |(index, kind)| ReviewMedia {
            sha256: format!("{index:064x}"),
            kind,
            bytes: 1,
        };
        let kinds =
            std::iter::repeat_n(MediaKind::Jpeg, pictures).chain(std::iter::repeat_n(MediaKind::Mov, videos));
        let ask = SubmitReview {
            media: kinds.enumerate().map(media).collect(),
            ..answer("first", 5, None, "2026-11-21T10:00:00Z")
        };
        asked().decide(ReviewCommand::Submit(Box::new(ask)))
    };
    assert!(with(5, 1).is_ok());
    assert_eq!(with(6, 0), Err(ReviewError::TooManyMedia));
    assert_eq!(with(0, 2), Err(ReviewError::TooManyMedia));
}

#[test]
fn a_site_that_was_shown_is_followed_once() {
    let mut review = rated(1);
    assert_eq!(refused(&review, click(ExternalSite::Yelp)), "SITE_NOT_SHOWN");
    assert_eq!(refused(&asked(), click(ExternalSite::Google)), "SITE_NOT_SHOWN");
    let clicked = review.decide(click(ExternalSite::Google)).unwrap().remove(0);
    review.evolve(&clicked);
    assert_eq!(refused(&review, click(ExternalSite::Google)), "SITE_VISITED");
}

#[test]
fn a_review_is_published_when_a_person_says_so_and_that_can_change() {
    let approve = |reason: Option<&str>| ReviewCommand::Approve {
        reason: reason.map(str::to_owned),
        now: at("2026-11-22T00:00:00Z"),
    };
    let reject = |reason: Option<&str>| ReviewCommand::Reject {
        reason: reason.map(str::to_owned),
        now: at("2026-11-22T00:00:00Z"),
    };
    assert_eq!(refused(&asked(), approve(None)), "REVIEW_NOT_SUBMITTED");
    assert_eq!(refused(&asked(), reject(Some("spam"))), "REVIEW_NOT_SUBMITTED");
    let mut review = rated(2);
    assert_eq!(refused(&review, reject(None)), "INVALID_REASON");
    assert_eq!(refused(&review, reject(Some("no"))), "INVALID_REASON");
    assert_eq!(refused(&review, approve(Some("ok"))), "INVALID_REASON");
    for (command, moderation) in [
        (approve(None), Moderation::Approved),
        (reject(Some("names a guest")), Moderation::Rejected),
        (approve(Some("the name is gone")), Moderation::Approved),
    ] {
        let event = review.decide(command.clone()).unwrap().remove(0);
        review.evolve(&event);
        assert_eq!(review.moderation(), moderation);
        assert_eq!(refused(&review, command), "UNCHANGED");
    }
}

#[test]
fn a_reply_is_for_a_review_that_is_in() {
    let reply = || ReviewCommand::Reply {
        text: sealed().unwrap(),
        now: at("2026-11-22T00:00:00Z"),
    };
    assert_eq!(refused(&asked(), reply()), "REVIEW_NOT_SUBMITTED");
    assert!(rated(3).decide(reply()).is_ok());
}

#[test]
fn a_coupon_is_for_the_unhappy_and_given_once() {
    assert_eq!(refused(&asked(), coupon()), "REVIEW_NOT_SUBMITTED");
    assert_eq!(refused(&rated(3), coupon()), "REVIEW_NOT_LOW");
    let mut review = rated(2);
    let ReviewCommand::GrantCoupon {
        promo_id,
        code,
        discount,
        ends_at,
        now,
        ..
    } = coupon()
    else {
        panic!("it is one");
    };
    let unsaid = ReviewCommand::GrantCoupon {
        promo_id,
        code,
        discount,
        ends_at,
        reason: "?".to_owned(),
        now,
    };
    assert_eq!(refused(&review, unsaid), "INVALID_REASON");
    let granted = review.decide(coupon()).unwrap().remove(0);
    review.evolve(&granted);
    assert_eq!(refused(&review, coupon()), "COUPON_GRANTED");
}

#[test]
fn words_are_trimmed_and_not_too_long() {
    assert_eq!(check_text(Some("  ")), Ok(None));
    assert_eq!(check_text(Some(" good ")), Ok(Some("good".to_owned())));
    assert_eq!(check_text(Some(&"ß".repeat(4_001))), Err(ReviewError::BadText));
    assert_eq!(
        check_public_name(Some(&"x".repeat(61))),
        Err(ReviewError::BadName)
    );
}

#[test]
fn a_booking_has_one_review_for_ever() {
    let booking = BookingId(Uuid::from_u128(7));
    assert_eq!(ReviewId::of(booking), ReviewId::of(booking));
    assert_ne!(ReviewId::of(booking), ReviewId::of(PARTY.booking_id));
}
