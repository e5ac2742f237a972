use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::decider::Decider;
use crate::ids::SubjectId;
use crate::router::{hear, particulars};

fn at() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn sealed() -> Sealed {
    Sealed {
        subject: SubjectId(Uuid::nil()),
        sealed: "x".to_owned(),
    }
}

fn escalation(number: u128) -> EscalationId {
    EscalationId(Uuid::from_u128(number))
}

fn says(heard: Heard) -> ConversationCommand {
    ConversationCommand::Post(ConversationPost {
        heard,
        channel: ConversationChannel::Web,
        text: sealed(),
        external_id: None,
        from: None,
        customer_id: None,
        station_id: None,
        now: at(),
    })
}

fn customer(text: &str) -> ConversationCommand {
    says(Heard::Customer {
        verdict: hear(text),
        particulars: particulars(text, at().date_naive()),
        escalation_id: escalation(1),
    })
}

fn staff() -> ConversationCommand {
    says(Heard::Staff { by: None })
}

fn answer(to: i64) -> ConversationCommand {
    ConversationCommand::Answer(ConversationAnswer {
        to,
        text: sealed(),
        intent: Intent::Pricing,
        now: at(),
    })
}

fn join() -> ConversationCommand {
    ConversationCommand::Silence {
        escalation_id: escalation(1),
        by: SilencedBy::Person,
        now: at(),
    }
}

fn resume(by: ResumedBy) -> ConversationCommand {
    ConversationCommand::Resume { by, now: at() }
}

fn done(
    conversation: &mut Conversation,
    command: ConversationCommand,
) -> Result<Vec<&'static str>, ConversationError> {
    use crate::decider::Event;
    let events = conversation.decide(command)?;
    events.iter().for_each(|event| conversation.evolve(event));
    Ok(events.iter().map(Event::name).collect())
}

fn after(commands: impl IntoIterator<Item = ConversationCommand>) -> Conversation {
    let mut conversation = Conversation::default();
    for command in commands {
        done(&mut conversation, command).unwrap();
    }
    conversation
}

#[test]
fn the_first_message_begins_the_conversation_and_is_answered_once() {
    let mut conversation = Conversation::default();
    let began = done(&mut conversation, customer("how much is it for 20 guests?")).unwrap();
    assert_eq!(began, ["conversation.started", "conversation.message_posted"]);
    assert_eq!(conversation.to_answer().map(|waits| waits.number), Some(1));
    done(&mut conversation, answer(1)).unwrap();
    assert_eq!(conversation.decide(answer(1)), Err(ConversationError::Answered));
    assert_eq!(conversation.messages(), 2);
}

#[test]
fn a_message_that_came_before_another_is_not_answered_any_more() {
    let conversation = after([customer("what is on the menu?"), customer("and the price?")]);
    assert_eq!(conversation.decide(answer(1)), Err(ConversationError::Answered));
    assert!(conversation.decide(answer(2)).is_ok());
}

#[test]
fn a_word_for_a_person_silences_and_what_the_assistant_may_answer_brings_it_back() {
    let mut conversation = Conversation::default();
    let silenced = done(&mut conversation, customer("I want to speak to a manager")).unwrap();
    assert_eq!(silenced[2], "conversation.assistant_silenced");
    assert_eq!(conversation.silenced_by(), Some(escalation(1)));
    assert_eq!(
        conversation.decide(answer(1)),
        Err(ConversationError::AssistantSilent)
    );
    // Nothing that it may answer: it stays silent, and no second escalation is opened.
    assert_eq!(done(&mut conversation, customer("hello?")).unwrap().len(), 1);
    assert_eq!(
        done(&mut conversation, customer("a manager please"))
            .unwrap()
            .len(),
        1
    );
    let resumed = done(&mut conversation, customer("what is the price?")).unwrap();
    assert_eq!(resumed[1], "conversation.assistant_resumed");
    assert_eq!(conversation.to_answer().map(|waits| waits.number), Some(4));
}

