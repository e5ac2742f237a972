//! Answers that are given again for as long as nothing happens in a company.
//!
//! What is asked of read models alone has one answer for everybody who sees the same, until an event is recorded. A dashboard
//! that asks again, or fifty that are told of the same event and all ask then, are answered by one look at where the company
//! stands. Nothing is given after the moment that it was made at: an event moves the log, the erasure of a person is one, and
//! what somebody may see is part of the question.
//!
//! What is asked once is not kept, so that what nobody asks again costs neither memory nor a look.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_graphql::Request;
use domain::access::Viewer;
use lru::LruCache;
use projections::Settled;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

/// How long an answer is kept at most: it holds in plain text what is sealed in the database.
const KEPT: Duration = Duration::from_secs(300);
/// How often what has been kept for so long is looked for.
const SWEPT: Duration = Duration::from_secs(10);
/// What a question takes in memory beside its answer, in bytes and roughly.
const OVERHEAD: usize = 256;
/// Answers that are larger than such a part of the memory are not kept.
const LARGEST_PART: usize = 8;

/// A question of somebody: a digest of it and of all that decides what they see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Question([u8; 32]);

impl Question {
    /// What a viewer asks.
    ///
    /// # Panics
    /// Never: all of a question has a JSON form.
    pub(super) fn of(viewer: &Viewer, request: &Request) -> Self {
        #[derive(Serialize)]
        struct Asked<'a>(
            domain::access::Sight,
            &'a str,
            Option<&'a str>,
            &'a async_graphql::Variables,
        );
        let asked = Asked(
            viewer.sight(),
            &request.query,
            request.operation_name.as_deref(),
            &request.variables,
        );
        let text = serde_json::to_vec(&asked).expect("all of a question has a JSON form");
        Self(Sha256::digest(text).into())
    }
}

/// The data of an answer as JSON.
pub(super) type Data = Arc<str>;

/// The answer at a moment, made by the first who asks while the others wait; none where it does not hold beyond its asking.
pub(super) type Held = Arc<OnceCell<Option<Data>>>;

/// Answers, within so much memory. Clones share them.
#[derive(Clone)]
pub(super) struct Remembered<M = Settled> {
    limit: usize,
    kept: Arc<Mutex<Kept<M>>>,
}

struct Kept<M> {
    asked: LruCache<Question, Asked<M>>,
    bytes: usize,
    swept: Instant,
}

/// A question that was asked.
struct Asked<M> {
    since: Instant,
    /// The answer and its moment, once it was asked again.
    answer: Option<(M, Held)>,
    bytes: usize,
}

impl<M: Clone + PartialEq> Remembered<M> {
    /// No more than so many bytes of answers; none at all for 0.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            kept: Arc::new(Mutex::new(Kept {
                asked: LruCache::unbounded(),
                bytes: 0,
                swept: Instant::now(),
            })),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept<M>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it was asked before, not long ago; now it was.
    pub(super) fn asked_before(&self, question: Question) -> bool {
        if self.limit == 0 {
            return false;
        }
        let mut kept = self.kept();
        kept.sweep(Instant::now());
        if kept.asked.get(&question).is_some() {
            return true;
        }
        kept.put(question, Asked::new(None));
        kept.fit(self.limit);
        false
    }

    /// The answer to a question at a moment, made or yet to be made. What was the answer before is none any more.
    pub(super) fn at(&self, question: Question, moment: &M) -> Held {
        let mut kept = self.kept();
        if let Some((then, held)) = kept.asked.get(&question).and_then(|asked| asked.answer.as_ref())
            && then == moment
        {
            return Arc::clone(held);
        }
        let held = Held::default();
        kept.put(question, Asked::new(Some((moment.clone(), Arc::clone(&held)))));
        held
    }

    /// Whether an answer of so many bytes is kept.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        bytes <= self.limit / LARGEST_PART
    }

    /// Counts an answer that was made, and forgets those that were given longest ago where there is no room for all.
    pub(super) fn count(&self, question: Question, held: &Held, bytes: usize) {
        let mut kept = self.kept();
        let Kept {
            asked, bytes: all, ..
        } = &mut *kept;
        if let Some(found) = asked.peek_mut(&question)
            && found
                .answer
                .as_ref()
                .is_some_and(|(_, other)| Arc::ptr_eq(other, held))
        {
            found.bytes += bytes;
            *all += bytes;
        }
        kept.fit(self.limit);
    }
}

