//! What customers of the demo ask and complain about, and how the staff takes it over.

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use commands::conversation::{MessageInput, ReceivedMessage, Speaker};
use domain::conversation::ConversationChannel::{self, Email, Instagram, Sms, Web, Whatsapp};
use domain::conversation::conversation_of;
use domain::escalation::{EscalationOpened, EscalationSource};
use domain::ids::{ConversationId, CustomerId, EscalationId, StationId};

use super::aside::Task;
use super::bookings::{Play, happened};

/// A conversation that is planned.
#[derive(Debug, Clone)]
pub(super) struct Talk {
    script: &'static Script,
    ends: Ends,
    begins_at: DateTime<Utc>,
}

/// What a customer says next: the number of the words, from 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line(usize);

/// What the staff does about an escalation.
#[derive(Debug, Clone, Copy)]
pub(super) enum EscalationAct {
    /// It is somebody's to see to.
    Assign,
    /// Somebody takes it over.
    Join,
    /// Somebody writes to the customer.
    Say(ConversationId, ConversationChannel, &'static str),
    /// It was seen to.
    Resolve(&'static str),
    /// The customer says how well.
    Survey(u8),
}

/// How far an escalation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Nobody has looked yet.
    Open,
    /// It is somebody's to see to.
    Assigned,
    /// Somebody is at it.
    Joined,
    /// It was seen to; the customer says how well, or nothing.
    Resolved(Option<u8>),
}

/// What is said in a conversation.
#[derive(Debug)]
struct Script {
    channel: ConversationChannel,
    who: Who,
    /// What the customer says, each with the minutes from the beginning.
    says: &'static [(i64, &'static str)],
    /// What the staff says once it has taken over, and what it notes in the end.
    help: Option<(&'static str, &'static str)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Who {
    /// Somebody who has booked.
    Booker,
    /// Nobody knows.
    Stranger,
}

const fn asks(channel: ConversationChannel, who: Who, says: &'static [(i64, &'static str)]) -> Script {
    Script {
        channel,
        who,
        says,
        help: None,
    }
}

const fn calls(
    channel: ConversationChannel,
    who: Who,
    says: &'static [(i64, &'static str)],
    help: (&'static str, &'static str),
) -> Script {
    Script {
        channel,
        who,
        says,
        help: Some(help),
    }
}

/// Conversations, in turns.
static SCRIPTS: [Script; 12] = [
    asks(
        Web,
        Who::Stranger,
        &[
            (0, "Hi! How much is it for 14 adults and 3 kids?"),
            (2, "It's in 95112, next Saturday"),
            (6, "Thanks so much!"),
        ],
    ),
    calls(
        Sms,
        Who::Booker,
        &[
            (0, "The chef was an hour late and I am so angry right now"),
            (25, "ok, thank you for calling back"),
        ],
        (
            "I am sorry about last night. I have just tried to call you; we would like to give part of the price back.",
            "called the customer and gave a part of the price back",
        ),
    ),
    asks(
        Email,
        Who::Stranger,
        &[(
            0,
            "Do you have vegetarian options? One of us is allergic to shellfish.",
        )],
    ),
    asks(
        Web,
        Who::Stranger,
        &[(0, "Are you free next Friday?"), (1, "we are 20 people in 94086")],
    ),
    calls(
        Whatsapp,
        Who::Booker,
        &[(0, "Can I speak to a person? I want to move our party")],
        (
            "Hello! Which day would suit you? I will look at our chefs.",
            "moved the party together with the customer",
        ),
    ),
    asks(
        Sms,
        Who::Booker,
        &[
            (0, "What is your cancellation policy?"),
            (3, "and can I pay with Zelle?"),
        ],
    ),
    asks(
        Instagram,
        Who::Stranger,
        &[(0, "do you come to Sacramento?"), (4, "What's on the menu?")],
    ),
    calls(
        Email,
        Who::Booker,
        &[(
            0,
            "You charged me twice for the deposit. If it is not back on Monday I'm opening a refund dispute with my bank.",
        )],
        (
            "I have looked: it was charged once, and the second line is your bank's reservation, which goes by itself.",
            "explained the bank's reservation; nothing was charged twice",
        ),
    ),
    asks(
        Web,
        Who::Stranger,
        &[
            (0, "What happens if it rains?"),
            (2, "Do we need to provide tables and chairs?"),
        ],
    ),
    asks(Sms, Who::Stranger, &[(0, "price per person pls")]),
    calls(
        Web,
        Who::Stranger,
        &[(0, "I'd like to speak with a manager about a wedding for 90")],
        (
            "Congratulations! May I have your number, so that our manager can call you today?",
            "handed over to the manager",
        ),
    ),
    asks(
        Email,
        Who::Booker,
        &[(0, "Which proteins can we choose from? And is your meat halal?")],
    ),
];

