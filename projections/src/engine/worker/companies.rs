//! What a worker knows of each company: how long its log is, how far its read models are, and whose turn is next.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use domain::envelope::Position;
use domain::ids::TenantId;
use tokio::time::Instant;

/// How long after the last turn that found or did something a company is looked at once more. What a worker commits is on
/// the disk some time later (three times `wal_writer_delay`, 0.6 s unless set otherwise): a server that crashed before has
/// gone back to an earlier checkpoint by then, or is not up yet.
const SETTLED: Duration = Duration::from_secs(2);

/// Where the read models of a company stand, as far as its last turn has found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// The position that all of them hold, where it is one and none is left alone.
    pub(super) together_at: Option<Position>,
    /// Those that cannot go on, and until when they are left alone.
    pub(super) left_alone: Vec<(&'static str, Instant)>,
}

/// A company whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) tenant: TenantId,
    /// How long its log is known to be.
    pub(super) head: Position,
    pub(super) standing: Standing,
}

/// How a turn has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) standing: Standing,
    /// As far as this, all that could be done was done.
    pub(super) looked_to: Position,
    /// Whether a read model was moved.
    pub(super) moved: bool,
    /// Whether more can be done at once.
    pub(super) more: bool,
    /// When to look again although nothing was appended.
    pub(super) again: Option<Instant>,
    /// Read models that are to be built anew.
    pub(super) outdated: Vec<&'static str>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    Waiting,
    AtWork,
}

#[derive(Debug, Default)]
struct Company {
    head: Position,
    looked_to: Position,
    state: State,
    /// Whether it is among those with news.
    is_woken: bool,
    standing: Standing,
    again: Option<Instant>,
}

/// All companies that have been heard of.
///
/// Who has something new goes before who has long to go, and every other turn the other way round: neither keeps the
/// other waiting for more than the turns before it.
#[derive(Debug, Default)]
pub(super) struct Companies {
    known: HashMap<TenantId, Company>,
    woken: VecDeque<TenantId>,
    behind: VecDeque<TenantId>,
    later: BTreeSet<(Instant, TenantId)>,
    behind_is_next: bool,
}

impl Companies {
    /// Takes note that a log has grown to this.
    pub(super) fn appended(&mut self, tenant: TenantId, head: Position) {
        let company = self.known.entry(tenant).or_default();
        if head <= company.head {
            return;
        }
        company.head = head;
        if company.state != State::AtWork && !company.is_woken {
            company.state = State::Waiting;
            company.is_woken = true;
            self.woken.push_back(tenant);
        }
    }

    /// Takes note that a log was found as long as this, and says whether that is news. How far the read models of one
    /// that was not known are, nobody knows: those are many when a worker starts, and can wait.
    pub(super) fn found(&mut self, tenant: TenantId, head: Position) -> bool {
        if let Some(company) = self.known.get(&tenant) {
            let is_news = head > company.head;
            self.appended(tenant, head);
            return is_news;
        }
        let company = self.known.entry(tenant).or_default();
        company.head = head;
        company.state = State::Waiting;
        self.behind.push_back(tenant);
        true
    }

    /// The company whose turn is next, which is then at work until [`ended`](Self::ended).
    pub(super) fn next_turn(&mut self, now: Instant) -> Option<Turn> {
        self.wake_due(now);
        loop {
            let (first, second) = if self.behind_is_next {
                (&mut self.behind, &mut self.woken)
            } else {
                (&mut self.woken, &mut self.behind)
            };
            let tenant = first.pop_front().or_else(|| second.pop_front())?;
            self.behind_is_next = !self.behind_is_next;
            let company = self.known.entry(tenant).or_default();
            // Who had news while it was waiting has had its turn before.
            if company.state == State::Waiting {
                company.state = State::AtWork;
                company.is_woken = false;
                return Some(Turn {
                    tenant,
                    head: company.head,
                    standing: std::mem::take(&mut company.standing),
                });
            }
        }
    }

    fn wake_due(&mut self, now: Instant) {
        while let Some((at, tenant)) = self.later.first().copied()
            && at <= now
        {
            self.later.pop_first();
            if let Some(company) = self.known.get_mut(&tenant) {
                company.again = None;
                if company.state == State::Idle {
                    company.state = State::Waiting;
                    self.behind.push_back(tenant);
                }
            }
        }
    }

    /// Has a company looked at again then at the latest.
    pub(super) fn look_again(&mut self, tenant: TenantId, at: Instant) {
        let company = self.known.entry(tenant).or_default();
        if company.again.is_none_or(|again| at < again) {
            if let Some(later) = company.again.replace(at) {
                self.later.remove(&(later, tenant));
            }
            self.later.insert((at, tenant));
        }
    }

