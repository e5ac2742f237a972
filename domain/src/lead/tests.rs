use super::*;
use crate::customer::Contact;
use crate::decider::{Event, Refusal};
use crate::guests::Guests;
use crate::ids::SubjectId;

const CAPTURED: &str = "2026-01-15T18:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn subject(number: u128) -> SubjectId {
    SubjectId(uuid::Uuid::from_u128(number))
}

fn sealed() -> Sealed {
    Sealed {
        subject: subject(1),
        sealed: String::new(),
    }
}

fn capture() -> LeadCommand {
    LeadCommand::Capture(Box::new(LeadCaptured {
        contact: Contact {
            name: sealed(),
            email: None,
            phone: None,
        },
        station_id: StationId(uuid::Uuid::nil()),
        zip: "95112".parse().unwrap(),
        wanted_start: "2026-12-05T18:00:00".parse().unwrap(),
        guests: Guests {
            adults: 12,
            children: 4,
            under6: 0,
        },
        failure: "SLOT_UNAVAILABLE".to_owned(),
        source: None,
        captured_at: at(CAPTURED),
        email_key: None,
        phone_key: None,
        customer_id: None,
        consent: None,
    }))
}

/// The lead, after these.
fn lead(updates: &[LeadUpdate]) -> Lead {
    let mut lead = Lead::default();
    let updates = updates.iter().cloned().map(LeadCommand::Update);
    for command in std::iter::once(capture()).chain(updates) {
        let events = lead.decide(command).unwrap();
        events.iter().for_each(|event| lead.evolve(event));
    }
    lead
}

const NOTHING: LeadUpdate = LeadUpdate {
    status: None,
    note: None,
    reason: None,
    booking_id: None,
    follow_up: None,
    now: DateTime::UNIX_EPOCH,
};

fn update(status: LeadStatus) -> LeadUpdate {
    LeadUpdate {
        status: Some(status),
        reason: (status == LeadStatus::Lost).then(|| "chose another caterer".to_owned()),
        now: at("2026-01-16T18:00:00Z"),
        ..NOTHING
    }
}

fn call(due_at: &str) -> LeadUpdate {
    LeadUpdate {
        follow_up: Some(FollowUp::At(at(due_at))),
        now: at("2026-01-16T18:00:00Z"),
        ..NOTHING
    }
}

fn refused(lead: &Lead, update: LeadUpdate) -> LeadError {
    lead.decide(LeadCommand::Update(update)).unwrap_err()
}

#[test]
fn a_lead_is_captured_once() {
    assert_eq!(lead(&[]).decide(capture()), Err(LeadError::Exists));
    assert_eq!(lead(&[]).status(), LeadStatus::New);
    assert_eq!(
        refused(&Lead::default(), update(LeadStatus::Won)),
        LeadError::NotFound
    );
}

#[test]
fn a_lead_goes_from_new_over_calls_to_won_or_lost_and_only_a_lost_one_can_still_be_won() {
    use LeadStatus::{Contacted, Lost, New, Won};
    let ways: [(&[LeadStatus], LeadStatus, bool); 12] = [
        (&[], Contacted, true),
        (&[], Won, true),
        (&[], Lost, true),
        (&[Contacted], Contacted, true),
        (&[Contacted], Won, true),
        (&[Contacted], Lost, true),
        (&[Lost], Won, true),
        (&[Lost], Contacted, false),
        (&[Lost], Lost, false),
        (&[Won], Contacted, false),
        (&[Won], Won, false),
        (&[Won], Lost, false),
    ];
    for (path, to, goes) in ways {
        let path: Vec<LeadUpdate> = path.iter().copied().map(update).collect();
        let before = lead(&path);
        let decided = before.decide(LeadCommand::Update(update(to)));
        match decided {
            Ok(events) if goes => {
                let mut after = before.clone();
                events.iter().for_each(|event| after.evolve(event));
                assert_eq!((events.len(), after.status()), (1, to));
            }
            Err(LeadError::Over(stands)) if !goes => assert_eq!(stands, before.status()),
            other => panic!("{path:?} to {to:?}: {other:?}"),
        }
        assert_eq!(refused(&before, update(New)), LeadError::NewAgain);
    }
}