/// The last conversations, which nobody is done with.
static LAST: [(Ends, i64, Script); 3] = [
    (
        Ends::Joined,
        26,
        calls(
            Sms,
            Who::Booker,
            &[
                (
                    0,
                    "Very frustrated with how this was handled. Half of our guests had no noodles.",
                ),
                (180, "Saturday is fine, thanks"),
            ],
            (
                "That should not have happened. Our manager will call you on Saturday, is that all right?",
                "",
            ),
        ),
    ),
    (
        Ends::Assigned,
        9,
        calls(
            Web,
            Who::Stranger,
            &[(0, "I need a customer service representative")],
            ("", ""),
        ),
    ),
    (
        Ends::Open,
        3,
        calls(
            Email,
            Who::Booker,
            &[(0, "You will hear from my lawyer about the burnt fence.")],
            ("", ""),
        ),
    ),
];

/// What the staff notes of an escalation that is about no conversation.
fn note_of(source: EscalationSource) -> &'static str {
    match source {
        EscalationSource::Rating => "called the customer, apologised and gave a coupon",
        EscalationSource::Payment => "the customer's second attempt went through",
        EscalationSource::Dispute => "answered at the provider, with invoice and receipt",
        EscalationSource::Keyword | EscalationSource::Request | EscalationSource::Staff => "seen to",
    }
}

impl Play {
    /// Conversations over some weeks of a plan of so many bookings.
    pub(super) fn plan_talks(&mut self, (from, until): (DateTime<Utc>, DateTime<Utc>), bookings: usize) {
        let many = (bookings * 3 / 50).clamp(SCRIPTS.len() / 2, 60);
        let every = (until - from) / i32::try_from(many + 1).unwrap_or(1);
        let mut begins_at = from;
        for script in SCRIPTS.iter().cycle().take(many) {
            begins_at += every;
            let score = [5, 4, 2][self.aside.talks.len() % 3];
            let talk = Talk {
                script,
                ends: Ends::Resolved(Some(score).filter(|_| !self.aside.talks.len().is_multiple_of(4))),
                begins_at,
            };
            self.plan_talk(talk);
        }
        for (ends, hours, script) in &LAST {
            self.plan_talk(Talk {
                script,
                ends: *ends,
                begins_at: until - Duration::hours(*hours),
            });
        }
    }

    fn plan_talk(&mut self, talk: Talk) {
        let index = self.aside.talks.len();
        let id = conversation_of(talk.script.channel, &self.thread(index));
        self.aside.talk_of.insert(id, index);
        for (line, (minutes, _)) in talk.script.says.iter().enumerate() {
            let at = talk.begins_at + Duration::minutes(*minutes);
            self.aside.add(at, Task::Say(index, Line(line)));
        }
        self.aside.talks.push(talk);
    }

    /// What tells a conversation's thread from others.
    fn thread(&self, index: usize) -> String {
        format!("{} talk {index}", self.prefix)
    }

    /// A customer says something.
    pub(super) async fn say(&mut self, index: usize, Line(line): Line) -> Result<()> {
        let Talk { script, .. } = self.aside.talks[index];
        let (customer_id, station_id) = match script.who {
            Who::Booker => self.booker(index).await?,
            Who::Stranger => (None, None),
        };
        let received = ReceivedMessage {
            channel: script.channel,
            thread: self.thread(index),
            external_id: format!("{} {line}", self.thread(index)),
            from: None,
            text: script.says[line].1.to_owned(),
            customer_id,
            station_id,
        };
        let heard = self.commands.receive_message(self.caller.clone(), received).await;
        happened(heard)?;
        Ok(())
    }