    /// When the next company is to be looked at again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.later.first().map(|(at, _)| *at)
    }

    /// Takes note of how a turn has ended.
    pub(super) fn ended(&mut self, tenant: TenantId, ended: Ended, now: Instant) {
        let company = self.known.entry(tenant).or_default();
        let is_settled = !ended.moved && ended.looked_to <= company.looked_to;
        company.standing = ended.standing;
        company.looked_to = company.looked_to.max(ended.looked_to);
        if let Some(at) = company.again.take() {
            self.later.remove(&(at, tenant));
        }
        let settled = (!is_settled).then(|| now + SETTLED);
        if let Some(at) = ended.again.into_iter().chain(settled).min() {
            company.again = Some(at);
            self.later.insert((at, tenant));
        }
        company.head = company.head.max(ended.looked_to);
        if ended.more {
            company.state = State::Waiting;
            self.behind.push_back(tenant);
        } else if company.head > company.looked_to {
            company.state = State::Waiting;
            company.is_woken = true;
            self.woken.push_back(tenant);
        } else {
            company.state = State::Idle;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    const A: TenantId = TenantId(Uuid::from_u128(1));
    const B: TenantId = TenantId(Uuid::from_u128(2));
    const C: TenantId = TenantId(Uuid::from_u128(3));

    fn done(to: i64) -> Ended {
        Ended {
            standing: Standing::default(),
            looked_to: Position(to),
            moved: true,
            more: false,
            again: None,
            outdated: Vec::new(),
        }
    }

    fn turn(companies: &mut Companies) -> Option<(TenantId, Position)> {
        companies
            .next_turn(Instant::now())
            .map(|turn| (turn.tenant, turn.head))
    }

    #[test]
    fn a_company_has_one_turn_at_a_time_and_another_for_what_came_meanwhile() {
        let mut companies = Companies::default();
        assert!(companies.found(A, Position(3)));
        assert!(!companies.found(A, Position(2)), "that is old");
        assert_eq!(turn(&mut companies), Some((A, Position(3))));
        assert!(companies.found(A, Position(5)));
        assert_eq!(turn(&mut companies), None, "it is at work");
        companies.ended(A, done(3), Instant::now());
        assert_eq!(turn(&mut companies), Some((A, Position(5))));
        companies.ended(A, done(7), Instant::now());
        assert_eq!(turn(&mut companies), None);
        assert!(!companies.found(A, Position(7)), "it was seen by itself");
    }

    #[test]
    fn a_company_that_has_long_to_go_and_one_with_news_take_turns() {
        let mut companies = Companies::default();
        for tenant in [A, B, C] {
            companies.appended(tenant, Position(1));
            assert!(turn(&mut companies).is_some());
            companies.ended(tenant, done(1), Instant::now());
        }
        companies.appended(A, Position(1_000_000));
        let long = Ended {
            more: true,
            ..done(1)
        };
        assert_eq!(turn(&mut companies), Some((A, Position(1_000_000))));
        companies.ended(A, long.clone(), Instant::now());
        companies.appended(B, Position(2));
        companies.appended(C, Position(2));
        let mut order = Vec::new();
        while order.len() < 4 {
            let (tenant, head) = turn(&mut companies).unwrap();
            order.push(tenant);
            let ended = if tenant == A { long.clone() } else { done(head.0) };
            companies.ended(tenant, ended, Instant::now());
        }
        let first = |tenant| order.iter().position(|one| *one == tenant).unwrap();
        assert!(first(A) < 3 && first(B) < 3 && first(C) < 4, "{order:?}");
    }

    #[test]
    fn of_companies_that_nobody_has_heard_of_one_that_has_news_goes_first() {
        let mut companies = Companies::default();
        for tenant in [A, B, C] {
            assert!(companies.found(tenant, Position(1)));
        }
        companies.appended(C, Position(2));
        let order: Vec<_> = std::iter::from_fn(|| turn(&mut companies)).collect();
        assert_eq!(order, [(C, Position(2)), (A, Position(1)), (B, Position(1))]);
    }

    #[test]
    fn a_company_is_looked_at_again_when_it_was_put_off_or_has_news() {
        let mut companies = Companies::default();
        let now = Instant::now();
        let soon = now + Duration::from_millis(500);
        let put_off = |to| Ended {
            again: Some(soon),
            ..done(to)
        };
        companies.appended(A, Position(1));
        assert!(turn(&mut companies).is_some());
        companies.ended(A, put_off(1), now);
        assert_eq!((turn(&mut companies), companies.due()), (None, Some(soon)));
        companies.appended(A, Position(2));
        assert_eq!(turn(&mut companies), Some((A, Position(2))));
        companies.ended(A, put_off(2), now);
        let then = companies.next_turn(soon).map(|turn| turn.tenant);
        assert_eq!((then, companies.due()), (Some(A), None));
    }

    #[test]
    fn what_was_done_is_looked_at_once_more_when_it_is_on_the_disk() {
        let mut companies = Companies::default();
        let now = Instant::now();
        companies.appended(A, Position(1));
        assert!(companies.next_turn(now).is_some());
        companies.ended(A, done(1), now);
        assert_eq!(companies.due(), Some(now + SETTLED));
        assert!(companies.next_turn(now + SETTLED).is_some());
        let nothing = Ended {
            moved: false,
            ..done(1)
        };
        companies.ended(A, nothing, now + SETTLED);
        assert_eq!(companies.due(), None);
    }
}