#[test]
fn what_is_said_of_a_step_belongs_to_that_step() {
    let with = |status: LeadStatus, change: fn(&mut LeadUpdate)| {
        let mut asked = update(status);
        change(&mut asked);
        refused(&lead(&[]), asked)
    };
    use LeadStatus::{Contacted, Lost, Won};
    let note: fn(&mut LeadUpdate) = |asked| asked.note = Some(sealed());
    let booking: fn(&mut LeadUpdate) = |asked| asked.booking_id = Some(BookingId(uuid::Uuid::nil()));
    let reason: fn(&mut LeadUpdate) = |asked| asked.reason = Some("as it is".to_owned());
    assert_eq!(with(Won, note), LeadError::NoteOfNoCall);
    assert_eq!(with(Lost, booking), LeadError::BookingOfNoWin);
    assert_eq!(with(Contacted, reason), LeadError::ReasonOfNoLoss);
    for bad in [None, Some(" no ".to_owned()), Some("x".repeat(501))] {
        let asked = LeadUpdate {
            reason: bad,
            ..update(Lost)
        };
        assert_eq!(refused(&lead(&[]), asked), LeadError::BadReason);
    }
    assert_eq!(refused(&lead(&[]), NOTHING), LeadError::Unchanged);
}

#[test]
fn a_lead_is_called_at_a_time_that_is_set_moved_and_met() {
    let set = lead(&[call("2026-01-20T18:00:00Z")]);
    let moved = set
        .decide(LeadCommand::Update(call("2026-01-21T18:00:00Z")))
        .unwrap();
    let [LeadEvent::FollowUpSet(moved)] = moved.as_slice() else {
        panic!("{moved:?}");
    };
    assert_eq!(moved.before, Some(at("2026-01-20T18:00:00Z")));
    assert_eq!(refused(&set, call("2026-01-20T18:00:00Z")), LeadError::Unchanged);
    let done = LeadUpdate {
        follow_up: Some(FollowUp::Done),
        ..update(LeadStatus::Contacted)
    };
    let events = set.decide(LeadCommand::Update(done.clone())).unwrap();
    assert!(matches!(
        events.as_slice(),
        [LeadEvent::Contacted(_), LeadEvent::FollowUpDone(_)]
    ));
    assert_eq!(refused(&lead(&[]), done.clone()), LeadError::NoFollowUp);
    for bad in ["2026-01-16T18:00:00Z", "2027-01-17T18:00:01Z"] {
        assert_eq!(refused(&lead(&[]), call(bad)), LeadError::BadDueAt, "{bad}");
    }
    let over = lead(&[call("2026-01-20T18:00:00Z"), update(LeadStatus::Lost)]);
    assert_eq!(
        refused(&over, call("2026-01-21T18:00:00Z")),
        LeadError::Over(LeadStatus::Lost)
    );
    let done = LeadUpdate { status: None, ..done };
    assert_eq!(
        refused(&over, done),
        LeadError::NoFollowUp,
        "it ends with the lead"
    );
    let both = LeadUpdate {
        follow_up: Some(FollowUp::At(at("2026-01-20T18:00:00Z"))),
        ..update(LeadStatus::Won)
    };
    assert_eq!(refused(&lead(&[]), both), LeadError::FollowUpOfNone);
}

fn purge(of: u128, months: u32, now: &str) -> LeadCommand {
    LeadCommand::Purge {
        destroyed: DestroyedKey {
            subject: subject(of),
            key_id: None,
        },
        months,
        now: at(now),
    }
}

#[test]
fn personal_data_goes_when_its_months_are_over_once_and_only_with_the_leads_own_key() {
    let mut lead = lead(&[call("2026-01-20T18:00:00Z")]);
    let early = purge(1, 12, "2027-01-15T17:59:59Z");
    assert_eq!(lead.decide(early), Err(LeadError::StillKept));
    let customers = purge(2, 12, "2027-01-15T18:00:00Z");
    assert_eq!(lead.decide(customers), Err(LeadError::OfCustomer));
    let due = purge(1, 12, "2027-01-15T18:00:00Z");
    let events = lead.decide(due.clone()).unwrap();
    assert_eq!(events[0].erases(), [subject(1)]);
    lead.evolve(&events[0]);
    assert_eq!(lead.decide(due), Err(LeadError::Purged));
    for update in [update(LeadStatus::Won), call("2027-01-20T18:00:00Z")] {
        assert_eq!(refused(&lead, update), LeadError::Purged);
    }
    assert_eq!(lead.status(), LeadStatus::New, "what it came to is still told");
}

#[test]
fn each_refusal_names_its_code() {
    for (error, code) in [
        (LeadError::ConsentRequired, "CONSENT_REQUIRED"),
        (LeadError::BadTextVersion, "INVALID_TEXT_VERSION"),
        (LeadError::BadSource, "INVALID_SOURCE"),
        (LeadError::Over(LeadStatus::Won), "WRONG_STATE"),
        (LeadError::Purged, "LEAD_PURGED"),
    ] {
        assert_eq!(error.code(), code);
        assert!(!error.field().is_empty(), "{code}");
    }
}
