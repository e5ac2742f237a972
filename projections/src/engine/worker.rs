//! Following the log: at once when this process appends, by looking at every log's end when another does.

mod bring;
mod builds;
mod companies;
mod look;
mod turn;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use domain::envelope::Position;
use domain::ids::TenantId;
use event_log::LogError;
use futures::FutureExt;
use tokio::sync::{broadcast, watch};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use self::builds::{Builds, Subject};
use self::companies::{Companies, Ended, Standing, Turn};
use self::turn::Built;
use super::models::ReadModels;
use super::registry::projection;

/// Companies whose turn it is at the same time, each with two connections.
const AT_ONCE: usize = 4;
/// The first wait for events of other processes; it doubles while none come.
const POLL_FIRST: Duration = Duration::from_millis(50);
/// The longest wait.
const POLL_LAST: Duration = Duration::from_secs(1);
/// A wait is so many times as long as the look before it took: looking takes no more than this share of the time.
const POLL_SHARE: u32 = 20;
/// How long a look at every log's end may take.
const POLL_PATIENCE: Duration = Duration::from_secs(10);
/// How long a question to the database about one company may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a read model, or a log, that cannot go on is left alone.
const LEAVE_ALONE: Duration = Duration::from_secs(30);

/// A task that brings the read models of every company forward.
#[derive(Debug)]
pub struct Worker {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Worker {
    /// Starts following, in the runtime that this is called in.
    pub fn start(models: ReadModels) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(models.follow_until(stopped));
        Self { stop, task }
    }

    /// Finishes the transactions at hand and ends.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the worker of the read models did not end well");
        }
    }
}

/// What a worker waits for.
enum Came {
    /// A company's turn has ended.
    Turn(TenantId, Ended),
    /// Where every log ends, after looking for so long.
    Heads(Result<Vec<(TenantId, Position)>, LogError>, Duration),
    /// A read model was built anew, or until when it is left alone.
    Build(Subject, Option<Instant>),
}

/// When to look for what other processes have appended.
struct Poll {
    at: Instant,
    wait: Duration,
    looking: Option<AbortHandle>,
}

impl Poll {
    /// Looks as soon as may be.
    fn hurry(&mut self) {
        self.wait = POLL_FIRST;
        self.at = Instant::now();
    }

    /// Waits longer the longer nothing has come.
    fn ended(&mut self, took: Duration, news: bool) {
        let wait = if news { POLL_FIRST } else { self.wait * 2 };
        self.wait = wait.max(took * POLL_SHARE).min(POLL_LAST);
        self.at = Instant::now() + self.wait;
        self.looking = None;
    }
}

impl ReadModels {
    /// Brings the read models of every company forward until told to stop, or until nobody can tell.
    pub async fn follow_until(self, mut stop: watch::Receiver<bool>) {
        let mut appended = Some(self.log().appended());
        let mut companies = Companies::default();
        let mut builds = Builds::default();
        let mut poll = Poll {
            at: Instant::now(),
            wait: POLL_FIRST,
            looking: None,
        };
        let mut tasks = JoinSet::new();
        while !*stop.borrow() {
            let now = Instant::now();
            if poll.looking.is_none() && poll.at <= now {
                let models = self.clone();
                poll.looking = Some(tasks.spawn(async move { models.look_at_heads().await }));
            }
            while let Some(subject) = builds.next() {
                let (models, stop) = (self.clone(), stop.clone());
                tasks.spawn(async move { models.build_anew(subject, stop).await });
            }
            while tasks.len() < AT_ONCE + builds.at_work() + usize::from(poll.looking.is_some())
                && let Some(turn) = companies.next_turn(now)
            {
                let (models, stop) = (self.clone(), stop.clone());
                tasks.spawn(async move { models.take_turn(turn, stop).await });
            }
            let due = [poll.looking.is_none().then_some(poll.at), companies.due()];
            let due = due.into_iter().flatten().min().unwrap_or(now + POLL_LAST);
            tokio::select! {
                stopped = stop.changed() => if stopped.is_err() { break },
                told = next_told(&mut appended) => match told {
                    Some(told) => companies.appended(told.tenant, told.position),
                    // Some were missed: where the logs end tells whose.
                    None => poll.hurry(),
                },
                Some(came) = tasks.join_next() => match came {
                    Ok(came) => came.noted_in(&mut companies, &mut builds, &mut poll),
                    Err(error) => {
                        tracing::error!(panicked = error.is_panic(), "a turn of the read models was cut off");
                    }
                },
                () = sleep_until(due) => {}
            }
        }
        if let Some(looking) = poll.looking {
            looking.abort();
        }
        // What has begun is finished.
        while tasks.join_next().await.is_some() {}
    }

