//! Answers that are given again for as long as nothing happens in a company.
//!
//! What is asked of read models alone has one answer for everybody who sees the same, until an event is recorded. A dashboard
//! that asks again, or fifty that are told of the same event and all ask then, are answered by one look at where the company
//! stands. Nothing is given after the moment that it was made at: an event moves the log, the erasure of a person is one, and
//! what somebody may see is part of the question.
//!
//! What is asked once is not kept, so that what nobody asks again costs neither memory nor a look.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_graphql::Request;
use domain::access::{Sight, Viewer};
use lru::LruCache;
use projections::Settled;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;
use tokio::time::sleep;

/// How long an answer is kept at most: it holds in plain text what is sealed in the database.
const KEPT: Duration = Duration::from_secs(290);
/// How often what has been kept for so long is looked for.
const SWEPT: Duration = Duration::from_secs(10);
/// How many questions are known at least that were asked, whatever was answered.
const KNOWN: NonZeroUsize = NonZeroUsize::new(4_096).expect("more than none");
/// One more is known for each so many bytes of answers: hardly an answer takes less.
const KNOWN_PER_BYTES: usize = 2_048;
/// What an answer takes in memory beside its data, in bytes and roughly.
const OVERHEAD: usize = 512;
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
        struct Asked<'a>(Sight, &'a str, Option<&'a str>, &'a async_graphql::Variables);
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
    asked: LruCache<Question, Asked>,
    answers: LruCache<Question, Answer<M>>,
    /// Of all answers.
    bytes: usize,
}

/// That a question was asked.
struct Asked {
    since: Instant,
    /// Whether each who asks is answered anew: its answer is not of read models, or too large.
    anew: bool,
}

/// The answer to a question that was asked again.
struct Answer<M> {
    since: Instant,
    moment: M,
    held: Held,
    bytes: usize,
}