#[test]
fn nothing_but_staff_ends_the_silence_once_a_person_has_joined() {
    let mut conversation = after([customer("this is unacceptable"), join()]);
    assert_eq!(
        done(&mut conversation, customer("what is the price?")).unwrap(),
        ["conversation.message_posted"]
    );
    assert_eq!(
        conversation.decide(answer(2)),
        Err(ConversationError::AssistantSilent)
    );
    assert_eq!(done(&mut conversation, join()).unwrap().len(), 0);
    done(&mut conversation, resume(ResumedBy::Staff)).unwrap();
    // What was said to the person is not answered late.
    assert_eq!(conversation.to_answer(), None);
    done(&mut conversation, customer("and what about vegans?")).unwrap();
    assert_eq!(conversation.to_answer().map(|waits| waits.number), Some(3));
}

#[test]
fn what_is_said_of_the_party_is_remembered_and_goes_on_with_what_was_answered() {
    let conversation = after([
        customer("how much is it?"),
        answer(1),
        customer("20 people in 95112"),
    ]);
    assert_eq!(conversation.topic(), Some(Intent::Pricing));
    assert_eq!(conversation.particulars().adults, Some(20));
    let other = after([
        customer("how much is it for 20 people?"),
        answer(1),
        customer("thanks"),
    ]);
    assert_eq!(other.topic(), Some(Intent::Other));
}

#[test]
fn what_is_not_there_or_not_silent_refuses() {
    let nothing = Conversation::default();
    for command in [answer(1), join(), resume(ResumedBy::Staff)] {
        assert_eq!(nothing.decide(command), Err(ConversationError::NotFound));
    }
    let talking = after([customer("hi")]);
    assert_eq!(
        talking.decide(resume(ResumedBy::Staff)),
        Err(ConversationError::NotSilent)
    );
    assert_eq!(
        ConversationChannel::parse("pigeon"),
        Err(ConversationError::BadChannel)
    );
    assert_eq!(ConversationChannel::parse(" SMS "), Ok(ConversationChannel::Sms));
}

#[test]
fn a_providers_message_is_claimed_once() {
    let ConversationCommand::Post(post) = customer("hi") else {
        panic!("it is a post");
    };
    let events = Conversation::default().decide(ConversationCommand::Post(ConversationPost {
        external_id: Some("SM1".to_owned()),
        channel: ConversationChannel::Sms,
        ..post
    }));
    let claims: Vec<Claim> = events
        .unwrap()
        .iter()
        .flat_map(crate::decider::Event::claims)
        .collect();
    assert_eq!(
        claims,
        [Claim::TakeUnique {
            scope: MESSAGE_EXTERNAL.into(),
            key: "sms:SM1".to_owned()
        }]
    );
}

#[test]
fn the_same_thread_is_the_same_conversation_and_another_channel_another() {
    let of = conversation_of;
    assert_eq!(
        of(ConversationChannel::Sms, "1"),
        of(ConversationChannel::Sms, "1")
    );
    assert_ne!(
        of(ConversationChannel::Sms, "1"),
        of(ConversationChannel::Whatsapp, "1")
    );
}

proptest! {
    /// Whatever happens, the changes of the need of a person add up to whether one is needed, and the assistant is never
    /// heard while it is silent.
    #[test]
    fn needs_of_a_person_add_up_and_the_silent_assistant_says_nothing(
        steps in prop::collection::vec(0_usize..9, 1..40)
    ) {
        let mut conversation = Conversation::default();
        let mut count = 0;
        for step in steps {
            let last = conversation.messages();
            let command = match step {
                0 => customer("what is the price?"),
                1 => customer("I am angry"),
                2 => customer("hello"),
                3 => staff(),
                4 => join(),
                5 => resume(ResumedBy::Staff),
                6 => resume(ResumedBy::Resolution),
                _ => answer(last),
            };
            let silent = conversation.silenced_by().is_some();
            let answers = matches!(command, ConversationCommand::Answer(_));
            let Ok(events) = conversation.decide(command) else { continue };
            prop_assert!(!(silent && answers));
            for event in &events {
                conversation.evolve(event);
                count += event.human_need().map_or(0, |need| if need.is_needed { 1 } else { -1 });
            }
            prop_assert!(count == 0 || count == 1);
            if conversation.silenced_by().is_some() {
                prop_assert_eq!(count, 1);
            }
        }
    }
}

