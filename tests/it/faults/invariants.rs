//! What must hold after every fault, whatever it was: an append that was acknowledged is in the log once, any other
//! is there whole or not at all, and the log is in order.

mod claims;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use domain::envelope::{Position, StoredEvent, StreamId, Version};
use domain::ids::{CommandId, EventId, TenantId};
use event_log::{Append, Database, EventLog, Outcome};
use futures::TryStreamExt;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tests::seed::remark;

/// How long statements whose client has gone may go on.
const SETTLING: Duration = Duration::from_secs(20);
/// Acknowledged appends that are asked for once more.
const ASKED_AGAIN: usize = 64;

/// What became of an append, as far as its caller knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The log said that it is there, from the first position to the last.
    Acknowledged { first: Position, last: Position },
    /// The log said that it took nothing.
    Refused,
    /// No answer came.
    Unknown,
}

impl Fate {
    /// What an outcome tells.
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Appended(receipt) | Outcome::Replayed(receipt) => Self::Acknowledged {
                first: receipt.first,
                last: receipt.last,
            },
            Outcome::Conflict { .. } | Outcome::ClaimRefused { .. } => Self::Refused,
            Outcome::IdempotencyMismatch => panic!("no two commands of a test share an id"),
        }
    }
}

/// An append and what its caller heard.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) append: Append,
    pub(crate) fate: Fate,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) acknowledged: usize,
    pub(crate) refused: usize,
    pub(crate) unknown: usize,
    pub(crate) unknown_but_there: usize,
    pub(crate) events: usize,
    pub(crate) conflicts_of_retries: usize,
    pub(crate) asked_again: usize,
}

/// Checks every tenant's log against what its clients know, asks again for what they do not know, and checks
/// once more. Clients and their logs must have stopped.
pub(crate) async fn assert_hold(superuser: PgConnectOptions, attempts: Vec<Attempt>) -> Counts {
    let mut connection = superuser.connect().await.expect("the database takes connections");
    settle(&mut connection).await;
    let database = Database::connect(superuser, 2)
        .await
        .expect("the database takes connections");
    let log = EventLog::start(database);
    let mut by_tenant: BTreeMap<TenantId, Vec<Attempt>> = BTreeMap::new();
    for attempt in attempts {
        by_tenant.entry(attempt.append.tenant).or_default().push(attempt);
    }
    let mut counts = Counts::default();
    for (tenant, mut attempts) in by_tenant {
        let there = audit(&log, &mut connection, tenant, &attempts).await;
        count(&mut counts, &attempts, &there);
        ask_again(&log, &mut attempts, &there, &mut counts).await;
        let there = audit(&log, &mut connection, tenant, &attempts).await;
        counts.events += there.events;
        assert!(attempts.iter().all(|attempt| attempt.fate != Fate::Unknown));
    }
    log.shut_down().await;
    remark(format_args!("{counts:?}"));
    counts
}