impl<M: Clone + PartialEq + Send + 'static> Remembered<M> {
    /// No more than so many bytes of answers; none at all for 0.
    pub(super) fn new(limit: usize) -> Self {
        let kept = Kept {
            asked: LruCache::new(KNOWN.max(NonZeroUsize::new(limit / KNOWN_PER_BYTES).unwrap_or(KNOWN))),
            answers: LruCache::unbounded(),
            bytes: 0,
        };
        Self {
            limit,
            kept: Arc::new(Mutex::new(kept)),
        }
    }

    /// Forgets what is too old, from now on, whether anybody asks or not; until nobody holds any of it.
    pub(super) fn keep_swept(&self) {
        let kept = Arc::downgrade(&self.kept);
        tokio::spawn(async move {
            while let Some(kept) = kept.upgrade() {
                locked(&kept).sweep(Instant::now());
                drop(kept);
                sleep(SWEPT).await;
            }
        });
    }

    fn kept(&self) -> MutexGuard<'_, Kept<M>> {
        locked(&self.kept)
    }

    /// Whether it was asked before, not long ago, and is one whose answer may last; now it was asked.
    pub(super) fn asked_before(&self, question: Question) -> bool {
        if self.limit == 0 {
            return false;
        }
        let mut kept = self.kept();
        match kept.asked.get(&question) {
            Some(asked) if asked.since.elapsed() < KEPT => !asked.anew,
            Some(_) | None => {
                kept.asked.put(question, Asked::now(false));
                false
            }
        }
    }

    /// That the answer to a question is for nobody but who asks.
    pub(super) fn each_anew(&self, question: Question) {
        self.kept().asked.put(question, Asked::now(true));
    }

    /// The answer to a question at a moment, made or yet to be made. What was the answer before is none any more.
    pub(super) fn at(&self, question: Question, moment: &M) -> Held {
        let mut kept = self.kept();
        if let Some(answer) = kept.answers.get(&question)
            && answer.moment == *moment
        {
            return Arc::clone(&answer.held);
        }
        let held = Held::default();
        let answer = Answer {
            since: Instant::now(),
            moment: moment.clone(),
            held: Arc::clone(&held),
            bytes: OVERHEAD,
        };
        kept.bytes += answer.bytes;
        if let Some(before) = kept.answers.put(question, answer) {
            kept.bytes -= before.bytes;
        }
        kept.fit(self.limit);
        held
    }

    /// Whether an answer of so many bytes is kept.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        bytes <= self.limit / LARGEST_PART
    }

    /// That no answer came of it: the next who asks makes one.
    pub(super) fn forget(&self, question: Question, held: &Held) {
        let mut kept = self.kept();
        if kept
            .answers
            .peek(&question)
            .is_some_and(|answer| Arc::ptr_eq(&answer.held, held))
            && let Some(forgotten) = kept.answers.pop(&question)
        {
            kept.bytes -= forgotten.bytes;
        }
    }

    /// Counts an answer that was made, and forgets those that were given longest ago where there is no room for all.
    pub(super) fn count(&self, question: Question, held: &Held, bytes: usize) {
        let mut kept = self.kept();
        if let Some(answer) = kept.answers.get_mut(&question)
            && Arc::ptr_eq(&answer.held, held)
        {
            answer.bytes += bytes;
            kept.bytes += bytes;
        }
        kept.fit(self.limit);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Asked {
    fn now(anew: bool) -> Self {
        Self {
            since: Instant::now(),
            anew,
        }
    }
}

impl<M> Kept<M> {
    fn fit(&mut self, limit: usize) {
        while self.bytes > limit
            && let Some((_, forgotten)) = self.answers.pop_lru()
        {
            self.bytes -= forgotten.bytes;
        }
    }

    /// Forgets the answers that have been kept for as long as any is.
    fn sweep(&mut self, now: Instant) {
        let old: Vec<Question> = self
            .answers
            .iter()
            .filter(|(_, answer)| now.duration_since(answer.since) >= KEPT)
            .map(|(question, _)| *question)
            .collect();
        for question in old {
            if let Some(forgotten) = self.answers.pop(&question) {
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
            answered(&remembered, number, 1, "123456");
        }
        assert!(answer(&remembered, 0, 1).is_some());
        answered(&remembered, 3, 1, "1");
        assert_eq!(remembered.kept().bytes, 3 * OVERHEAD + 13);
        assert!(answer(&remembered, 0, 1).is_some());
        assert_eq!(answer(&remembered, 1, 1), None);
        assert!(remembered.has_room(190) && !remembered.has_room(OVERHEAD));
    }

    #[test]
    fn without_memory_and_for_answers_of_one_each_is_anew() {
        let nothing = Remembered::<i32>::new(0);
        assert!(!nothing.asked_before(question(1)) && !nothing.asked_before(question(1)));
        let remembered = Remembered::<i32>::new(1 << 20);
        assert!(!remembered.asked_before(question(1)) && remembered.asked_before(question(1)));
        remembered.each_anew(question(1));
        assert!(!remembered.asked_before(question(1)));
    }

    #[test]
    fn what_came_to_nothing_is_tried_again_and_what_came_after_it_stays() {
        let remembered = Remembered::new(1 << 20);
        let failed = remembered.at(question(1), &7);
        failed.set(None).expect("nobody has answered it");
        remembered.forget(question(1), &failed);
        assert_eq!(remembered.kept().bytes, 0);
        answered(&remembered, 1, 7, "seven");
        remembered.forget(question(1), &failed);
        assert_eq!(answer(&remembered, 1, 7).as_deref(), Some("seven"));
    }

    #[test]
    fn none_is_kept_for_longer_than_five_minutes() {
        let remembered = Remembered::new(1 << 20);
        answered(&remembered, 1, 7, "seven");
        let now = Instant::now();
        remembered.kept().sweep(now + KEPT - SWEPT);
        assert!(answer(&remembered, 1, 7).is_some());
        remembered.kept().sweep(now + KEPT + SWEPT);
        let kept = remembered.kept();
        assert_eq!((kept.bytes, kept.answers.len()), (0, 0));
    }
}