    /// Somebody who has booked by now: customer and station.
    async fn booker(&self, turn: usize) -> Result<(Option<CustomerId>, Option<StationId>)> {
        let booked: Vec<_> = self.booked.iter().filter_map(|booked| booked.id).collect();
        if booked.is_empty() {
            return Ok((None, None));
        }
        let requested = self.booking(booked[turn * 7 % booked.len()]).await?;
        Ok((Some(requested.customer_id), Some(requested.station_id)))
    }

    /// A person is called.
    pub(super) fn plan_help(&mut self, id: EscalationId, opened: &EscalationOpened) {
        let n = self.aside.escalations;
        self.aside.escalations += 1;
        let conversation = opened.subject.conversation_id;
        let talk = conversation.and_then(|id| self.aside.talk_of.get(&id));
        let talk = talk.map(|index| self.aside.talks[*index].clone());
        let ends = talk.as_ref().map_or(
            Ends::Resolved((opened.source == EscalationSource::Rating).then_some(4)),
            |talk| talk.ends,
        );
        let (says, note) = match talk.as_ref().and_then(|talk| talk.script.help) {
            Some((says, note)) => (says, note),
            None => ("", note_of(opened.source)),
        };
        let mut after = |minutes: i64, act| {
            let at = opened.opened_at + Duration::minutes(minutes);
            self.aside.add(at, Task::Escalation(id, act));
        };
        if ends == Ends::Open {
            return;
        }
        // Some are seen to in time, and some are not.
        let wait = [4, 11, 38, 95][usize::try_from(n).unwrap_or(0) % 4];
        if n.is_multiple_of(2) || ends == Ends::Assigned {
            after(wait, EscalationAct::Assign);
        }
        if ends == Ends::Assigned {
            return;
        }
        after(wait + 3, EscalationAct::Join);
        if let (Some(conversation), Some(talk)) = (conversation, &talk) {
            after(
                wait + 5,
                EscalationAct::Say(conversation, talk.script.channel, says),
            );
        }
        if let Ends::Resolved(score) = ends {
            after(wait + 55, EscalationAct::Resolve(note));
            if let Some(score) = score {
                after(wait + 60 * 20, EscalationAct::Survey(score));
            }
        }
    }

    pub(super) async fn act_on_escalation(&self, id: EscalationId, act: EscalationAct) -> Result<()> {
        let desk = self.desk();
        let key = |word: &str| self.key_beside(&format!("{word} {id}"));
        let commands = &self.commands;
        let done = match act {
            // Only people can.
            EscalationAct::Assign | EscalationAct::Join if self.aside.staff.is_none() => return Ok(()),
            EscalationAct::Assign => {
                commands
                    .assign_escalation(desk, key("assign"), id, None, None)
                    .await
            }
            EscalationAct::Join => commands.join_escalation(desk, key("join"), id, None).await,
            EscalationAct::Say(conversation, channel, text) => {
                let input = MessageInput {
                    conversation_id: Some(conversation),
                    channel: Some(channel),
                    speaker: Speaker::Staff,
                    text: text.to_owned(),
                    customer_id: None,
                    station_id: None,
                };
                commands.post_message(desk, key("say"), input).await
            }
            EscalationAct::Resolve(note) => {
                commands
                    .resolve_escalation(desk, key("resolve"), id, None, note.to_owned())
                    .await
            }
            EscalationAct::Survey(score) => {
                commands
                    .survey_escalation(desk, key("survey"), id, None, score)
                    .await
            }
        };
        happened(done)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::router;

    use super::*;

    #[test]
    fn who_needs_a_person_says_so_and_nobody_else() {
        let last = LAST.iter().map(|(_, _, script)| script);
        for script in SCRIPTS.iter().chain(last) {
            let heard = script.says.iter().map(|(_, text)| router::hear(text));
            let calls = heard.filter(router::Verdict::is_human_only).count();
            assert_eq!(calls > 0, script.help.is_some(), "{script:?}");
        }
        assert_eq!(
            SCRIPTS.iter().filter(|script| script.who == Who::Booker).count(),
            5
        );
    }
}