/// A text message, from an address that takes answers or not.
fn texted(text: &str, from: Option<Sealed>) -> ConversationCommand {
    let ConversationCommand::Post(post) = customer(text) else {
        panic!("it is a post");
    };
    ConversationCommand::Post(ConversationPost {
        channel: ConversationChannel::Sms,
        external_id: Some("SM1".to_owned()),
        from,
        ..post
    })
}

fn settle(message: i64, outcome: AnswerOutcome) -> ConversationCommand {
    ConversationCommand::Settle {
        message,
        outcome,
        now: at(),
    }
}

fn sent() -> AnswerOutcome {
    AnswerOutcome::Sent {
        channel: MessageChannel::Sms,
        carrier: "log".to_owned(),
        carrier_id: None,
    }
}

fn failed() -> AnswerOutcome {
    AnswerOutcome::Undelivered {
        because: UndeliveredBecause::Failed,
        code: Some("REFUSED".to_owned()),
        attempts: Some(1),
    }
}

#[test]
fn an_answer_to_a_text_message_goes_out_once_and_in_its_turn() {
    let mut conversation = after([texted("how much is it?", Some(sealed())), answer(1)]);
    let ConversationCommand::Post(post) = staff() else {
        panic!("it is a post");
    };
    let by_text = ConversationPost {
        channel: ConversationChannel::Sms,
        ..post
    };
    done(&mut conversation, ConversationCommand::Post(by_text)).unwrap();
    // What is said elsewhere stays there.
    done(&mut conversation, staff()).unwrap();
    let waiting = [3, 4, 5].map(|version| conversation.outgoing(version));
    assert_eq!(waiting, [Some(Outgoing::Waits), Some(Outgoing::Waits), None]);
    assert!(conversation.another_first(4) && !conversation.another_first(3));
    assert_eq!(
        done(&mut conversation, settle(3, failed())).unwrap(),
        ["conversation.answer_undelivered"]
    );
    assert!(!conversation.another_first(4));
    assert_eq!(
        done(&mut conversation, settle(4, sent())).unwrap(),
        ["conversation.answer_sent"]
    );
    for settled in [4, 5] {
        let refused = done(&mut conversation, settle(settled, sent()));
        assert_eq!(refused, Err(ConversationError::NotOutgoing));
    }
    // A person lets it be tried again.
    done(&mut conversation, settle(3, sent())).unwrap();
    assert_eq!(conversation.outgoing(3), None);
}

#[test]
fn nothing_goes_out_to_whom_wants_no_more_nor_by_a_channel_that_takes_nothing() {
    let stopped = after([texted("hi", Some(sealed())), texted("stop", None), answer(2)]);
    assert_eq!((stopped.reply_to(), stopped.outgoing(4)), (None, None));
    let web = after([customer("how much is it?"), answer(1)]);
    assert_eq!((web.reply_to(), web.outgoing(3)), (None, None));
    // Somebody writes down what the customer says on the telephone.
    let called = after([texted("hi", Some(sealed())), customer("on the phone")]);
    assert!(called.reply_to().is_some());
}

#[test]
fn who_has_just_written_expects_an_answer_at_any_hour() {
    let to = ReplyTo {
        channel: ConversationChannel::Sms,
        address: sealed(),
        written_at: at(),
    };
    let after = |minutes| to.is_expecting(at() + chrono::TimeDelta::minutes(minutes));
    assert!(after(0) && after(14) && !after(15));
}
