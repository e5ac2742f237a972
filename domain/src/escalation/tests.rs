use super::*;
use crate::decider::Decider;

fn at(minute: i64) -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minute)
}

fn person(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

fn about_a_conversation() -> EscalationOpened {
    EscalationOpened {
        source: EscalationSource::Keyword,
        severity: Severity::WORST,
        code: "lawyer".to_owned(),
        reason: "the customer said: lawyer".to_owned(),
        subject: EscalationSubject {
            conversation_id: Some(ConversationId(Uuid::from_u128(1))),
            ..EscalationSubject::default()
        },
        station_id: None,
        customer_id: None,
        target_at: at(15),
        opened_at: at(0),
    }
}

fn done(escalation: &mut Escalation, command: EscalationCommand) -> Result<(), EscalationError> {
    let events = escalation.decide(command)?;
    events.iter().for_each(|event| escalation.evolve(event));
    Ok(())
}

fn opened(opened: EscalationOpened) -> Escalation {
    let mut escalation = Escalation::default();
    done(&mut escalation, EscalationCommand::Open(opened)).unwrap();
    escalation
}

fn assign(number: u128) -> EscalationCommand {
    EscalationCommand::Assign {
        assignee: person(number),
        now: at(1),
    }
}

fn join(number: u128) -> EscalationCommand {
    EscalationCommand::Join {
        by: person(number),
        now: at(2),
    }
}

fn resolve(note: &str) -> EscalationCommand {
    EscalationCommand::Resolve {
        note: note.to_owned(),
        now: at(42),
    }
}

fn resume(by: ResumedBy) -> EscalationCommand {
    EscalationCommand::ResumeAssistant { by, now: at(3) }
}

fn survey(score: u8) -> EscalationCommand {
    EscalationCommand::Survey { score, now: at(60) }
}

#[test]
fn it_is_assigned_joined_resolved_and_asked_about() {
    let mut escalation = opened(about_a_conversation());
    for (command, status) in [
        (assign(1), EscalationStatus::Assigned),
        (assign(2), EscalationStatus::Assigned),
        (join(3), EscalationStatus::Joined),
        (assign(4), EscalationStatus::Joined),
        (resolve("called back"), EscalationStatus::Resolved),
        (survey(5), EscalationStatus::Resolved),
    ] {
        done(&mut escalation, command).unwrap();
        assert_eq!(escalation.status(), Some(status));
    }
}

#[test]
fn how_long_it_was_open_is_in_the_event_of_its_end() {
    let escalation = opened(about_a_conversation());
    let events = escalation.decide(resolve(" called back ")).unwrap();
    let [EscalationEvent::Resolved(resolved)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(resolved.minutes_open, 42);
    assert_eq!(resolved.note, "called back");
    assert_eq!(resolved.was, EscalationStatus::Open);
}

#[test]
fn what_is_not_there_or_over_refuses_with_a_code() {
    let nothing = Escalation::default();
    for command in [
        assign(1),
        join(1),
        resolve("done"),
        resume(ResumedBy::Staff),
        survey(1),
    ] {
        assert_eq!(nothing.decide(command), Err(EscalationError::NotFound));
    }
    let mut escalation = opened(about_a_conversation());
    assert_eq!(
        escalation.decide(EscalationCommand::Open(about_a_conversation())),
        Err(EscalationError::Exists)
    );
    assert_eq!(escalation.decide(survey(1)), Err(EscalationError::NotResolved));
    assert_eq!(escalation.decide(resolve("ok")), Err(EscalationError::BadNote));
    done(&mut escalation, assign(1)).unwrap();
    assert_eq!(escalation.decide(assign(1)), Err(EscalationError::SamePerson));
    done(&mut escalation, join(1)).unwrap();
    assert_eq!(escalation.decide(join(2)), Err(EscalationError::HumanJoined));
    done(&mut escalation, resolve("done")).unwrap();
    for command in [assign(2), join(1), resolve("done"), resume(ResumedBy::Staff)] {
        assert_eq!(escalation.decide(command), Err(EscalationError::Resolved));
    }
    assert_eq!(escalation.decide(survey(0)), Err(EscalationError::BadScore));
    assert_eq!(escalation.decide(survey(6)), Err(EscalationError::BadScore));
    done(&mut escalation, survey(1)).unwrap();
    assert_eq!(escalation.decide(survey(1)), Err(EscalationError::Surveyed));
}

#[test]
fn the_assistant_comes_back_of_itself_only_while_nobody_has_joined() {
    let mut escalation = opened(about_a_conversation());
    done(&mut escalation, resume(ResumedBy::Auto)).unwrap();
    assert_eq!(escalation.status(), Some(EscalationStatus::Open));
    done(&mut escalation, join(1)).unwrap();
    assert_eq!(
        escalation.decide(resume(ResumedBy::Auto)),
        Err(EscalationError::HumanJoined)
    );
    done(&mut escalation, resume(ResumedBy::Staff)).unwrap();
    assert_eq!(escalation.status(), Some(EscalationStatus::Assigned));
}

#[test]
fn an_escalation_about_no_conversation_has_no_assistant_to_bring_back() {
    let escalation = opened(EscalationOpened {
        subject: EscalationSubject::default(),
        ..about_a_conversation()
    });
    assert_eq!(
        escalation.decide(resume(ResumedBy::Staff)),
        Err(EscalationError::NoConversation)
    );
}

#[test]
fn a_reason_says_something() {
    let said = |reason: &str| {
        Escalation::default().decide(EscalationCommand::Open(EscalationOpened {
            reason: reason.to_owned(),
            ..about_a_conversation()
        }))
    };
    assert_eq!(said("  x "), Err(EscalationError::BadReason));
    assert_eq!(said(&"x".repeat(501)), Err(EscalationError::BadReason));
    assert!(said("the customer asks for a person").is_ok());
}

#[test]
fn the_same_cause_is_the_same_escalation_and_any_other_another() {
    let subject = |number: u128| EscalationSubject {
        payment_id: Some(PaymentId(Uuid::from_u128(number))),
        ..EscalationSubject::default()
    };
    let booking = EscalationSubject {
        booking_id: Some(BookingId(Uuid::from_u128(1))),
        ..EscalationSubject::default()
    };
    let ids = [
        EscalationSource::Payment.escalation(&subject(1), "a"),
        EscalationSource::Dispute.escalation(&subject(1), "a"),
        EscalationSource::Payment.escalation(&subject(2), "a"),
        EscalationSource::Payment.escalation(&subject(1), "b"),
        EscalationSource::Payment.escalation(&booking, "a"),
    ];
    for (index, id) in ids.iter().enumerate() {
        assert_eq!(ids.iter().position(|other| other == id), Some(index));
    }
    assert_eq!(
        EscalationSource::Payment.escalation(&subject(1), "a"),
        EscalationSource::Payment.escalation(&subject(1), "a")
    );
}

#[test]
fn a_severity_is_a_number_from_one_to_three() {
    assert_eq!(serde_json::to_string(&Severity::WORST).unwrap(), "1");
    assert_eq!(serde_json::from_str::<Severity>("3").unwrap(), Severity::MILD);
    assert!(serde_json::from_str::<Severity>("0").is_err());
    assert!(serde_json::from_str::<Severity>("4").is_err());
    assert!(Severity::WORST.target() < Severity::MIDDLE.target());
    assert!(Severity::MIDDLE.target() < Severity::MILD.target());
}

#[test]
fn it_ends_by_itself_only_while_nobody_has_joined() {
    let end = EscalationCommand::End {
        by: EndedBy::Payment,
        now: at(0),
    };
    let mut escalation = opened(about_a_conversation());
    let ended = escalation.decide(end.clone()).unwrap();
    let [EscalationEvent::Resolved(resolved)] = ended.as_slice() else {
        panic!("{ended:?}");
    };
    assert_eq!(
        (resolved.ended_by, resolved.was),
        (Some(EndedBy::Payment), EscalationStatus::Open)
    );
    let join = EscalationCommand::Join {
        by: person(1),
        now: at(0),
    };
    let joined = escalation.decide(join).unwrap();
    joined.iter().for_each(|event| escalation.evolve(event));
    assert_eq!(escalation.decide(end.clone()), Err(EscalationError::HumanJoined));
    let mut over = opened(about_a_conversation());
    ended.iter().for_each(|event| over.evolve(event));
    assert_eq!(over.decide(end), Err(EscalationError::Resolved));
}
