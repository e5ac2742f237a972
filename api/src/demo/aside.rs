//! What happens beside the bookings in the last weeks of a plan: the company writes to its customers, they answer, ask and
//! complain, and the staff sees to it. Before that nobody is written to: nobody would look at it, and it takes its time.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use commands::{Caller, Correspondence, IdempotencyKey};
use domain::access::{Permission, StationScope};
use domain::decider::Decider;
use domain::envelope::Position;
use domain::escalation::{EscalationEvent, EscalationOpened};
use domain::ids::{BookingId, ConversationId, EscalationId, LeadId};
use domain::lead::{LeadCaptured, LeadEvent};
use domain::recorded::{DomainEvent, Recorded};
use domain::review::{ReviewEvent, ReviewLinkIssued, ReviewSubmitted};
use domain::user::{User, UserEvent};
use uuid::Uuid;

use super::bookings::Play;
use super::leads::{Abandonment, LeadAct};
use super::reviews::ReviewAct;
use super::talks::{EscalationAct, Line, Talk};
use super::year::{Story, Year};

/// Days at the end of a plan, or before now, in which the company writes to its customers.
const DAYS: i64 = 63;
/// What somebody does something about: wire names.
const LOOKED_AT: [&str; 4] = [
    "review.link_issued",
    "review.submitted",
    "escalation.opened",
    "lead.captured",
];
/// Events that one look takes in.
const AT_ONCE: u32 = 500;

/// What happens beside the bookings.
#[derive(Default)]
pub(super) struct Aside {
    /// From when on, and until when; none where nothing does.
    pub(super) weeks: Option<(DateTime<Utc>, DateTime<Utc>)>,
    pub(super) begun: bool,
    /// The person who sees to it.
    pub(super) staff: Option<Caller>,
    pub(super) talks: Vec<Talk>,
    pub(super) talk_of: HashMap<ConversationId, usize>,
    /// The number of each question for a review.
    pub(super) asked: HashMap<BookingId, u32>,
    pub(super) escalations: u32,
    pub(super) leads: u32,
    looked: Position,
    /// Found in the log, and not yet there by the clock.
    ahead: Vec<Found>,
    tasks: BTreeMap<(DateTime<Utc>, u32), Task>,
    made: u32,
}

/// Something that somebody does.
#[derive(Debug, Clone)]
pub(super) enum Task {
    /// A customer, or the staff, about a review.
    Review(BookingId, ReviewAct),
    /// A customer says something in a conversation.
    Say(usize, Line),
    /// The staff sees to an escalation.
    Escalation(EscalationId, EscalationAct),
    /// Somebody leaves without booking.
    Abandon(Abandonment),
    /// The staff works on a lead.
    Lead(LeadId, LeadAct),
}

/// Something in the log that somebody does something about.
enum Found {
    Asked(BookingId, ReviewLinkIssued),
    Answered(BookingId, ReviewSubmitted),
    Called(EscalationId, EscalationOpened),
    Lead(LeadId, LeadCaptured),
}

impl Found {
    fn of(event: &Recorded) -> Option<Self> {
        let id = event.stream.id.as_str();
        if let DomainEvent::Review(review) = &event.event {
            let booking = review.party().booking_id;
            if let ReviewEvent::LinkIssued(issued) = review {
                return Some(Self::Asked(booking, issued.clone()));
            }
            if let ReviewEvent::Submitted(submitted) = review {
                return Some(Self::Answered(booking, submitted.clone()));
            }
        }
        if let DomainEvent::Escalation(EscalationEvent::Opened(opened)) = &event.event {
            return Some(Self::Called(id.parse().ok()?, opened.clone()));
        }
        if let DomainEvent::Lead(LeadEvent::Captured(captured)) = &event.event {
            return Some(Self::Lead(id.parse().ok()?, captured.clone()));
        }
        None
    }

    fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Asked(_, issued) => issued.issued_at,
            Self::Answered(_, submitted) => submitted.submitted_at,
            Self::Called(_, opened) => opened.opened_at,
            Self::Lead(_, captured) => captured.captured_at,
        }
    }
}

impl Aside {
    /// What happens beside the bookings of a plan by an instant; the plan begins after a place in the log.
    pub(super) fn of(year: &Year, now: DateTime<Utc>, begins_after: Position) -> Self {
        let ends = year.to.and_hms_opt(20, 0, 0).map_or(now, |end| end.and_utc());
        let until = ends.min(now);
        Self {
            weeks: Some((until - Duration::days(DAYS), until)),
            looked: begins_after,
            ..Self::default()
        }
    }