/// Waits until no statement runs whose client has gone: it could still commit.
pub(crate) async fn settle(connection: &mut PgConnection) {
    let deadline = tokio::time::Instant::now() + SETTLING;
    loop {
        let running: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'
                 and backend_type = 'client backend'",
        )
        .fetch_one(&mut *connection)
        .await
        .expect("the database answers");
        if running == 0 {
            return;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "{running} statements run on"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Which commands are in the log, and how many events.
struct There {
    commands: BTreeSet<CommandId>,
    events: usize,
}

async fn audit(
    log: &EventLog,
    connection: &mut PgConnection,
    tenant: TenantId,
    attempts: &[Attempt],
) -> There {
    // Asserts that positions have no hole.
    let events: Vec<StoredEvent> = log
        .stream_all(tenant, Position::START, None, None)
        .try_collect()
        .await
        .expect("the log has no hole");
    let head = log.head(tenant).await.expect("the log has a head").position;
    assert_eq!(
        usize::try_from(head.0),
        Ok(events.len()),
        "the head is the last event"
    );
    assert!(events.is_sorted_by_key(|event| event.recorded_at));
    assert_versions(&events);
    let verified = replays::verify(log, tenant, &())
        .await
        .expect("the chain verifies");
    assert_eq!(verified.events, head.0);
    let commands = assert_whole_or_absent(&events, attempts);
    assert_commands(connection, tenant, &commands).await;
    claims::assert_follow_from(connection, tenant, &events, attempts).await;
    There {
        commands,
        events: events.len(),
    }
}

fn assert_versions(events: &[StoredEvent]) {
    let mut versions: HashMap<&StreamId, Version> = HashMap::new();
    for event in events {
        let version = versions.entry(&event.stream).or_default();
        *version = version.next();
        assert_eq!(event.sequence, *version, "{} at {}", event.stream, event.position);
    }
}

/// Every event is one that was asked for, once; and of each append there are all or none, side by side and in
/// order, and of those that were acknowledged all, where it was said.
fn assert_whole_or_absent(events: &[StoredEvent], attempts: &[Attempt]) -> BTreeSet<CommandId> {
    let mut positions: HashMap<EventId, Position> = HashMap::new();
    for event in events {
        let twice = positions.insert(event.event_id, event.position);
        assert_eq!(twice, None, "event {} is there twice", event.event_id);
    }
    let mut there = BTreeSet::new();
    let mut asked_for = 0;
    for Attempt { append, fate } in attempts {
        let asked: Vec<EventId> = append
            .streams
            .iter()
            .flat_map(|write| &write.events)
            .map(|event| event.event_id)
            .collect();
        let found: Vec<Position> = asked
            .iter()
            .filter_map(|event| positions.get(event).copied())
            .collect();
        let named = append.command_id;
        assert!(
            found.is_empty() || found.len() == asked.len(),
            "half of command {named} is there: {fate:?}, {found:?}"
        );
        let in_a_row = found.windows(2).all(|pair| pair[1] == pair[0].next());
        assert!(in_a_row, "command {named} is torn: {found:?}");
        match fate {
            Fate::Acknowledged { first, last } => assert_eq!(
                (found.first(), found.last()),
                (Some(first), Some(last)),
                "command {named} was acknowledged"
            ),
            Fate::Refused => assert_eq!(found, [], "command {named} was refused"),
            Fate::Unknown => {}
        }
        if !found.is_empty() {
            asked_for += found.len();
            there.insert(named);
        }
    }
    assert_eq!(asked_for, events.len(), "nothing is there that nobody asked for");
    there
}

/// A command is known exactly when its events are there.
async fn assert_commands(connection: &mut PgConnection, tenant: TenantId, there: &BTreeSet<CommandId>) {
    let known: Vec<sqlx::types::Uuid> =
        sqlx::query_scalar("select command_id from commands where tenant_id = $1 order by command_id")
            .bind(tenant.0)
            .fetch_all(connection)
            .await
            .expect("the database answers");
    let there: Vec<sqlx::types::Uuid> = there.iter().map(|command| command.0).collect();
    assert_eq!(known, there, "the commands that are known");
}

fn count(counts: &mut Counts, attempts: &[Attempt], there: &There) {
    for Attempt { append, fate } in attempts {
        match fate {
            Fate::Acknowledged { .. } => counts.acknowledged += 1,
            Fate::Refused => counts.refused += 1,
            Fate::Unknown => {
                counts.unknown += 1;
                counts.unknown_but_there += usize::from(there.commands.contains(&append.command_id));
            }
        }
    }
}

/// Under its id a command that is there answers with its first result, and one that is not is done now, if it
/// still can be.
async fn ask_again(log: &EventLog, attempts: &mut [Attempt], there: &There, counts: &mut Counts) {
    let acknowledged = attempts
        .iter()
        .filter(|attempt| matches!(attempt.fate, Fate::Acknowledged { .. }));
    let every = acknowledged.count().div_ceil(ASKED_AGAIN).max(1);
    let mut passed = 0;
    for attempt in attempts {
        let known = attempt.fate;
        match known {
            Fate::Refused => continue,
            Fate::Unknown => {}
            Fate::Acknowledged { .. } => {
                passed += 1;
                if passed % every != 0 {
                    continue;
                }
                counts.asked_again += 1;
            }
        }
        let outcome = log.append(attempt.append.clone()).await.expect("the log answers");
        let was_there = there.commands.contains(&attempt.append.command_id);
        match &outcome {
            Outcome::Replayed(_) => assert!(was_there, "{attempt:?} was not there"),
            Outcome::Appended(_) => assert!(!was_there, "{attempt:?} was written twice"),
            Outcome::Conflict { .. } | Outcome::ClaimRefused { .. } => {
                assert!(!was_there, "{attempt:?} was there and is refused");
                counts.conflicts_of_retries += 1;
            }
            Outcome::IdempotencyMismatch => panic!("{attempt:?} is not itself"),
        }
        attempt.fate = Fate::of(&outcome);
        assert!(
            known == Fate::Unknown || known == attempt.fate,
            "{known:?} became {:?}",
            attempt.fate
        );
    }
}
