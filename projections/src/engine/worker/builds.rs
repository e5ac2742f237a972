//! Read models that another fold has made, and that wait to be built anew: a few at a time, beside the turns, so that
//! nobody's read models stand still for it.

use std::collections::{HashMap, VecDeque};

use domain::ids::TenantId;
use tokio::time::Instant;

/// Read models that are built at the same time.
const AT_ONCE: usize = 2;

/// A read model of a company.
pub(super) type Subject = (TenantId, &'static str);

/// What is to be built, is being built, or could not be.
#[derive(Debug, Default)]
pub(super) struct Builds {
    waiting: VecDeque<Subject>,
    at_work: usize,
    /// Those that wait or are being built, and those that are left alone until then.
    known: HashMap<Subject, Option<Instant>>,
}

impl Builds {
    /// Takes note that a read model is to be built, unless it is known already.
    pub(super) fn ask(&mut self, subject: Subject, now: Instant) {
        match self.known.get(&subject) {
            Some(None) => {}
            Some(Some(until)) if *until > now => {}
            Some(Some(_)) | None => {
                self.known.insert(subject, None);
                self.waiting.push_back(subject);
            }
        }
    }

    /// What is to be built now, which is then being built until [`ended`](Self::ended).
    pub(super) fn next(&mut self) -> Option<Subject> {
        if self.at_work == AT_ONCE {
            return None;
        }
        let subject = self.waiting.pop_front()?;
        self.at_work += 1;
        Some(subject)
    }

    /// Takes note that it has ended, and until when it is left alone where it came to nothing.
    pub(super) fn ended(&mut self, subject: Subject, left_alone: Option<Instant>) {
        self.at_work = self.at_work.saturating_sub(1);
        match left_alone {
            Some(until) => drop(self.known.insert(subject, Some(until))),
            None => drop(self.known.remove(&subject)),
        }
    }

    /// How many are being built.
    pub(super) fn at_work(&self) -> usize {
        self.at_work
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_read_model_is_built_once_however_often_it_is_asked_for_and_few_at_a_time() {
        let mut builds = Builds::default();
        let now = Instant::now();
        let subject = |n| (TenantId(Uuid::from_u128(n)), "booking_list");
        for n in [1, 1, 2, 3, 1] {
            builds.ask(subject(n), now);
        }
        assert_eq!(builds.next(), Some(subject(1)));
        builds.ask(subject(1), now);
        assert_eq!((builds.next(), builds.next()), (Some(subject(2)), None));
        builds.ended(subject(1), None);
        builds.ended(subject(2), Some(now + Duration::from_secs(1)));
        builds.ask(subject(2), now);
        assert_eq!((builds.next(), builds.next()), (Some(subject(3)), None));
        builds.ask(subject(2), now + Duration::from_secs(1));
        assert_eq!((builds.next(), builds.at_work()), (Some(subject(2)), 2));
    }
}
