use domain::customer::{Contact, DestroyedKey};
use domain::guests::Guests;
use domain::lead::{LeadContacted, LeadFollowUpDone, LeadFollowUpSet, LeadLost, LeadPurged, LeadWon};

use super::*;
use crate::testing::{BOOKING, STATION, at, fold, recorded, sealed};

const ID: LeadId = LeadId(uuid::Uuid::from_u128(3));

fn captured() -> LeadEvent {
    LeadEvent::Captured(LeadCaptured {
        contact: Contact {
            name: sealed("name"),
            email: None,
            phone: Some(sealed("phone")),
        },
        station_id: STATION,
        zip: "95112".parse().unwrap(),
        wanted_start: "2026-12-05T18:00:00".parse().unwrap(),
        guests: Guests {
            adults: 10,
            children: 2,
            under6: 1,
        },
        failure: "SLOT_UNAVAILABLE".to_owned(),
        source: None,
        captured_at: at("2026-11-01T00:00:00Z"),
        email_key: None,
        phone_key: Some("p".to_owned()),
        customer_id: None,
        consent: None,
    })
}

/// The row after these.
fn row(events: &[LeadEvent]) -> LeadRow {
    let events: Vec<Recorded> = std::iter::once(captured())
        .chain(events.iter().cloned())
        .zip(1..)
        .map(|(event, position)| recorded(position, &ID.to_string(), position, DomainEvent::Lead(event)))
        .collect();
    fold::<LeadList>(&events).get(&ID).unwrap().clone()
}

#[test]
fn a_captured_lead_is_new() {
    let row = row(&[]);
    assert_eq!(
        (row.status, row.guests, row.failure.as_str()),
        (LeadStatus::New, 13, "SLOT_UNAVAILABLE")
    );
    assert_eq!(
        (row.came_from.as_str(), row.wanted_on.to_string().as_str()),
        ("", "2026-12-05")
    );
}

fn contacted(note: Option<&str>) -> LeadEvent {
    LeadEvent::Contacted(LeadContacted {
        station_id: STATION,
        before: LeadStatus::New,
        note: note.map(sealed),
        contacted_at: at("2026-11-02T00:00:00Z"),
    })
}

fn follow_up(due_at: &str) -> LeadEvent {
    LeadEvent::FollowUpSet(LeadFollowUpSet {
        station_id: STATION,
        before: None,
        due_at: at(due_at),
        set_at: at("2026-11-02T00:00:00Z"),
    })
}

#[test]
fn each_step_of_the_work_on_a_lead_shows() {
    let due = "2026-11-05T00:00:00Z";
    let called = row(&[contacted(Some("n")), contacted(None), follow_up(due)]);
    assert_eq!(
        (called.status, called.contacts, called.version),
        (LeadStatus::Contacted, 2, 4)
    );
    assert_eq!(
        (called.note, called.follow_up_at),
        (Some(sealed("n")), Some(at(due)))
    );
    let done = LeadEvent::FollowUpDone(LeadFollowUpDone {
        station_id: STATION,
        due_at: at(due),
        done_at: at(due),
    });
    assert_eq!(row(&[follow_up(due), done]).follow_up_at, None);
    let lost = LeadEvent::Lost(LeadLost {
        station_id: STATION,
        before: LeadStatus::New,
        reason: "too dear".to_owned(),
        lost_at: at("2026-11-06T00:00:00Z"),
    });
    let given_up = row(&[follow_up(due), lost.clone()]);
    assert_eq!(
        (given_up.status, given_up.follow_up_at, given_up.reason.as_deref()),
        (LeadStatus::Lost, None, Some("too dear"))
    );
    let won = LeadEvent::Won(LeadWon {
        station_id: STATION,
        before: LeadStatus::Lost,
        booking_id: Some(BOOKING),
        won_at: at("2026-11-07T00:00:00Z"),
    });
    let back = row(&[lost, won]);
    assert_eq!(
        (back.status, back.booking_id, back.reason),
        (LeadStatus::Won, Some(BOOKING), None)
    );
    assert_eq!(back.closed_at, Some(at("2026-11-07T00:00:00Z")));
    let purged = LeadEvent::Purged(LeadPurged {
        station_id: STATION,
        destroyed: vec![DestroyedKey {
            subject: sealed("name").subject,
            key_id: None,
        }],
        captured_at: at("2026-11-01T00:00:00Z"),
        months: 12,
        purged_at: at("2027-11-01T00:00:00Z"),
    });
    let gone = row(&[follow_up(due), purged]);
    assert_eq!(
        (gone.status, gone.follow_up_at, gone.purged_at.is_some()),
        (LeadStatus::New, None, true)
    );
}

#[test]
fn what_happens_to_a_lead_that_is_not_there_makes_no_row() {
    let event = recorded(1, &ID.to_string(), 1, DomainEvent::Lead(contacted(None)));
    assert!(fold::<LeadList>(&[event]).get(&ID).is_none());
}