    /// When the next of it happens.
    pub(super) fn next_at(&self) -> Option<DateTime<Utc>> {
        self.tasks.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn pop(&mut self) -> Option<Task> {
        self.tasks.pop_first().map(|(_, task)| task)
    }

    pub(super) fn add(&mut self, at: DateTime<Utc>, task: Task) {
        self.tasks.insert((at, self.made), task);
        self.made += 1;
    }
}

impl Play {
    /// Key of something that is done beside the bookings.
    pub(super) fn key_beside(&self, name: &str) -> IdempotencyKey {
        IdempotencyKey::of_reaction("demo", &format!("{} beside {name}", self.prefix))
    }

    /// Sets the clock. Once it is time, the company begins to write to its customers.
    pub(super) async fn come_to(&mut self, at: DateTime<Utc>, stories: &[Story]) -> Result<()> {
        if let Some((from, until)) = self.aside.weeks
            && !self.aside.begun
            && at >= from
        {
            // What was before is news to nobody.
            self.react().await?;
            self.commands = self.commands.with_correspondence(Correspondence::Kept);
            self.aside.begun = true;
            self.aside.staff = self.staff().await?;
            self.plan_talks((from, until), stories.len());
            self.plan_abandonments((from, until), stories);
        }
        self.clock.set(at);
        Ok(())
    }

    /// Does something that happens beside the bookings, unless an earlier play has.
    pub(super) async fn beside(&mut self, task: Task, stories: &[Story]) -> Result<()> {
        if !self.before.lasts() {
            match task {
                Task::Review(booking, act) => self.act_on_review(booking, act, stories).await?,
                Task::Say(talk, line) => self.say(talk, line).await?,
                Task::Escalation(id, act) => self.act_on_escalation(id, act).await?,
                Task::Abandon(abandonment) => self.abandon(abandonment).await?,
                Task::Lead(id, act) => self.act_on_lead(id, act).await?,
            }
        }
        self.look().await
    }

    /// Whoever of the company may see to everything: the first of its users.
    async fn staff(&self) -> Result<Option<Caller>> {
        let tenant = self.caller.tenant;
        let log = self.commands.log();
        let users = log
            .read(tenant, Position::START, AT_ONCE, Some(&["user.created"]))
            .await?;
        for stored in users {
            let event = Recorded::try_from(stored)?;
            let DomainEvent::User(UserEvent::Created(created)) = &event.event else {
                continue;
            };
            let may = |permission| created.role.may(permission);
            let everywhere = created.stations == StationScope::All;
            if event.stream.kind == User::STREAM
                && everywhere
                && may(Permission::EscalationWrite)
                && may(Permission::LeadWrite)
                && may(Permission::ReviewWrite)
            {
                let user: Uuid = event.stream.id.parse()?;
                return Ok(Some(self.caller.clone().acting_as(user, created.role)));
            }
        }
        Ok(None)
    }

    /// Whoever sees to it: a person where the company has one, else the program.
    pub(super) fn desk(&self) -> Caller {
        self.aside.staff.clone().unwrap_or_else(|| self.caller.clone())
    }

    /// Looks for what somebody does something about.
    pub(super) async fn look(&mut self) -> Result<()> {
        let Some((from, _)) = self.aside.weeks.filter(|_| self.aside.begun) else {
            return Ok(());
        };
        loop {
            let log = self.commands.log();
            let page = log
                .read(self.caller.tenant, self.aside.looked, AT_ONCE, Some(&LOOKED_AT))
                .await?;
            let Some(last) = page.last() else { break };
            self.aside.looked = last.position;
            for stored in page {
                let found = Found::of(&Recorded::try_from(stored)?);
                self.aside.ahead.extend(found.filter(|found| found.at() >= from));
            }
        }
        let now = self.now();
        let ahead = std::mem::take(&mut self.aside.ahead);
        let (there, ahead): (Vec<Found>, Vec<Found>) = ahead.into_iter().partition(|found| found.at() <= now);
        self.aside.ahead = ahead;
        for found in there {
            match found {
                Found::Asked(booking, issued) => self.expect_answer(booking, &issued),
                Found::Answered(booking, submitted) => self.plan_moderation(booking, &submitted),
                Found::Called(id, opened) => self.plan_help(id, &opened),
                Found::Lead(id, captured) => self.plan_calls(id, &captured),
            }
        }
        Ok(())
    }
}
