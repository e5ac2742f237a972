//! Who leaves without booking, and how the staff calls whoever did not come by.

use anyhow::Result;
use chrono::{DateTime, Duration, NaiveDateTime, NaiveTime, Utc};
use commands::booking::{CustomerInput, SmsConsent};
use commands::lead::{LeadCapture, LeadChange};
use domain::guests::Guests;
use domain::ids::LeadId;
use domain::lead::{Abandoned, FollowUp, LeadCaptured, LeadStatus};

use super::aside::Task;
use super::bookings::{Play, happened};
use super::people::person;
use super::year::{MILPITAS, Story};

/// Somebody who leaves without booking.
#[derive(Debug, Clone, Copy)]
pub(super) struct Abandonment {
    customer: u32,
    start: NaiveDateTime,
    adults: i32,
    zip: &'static str,
    left: Abandoned,
}

/// What the staff does about a lead.
#[derive(Debug, Clone, Copy)]
pub(super) enum LeadAct {
    /// Somebody has spoken to them, and calls again then.
    Call(&'static str, Option<DateTime<Utc>>),
    /// Somebody is to call them then.
    PutOff(DateTime<Utc>),
    /// They were called as they were to be.
    Called,
    /// They are given up.
    GiveUp(&'static str),
}

/// Numbers of people who never book begin here.
const STRANGERS: u32 = 3_000_000;
/// How long before they ask people look at a price, in hours.
const LOOKS_BEFORE: i64 = 40;
const EVENING: NaiveTime = NaiveTime::from_hms_opt(18, 0, 0).expect("a time of day");

impl Play {
    /// Who leaves without booking over some weeks; one in three comes back and asks.
    pub(super) fn plan_abandonments(
        &mut self,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
        stories: &[Story],
    ) {
        let many = (stories.len() / 25).clamp(3, 40);
        let looks_before = Duration::hours(LOOKS_BEFORE);
        let is_new = |story: &&Story| {
            story.customer == story.number && story.asked_at - looks_before > from && story.asked_at < until
        };
        let mut comes_back: Vec<&Story> = stories.iter().filter(is_new).collect();
        comes_back.sort_unstable_by_key(|story| (story.asked_at, story.number));
        let every = comes_back.len().div_ceil(many.div_ceil(3)).max(1);
        let returning: Vec<_> = comes_back.into_iter().step_by(every).collect();
        let strangers = many.saturating_sub(returning.len()).max(2);
        for story in returning {
            let abandonment = Abandonment {
                customer: story.customer,
                start: story.start,
                adults: story.adults,
                zip: story.place.zip,
                left: Abandoned::Quote,
            };
            self.aside
                .add(story.asked_at - looks_before, Task::Abandon(abandonment));
        }
        let every = (until - from) / i32::try_from(strangers + 1).unwrap_or(1);
        let mut at = from;
        for n in 0..strangers {
            at += every;
            let n = u32::try_from(n).unwrap_or(0);
            let abandonment = Abandonment {
                customer: STRANGERS + n,
                start: (at + Duration::days(33)).date_naive().and_time(EVENING),
                adults: 10 + i32::try_from(n * 7 % 16).unwrap_or(0),
                zip: MILPITAS.zip,
                left: if n.is_multiple_of(2) {
                    Abandoned::Availability
                } else {
                    Abandoned::Quote
                },
            };
            self.aside.add(at, Task::Abandon(abandonment));
        }
    }

    pub(super) async fn abandon(&self, abandonment: Abandonment) -> Result<()> {
        let somebody = person(abandonment.customer);
        let input = LeadCapture {
            station: None,
            customer: CustomerInput {
                id: None,
                name: Some(somebody.name),
                email: Some(somebody.email),
                phone: somebody.phone,
                sms_consent: SmsConsent::NotGiven,
            },
            zip: abandonment.zip.to_owned(),
            start: abandonment.start,
            guests: Guests {
                adults: abandonment.adults,
                children: 2,
                under6: 0,
            },
            abandoned: abandonment.left,
            source: Some("website".to_owned()),
            consent_text_version: Some("2026-01".to_owned()),
        };
        let key = self.key_beside(&format!("abandon {}", abandonment.customer));
        happened(
            self.commands
                .capture_abandoned(self.caller.clone(), key, input)
                .await,
        )?;
        Ok(())
    }

    /// Somebody is worth a call.
    pub(super) fn plan_calls(&mut self, id: LeadId, captured: &LeadCaptured) {
        let n = self.aside.leads;
        self.aside.leads += 1;
        let mut after = |hours: i64, act| {
            let at = captured.captured_at + Duration::hours(hours);
            self.aside.add(at, Task::Lead(id, act));
        };
        let later = |hours: i64| captured.captured_at + Duration::hours(hours);
        let only_looked = captured.failure == Abandoned::Availability.code();
        match n % 3 {
            _ if only_looked => {
                after(
                    4,
                    LeadAct::Call("will talk to the family and decide", Some(later(52))),
                );
                after(52, LeadAct::Called);
                after(53, LeadAct::GiveUp("they found somebody nearer"));
            }
            0 => {
                after(
                    3,
                    LeadAct::Call("asked for another day, and for the price with lobster", None),
                );
            }
            1 => {
                after(20, LeadAct::PutOff(later(68)));
                after(
                    69,
                    LeadAct::Call("nobody answered, left a message", Some(later(240))),
                );
            }
            _ => after(6, LeadAct::PutOff(later(100))),
        }
    }

    pub(super) async fn act_on_lead(&self, lead_id: LeadId, act: LeadAct) -> Result<()> {
        let mut change = LeadChange {
            lead_id,
            expected_version: None,
            status: None,
            note: None,
            reason: None,
            booking_id: None,
            follow_up: None,
        };
        let word = match act {
            LeadAct::Call(note, again) => {
                change.status = Some(LeadStatus::Contacted);
                change.note = Some(note.to_owned());
                change.follow_up = again.map(FollowUp::At);
                "call"
            }
            LeadAct::PutOff(until) => {
                change.follow_up = Some(FollowUp::At(until));
                "put off"
            }
            LeadAct::Called => {
                change.follow_up = Some(FollowUp::Done);
                "called"
            }
            LeadAct::GiveUp(reason) => {
                change.status = Some(LeadStatus::Lost);
                change.reason = Some(reason.to_owned());
                "give up"
            }
        };
        let key = self.key_beside(&format!("{word} {lead_id}"));
        happened(self.commands.update_lead(self.desk(), key, change).await)?;
        Ok(())
    }
}