impl<M> Asked<M> {
    fn new(answer: Option<(M, Held)>) -> Self {
        Self {
            since: Instant::now(),
            answer,
            bytes: OVERHEAD,
        }
    }
}

impl<M> Kept<M> {
    fn put(&mut self, question: Question, asked: Asked<M>) {
        self.bytes += asked.bytes;
        if let Some(before) = self.asked.put(question, asked) {
            self.bytes -= before.bytes;
        }
    }

    fn fit(&mut self, limit: usize) {
        while self.bytes > limit
            && let Some((_, forgotten)) = self.asked.pop_lru()
        {
            self.bytes -= forgotten.bytes;
        }
    }

    /// Forgets what has been kept for as long as anything is, now and then.
    fn sweep(&mut self, now: Instant) {
        if now.duration_since(self.swept) < SWEPT {
            return;
        }
        self.swept = now;
        let old: Vec<Question> = self
            .asked
            .iter()
            .filter(|(_, asked)| now.duration_since(asked.since) >= KEPT)
            .map(|(question, _)| *question)
            .collect();
        for question in old {
            if let Some(forgotten) = self.asked.pop(&question) {
                self.bytes -= forgotten.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(number: u8) -> Question {
        Question([number; 32])
    }

    fn answered(remembered: &Remembered<i32>, number: u8, moment: i32, data: &str) {
        let held = remembered.at(question(number), &moment);
        held.set(Some(data.into())).expect("nobody has answered it");
        remembered.count(question(number), &held, data.len());
    }

    fn answer(remembered: &Remembered<i32>, number: u8, moment: i32) -> Option<Data> {
        remembered.at(question(number), &moment).get().cloned().flatten()
    }

    #[test]
    fn an_answer_is_of_its_moment_and_of_no_other() {
        let remembered = Remembered::new(1 << 20);
        assert!(!remembered.asked_before(question(1)));
        assert!(remembered.asked_before(question(1)));
        answered(&remembered, 1, 7, "seven");
        assert_eq!(answer(&remembered, 1, 7).as_deref(), Some("seven"));
        assert_eq!(answer(&remembered, 1, 8), None);
        assert_eq!(answer(&remembered, 1, 7), None, "nothing comes back");
        assert_eq!(remembered.kept().bytes, OVERHEAD);
    }

    #[test]
    fn those_that_were_given_longest_ago_go_where_there_is_no_room() {
        let remembered = Remembered::new(3 * OVERHEAD + 20);
        for number in 0..3 {
            assert!(!remembered.asked_before(question(number)));
            answered(&remembered, number, 1, "123456");
        }
        assert!(answer(&remembered, 0, 1).is_some());
        assert!(!remembered.asked_before(question(3)));
        assert_eq!(answer(&remembered, 1, 1), None);
        assert!(answer(&remembered, 0, 1).is_some());
        assert!(!remembered.has_room(3 * OVERHEAD));
        let nothing = Remembered::<i32>::new(0);
        assert!(!nothing.asked_before(question(1)) && !nothing.asked_before(question(1)));
    }

    #[test]
    fn none_is_kept_for_longer_than_five_minutes() {
        let remembered = Remembered::new(1 << 20);
        assert!(!remembered.asked_before(question(1)));
        answered(&remembered, 1, 7, "seven");
        let (before, after) = (KEPT - Duration::from_secs(1), KEPT + SWEPT);
        let now = Instant::now();
        remembered.kept().sweep(now + before);
        assert!(answer(&remembered, 1, 7).is_some());
        remembered.kept().sweep(now + after);
        let kept = remembered.kept();
        assert_eq!((kept.bytes, kept.asked.len()), (0, 0));
    }
}
