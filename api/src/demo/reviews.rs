//! What customers say of their parties: most are happy, some say nothing, and a few need somebody to call.

use anyhow::{Context, Result};
use chrono::Duration;
use commands::review::{ReviewAnswer, ReviewModerate, Verdict};
use commands::{CommandError, CustomerConsentSet};
use domain::customer::ConsentChannel;
use domain::decider::{Decider, Event};
use domain::envelope::StreamId;
use domain::ids::{BookingId, CustomerId, MessageId, ReviewId};
use domain::message::{Message, MessageEvent};
use domain::review::{ExternalSite, Review, ReviewEvent, ReviewLinkIssued, ReviewSubmitted};
use event_log::Opened;

use super::aside::Task;
use super::bookings::{Play, happened};
use super::people::person;
use super::year::Story;

/// Something that is done about a review.
#[derive(Debug, Clone, Copy)]
pub(super) enum ReviewAct {
    /// The customer opens the link.
    Open,
    /// The customer answers with these of the words.
    Answer(&'static Said),
    /// The staff decides whether it is published, and answers whoever was unhappy.
    Moderate(&'static Said),
    /// The customer agrees to be written to.
    Agree(CustomerId),
    /// The customer does not want that any more.
    TakeBack(CustomerId),
}

/// What a customer does with a link.
enum Habit {
    /// Answers so many hours later.
    Answers(i64),
    /// Opens it so many hours later, and leaves it at that.
    Opens(i64),
    /// Does nothing.
    IsSilent,
}

/// What customers do, in turns. Who waits for the second reminder answers by its link.
static HABITS: [Habit; 10] = [
    Habit::Answers(5),
    Habit::Answers(27),
    Habit::Opens(8),
    Habit::Answers(52),
    Habit::IsSilent,
    Habit::Answers(147),
    Habit::Opens(30),
    Habit::Answers(20),
    Habit::IsSilent,
    Habit::Opens(70),
];

/// A rating, with words and what the staff makes of it.
#[derive(Debug)]
pub(super) struct Said {
    rating: i32,
    text: Option<&'static str>,
    staff: Staff,
}

/// What the staff makes of an answer.
#[derive(Debug)]
enum Staff {
    Publishes,
    /// It is not published, for this reason.
    KeepsBack(&'static str),
    /// Nobody has decided yet.
    Waits,
}

const fn said(rating: i32, text: &'static str) -> Said {
    Said {
        rating,
        text: Some(text),
        staff: Staff::Publishes,
    }
}

/// What customers say, in turns.
static SAID: [Said; 16] = [
    said(5, "The onion volcano made our evening. Thank you!"),
    said(4, "Great food, and the kids loved the show."),
    said(2, "The rice was cold, and the noodles were forgotten."),
    Said {
        rating: 5,
        text: Some("Ask for Marisol at the Oak Street house, 555-0142, she books us every month!"),
        staff: Staff::KeepsBack("it gives somebody else's name and number"),
    },
    said(5, "Our guests are still talking about it."),
    Said {
        rating: 5,
        text: None,
        staff: Staff::Publishes,
    },
    said(3, "Good, but the chef came half an hour late."),
    said(
        1,
        "Nobody told us that the grill needs so much room. We ate at ten.",
    ),
    said(5, "Perfect from the first call to the last bite."),
    Said {
        rating: 4,
        text: None,
        staff: Staff::Waits,
    },
    said(5, "Such a kind chef. Ten stars!"),
    said(4, "Very tasty; a little more sauce next time."),
    said(5, "We will book again next year."),
    said(2, "Two of us are vegetarian and got the same pan as everybody."),
    said(5, "My father turned 70 and laughed all evening."),
    said(4, "Clean, friendly, on time. The lobster is worth it."),
];

/// What the staff writes to whoever was unhappy.
const SORRY: &str = "We are sorry, and will call you to put it right.";

/// Which of the words the customer of the n-th question uses.
fn words_of(n: u32) -> &'static Said {
    let n = usize::try_from(n).unwrap_or(0);
    let answers = |habits: &[Habit]| {
        let answers = habits.iter().filter(|habit| matches!(habit, Habit::Answers(_)));
        answers.count()
    };
    let turn = n / HABITS.len() * answers(&HABITS) + answers(&HABITS[..n % HABITS.len()]);
    &SAID[turn % SAID.len()]
}

impl Play {
    /// A customer was asked.
    pub(super) fn expect_answer(&mut self, booking: BookingId, issued: &ReviewLinkIssued) {
        let next = u32::try_from(self.aside.asked.len()).unwrap_or(0);
        let n = *self.aside.asked.entry(booking).or_insert(next);
        if n != next {
            return;
        }
        let at = issued.issued_at;
        let habit = &HABITS[usize::try_from(n).unwrap_or(0) % HABITS.len()];
        let (hours, act) = match habit {
            Habit::Answers(hours) => (*hours, Some(ReviewAct::Answer(words_of(n)))),
            Habit::Opens(hours) => (*hours, Some(ReviewAct::Open)),
            Habit::IsSilent => (2, None),
        };
        let customer = issued.party.customer_id;
        // Some agree on the page to be written to, and some of these want that no more soon.
        let agrees = n.is_multiple_of(4).then_some((1, ReviewAct::Agree(customer)));
        let takes_back = n.is_multiple_of(8).then_some((50, ReviewAct::TakeBack(customer)));
        let acts = act
            .map(|act| (0, act))
            .into_iter()
            .chain(agrees)
            .chain(takes_back);
        for (later, act) in acts {
            let at = at + Duration::hours(hours + later);
            self.aside.add(at, Task::Review(booking, act));
        }
    }

    /// A customer has answered.
    pub(super) fn plan_moderation(&mut self, booking: BookingId, submitted: &ReviewSubmitted) {
        let Some(n) = self.aside.asked.get(&booking).copied() else {
            return;
        };
        let at = submitted.submitted_at + Duration::hours(19 + i64::from(n % 5));
        self.aside
            .add(at, Task::Review(booking, ReviewAct::Moderate(words_of(n))));
    }

    pub(super) async fn act_on_review(
        &mut self,
        booking: BookingId,
        act: ReviewAct,
        stories: &[Story],
    ) -> Result<()> {
        match act {
            ReviewAct::Open => self.open_link(booking).await.map(|_| ()),
            ReviewAct::Answer(said) => {
                self.answer(booking, said, stories).await?;
                // Whoever is unhappy is seen to at once.
                self.react().await
            }
            ReviewAct::Moderate(said) => self.moderate(booking, said).await,
            ReviewAct::Agree(customer) => {
                self.set_consent(customer, ConsentChannel::Email, Some("2026-01"))
                    .await
            }
            ReviewAct::TakeBack(customer) => self.set_consent(customer, ConsentChannel::Email, None).await,
        }
    }

    /// The customer opens the link of the last message, if it is still good. Its token.
    async fn open_link(&self, booking: BookingId) -> Result<Option<String>> {
        let Some(token) = self.token_of(ReviewId::of(booking)).await? else {
            return Ok(None);
        };
        match self.commands.open_review(token.clone()).await {
            Ok(_) | Err(CommandError::Refused(_)) => Ok(Some(token)),
            Err(error) => Err(error.into()),
        }
    }

    async fn answer(&self, booking: BookingId, said: &Said, stories: &[Story]) -> Result<()> {
        let Some(token) = self.open_link(booking).await? else {
            return Ok(());
        };
        let party = self.booked.iter().position(|booked| booked.id == Some(booking));
        let answer = ReviewAnswer {
            rating: said.rating,
            text: said.text.map(str::to_owned),
            name: party.map(|index| signature(&person(stories[index].customer).name)),
            media: Vec::new(),
        };
        let answered = match self.commands.submit_review(token.clone(), answer).await {
            Ok(answered) => answered,
            Err(CommandError::Refused(refused)) => {
                tracing::debug!(code = refused.code, "refused");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        if answered.rating.is_happy() && said.text.is_some() {
            match self
                .commands
                .follow_review_link(token, ExternalSite::Google)
                .await
            {
                Ok(_) | Err(CommandError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// What the customer has in the last message that asked for a review.
    async fn token_of(&self, review: ReviewId) -> Result<Option<String>> {
        let log = self.commands.log();
        let tenant = self.caller.tenant;
        let stream = StreamId::new(Review::STREAM, review.to_string());
        let mut message: Option<MessageId> = None;
        for stored in log.read_stream(tenant, &stream).await? {
            let event = ReviewEvent::decode(&stored.event_type, stored.event_version, &stored.payload)?;
            if let ReviewEvent::LinkIssued(issued) = &event {
                message = issued.message_id.or(message);
            }
            if let ReviewEvent::Reminded(reminded) = &event {
                message = Some(reminded.message_id);
            }
        }
        let Some(message) = message else { return Ok(None) };
        let stream = StreamId::new(Message::STREAM, message.to_string());
        let stored = log.read_stream(tenant, &stream).await?;
        let first = stored.first().context("a message that was asked for")?;
        let first = MessageEvent::decode(&first.event_type, first.event_version, &first.payload)?;
        let MessageEvent::Requested(requested) = first else {
            return Ok(None);
        };
        let Some(sealed) = &requested.variables else {
            return Ok(None);
        };
        let Opened::Text(text) = self.vault.open(tenant, &stream, "variables", sealed).await? else {
            return Ok(None);
        };
        let variables: serde_json::Value = serde_json::from_str(&text)?;
        let link = variables["review_link"].as_str();
        Ok(link.and_then(|link| link.rsplit('/').next()).map(str::to_owned))
    }

    /// The staff decides whether an answer is published, and writes to whoever was unhappy.
    async fn moderate(&self, booking: BookingId, said: &Said) -> Result<()> {
        let review_id = ReviewId::of(booking);
        let (verdict, reason) = match said.staff {
            Staff::Publishes => (Verdict::Approve, None),
            Staff::KeepsBack(reason) => (Verdict::Reject, Some(reason.to_owned())),
            Staff::Waits => return Ok(()),
        };
        let ask = ReviewModerate {
            review_id,
            expected_version: None,
            verdict,
            reason,
        };
        let key = self.key_beside(&format!("moderate {review_id}"));
        happened(self.commands.moderate_review(self.desk(), key, ask).await)?;
        if said.rating > 2 {
            return Ok(());
        }
        let key = self.key_beside(&format!("reply {review_id}"));
        let replied = self
            .commands
            .reply_to_review(self.desk(), key, review_id, None, SORRY.to_owned());
        happened(replied.await)?;
        let key = self.key_beside(&format!("coupon {review_id}"));
        let reason = "the evening was not as it should have been".to_owned();
        let granted = self
            .commands
            .grant_review_coupon(self.desk(), key, review_id, None, reason);
        happened(granted.await)?;
        Ok(())
    }

    async fn set_consent(
        &self,
        customer_id: CustomerId,
        channel: ConsentChannel,
        text_version: Option<&str>,
    ) -> Result<()> {
        let word = text_version.map_or("takes back", |_| "agrees");
        let key = self.key_beside(&format!("{customer_id} {word} {}", channel.as_str()));
        let ask = CustomerConsentSet {
            customer_id,
            expected_version: None,
            channel,
            text_version: text_version.map(str::to_owned),
            through: "web_form".to_owned(),
        };
        happened(
            self.commands
                .set_customer_consent(self.caller.clone(), key, ask)
                .await,
        )?;
        Ok(())
    }
}

/// How somebody signs what is published: `Amelia N.`
fn signature(name: &str) -> String {
    match name.split_once(' ') {
        Some((given, family)) => {
            let letter: String = family.chars().take(1).collect();
            format!("{given} {letter}.")
        }
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_say_one_thing_after_the_other() {
        let answering = (0..20).filter(|n| matches!(HABITS[*n % HABITS.len()], Habit::Answers(_)));
        let ratings: Vec<i32> = answering
            .map(|n| words_of(u32::try_from(n).unwrap()).rating)
            .collect();
        assert_eq!(ratings, [5, 4, 2, 5, 5, 5, 3, 1, 5, 4]);
        assert_eq!(signature("Amelia Nguyen"), "Amelia N.");
    }
}