    async fn look_at_heads(&self) -> Came {
        let began = Instant::now();
        let heads = timeout(POLL_PATIENCE, self.log().heads()).await;
        let heads = heads.unwrap_or(Err(LogError::Unavailable {
            retry_after: POLL_LAST,
        }));
        Came::Heads(heads, began.elapsed())
    }

    /// Builds a read model anew. Told to stop, it leaves off: the next that builds it goes on where this one was.
    async fn build_anew(&self, subject: Subject, mut stop: watch::Receiver<bool>) -> Came {
        let (tenant, name) = subject;
        let build = AssertUnwindSafe(async { self.build(tenant, projection(name)?).await });
        let built = tokio::select! {
            built = build.catch_unwind() => built,
            _ = stop.wait_for(|stop| *stop) => return Came::Build(subject, None),
        };
        let left_alone = match built {
            Ok(Ok(Built::Done)) => None,
            Ok(Ok(Built::Busy)) => Some(POLL_LAST),
            Ok(Err(error)) => {
                tracing::error!(%tenant, projection = name, %error, "a read model cannot be built anew");
                Some(LEAVE_ALONE)
            }
            Err(_) => {
                tracing::error!(%tenant, projection = name, "the building of a read model panicked");
                Some(LEAVE_ALONE)
            }
        };
        Came::Build(subject, left_alone.map(|wait| Instant::now() + wait))
    }

    /// One company's turn; one that panics is the end of that turn alone.
    async fn take_turn(&self, turn: Turn, stop: watch::Receiver<bool>) -> Came {
        let (tenant, head) = (turn.tenant, turn.head);
        let ended = AssertUnwindSafe(self.turn(turn, stop)).catch_unwind().await;
        let ended = ended.unwrap_or_else(|_| {
            tracing::error!(%tenant, "a turn of the read models panicked");
            Ended {
                standing: Standing::default(),
                looked_to: head,
                moved: false,
                more: false,
                again: Some(Instant::now() + LEAVE_ALONE),
                outdated: Vec::new(),
            }
        });
        Came::Turn(tenant, ended)
    }
}

impl Came {
    fn noted_in(self, companies: &mut Companies, builds: &mut Builds, poll: &mut Poll) {
        let now = Instant::now();
        match self {
            Self::Turn(tenant, mut ended) => {
                for name in std::mem::take(&mut ended.outdated) {
                    builds.ask((tenant, name), now);
                }
                companies.ended(tenant, ended, now);
            }
            Self::Build(subject, left_alone) => {
                builds.ended(subject, left_alone);
                companies.look_again(subject.0, left_alone.unwrap_or(now));
            }
            Self::Heads(Ok(heads), took) => {
                let news = heads
                    .into_iter()
                    .filter(|(tenant, head)| companies.found(*tenant, *head))
                    .count();
                poll.ended(took, news > 0);
            }
            Self::Heads(Err(error), took) => {
                tracing::warn!(%error, "the read models cannot see where the logs end");
                poll.ended(took, false);
            }
        }
    }
}

/// The next word of this process' appender; none where some were missed. Once nobody can append in this process any
/// more, it waits for ever.
async fn next_told(
    appended: &mut Option<broadcast::Receiver<event_log::Appended>>,
) -> Option<event_log::Appended> {
    match appended {
        Some(receiver) => match receiver.recv().await {
            Ok(told) => Some(told),
            Err(broadcast::error::RecvError::Lagged(_)) => None,
            Err(broadcast::error::RecvError::Closed) => {
                *appended = None;
                None
            }
        },
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn a_worker_that_misses_words_is_told_so_and_hears_the_next() {
        let (send, receiver) = broadcast::channel(1);
        let mut appended = Some(receiver);
        let word = |position| event_log::Appended {
            tenant: TenantId(Uuid::from_u128(1)),
            position: Position(position),
        };
        for position in [1, 2, 3] {
            send.send(word(position)).unwrap();
        }
        assert_eq!(next_told(&mut appended).await, None, "two were missed");
        assert_eq!(next_told(&mut appended).await, Some(word(3)));
        drop(send);
        assert_eq!(next_told(&mut appended).await, None, "nobody appends any more");
        assert!(appended.is_none());
    }
}
