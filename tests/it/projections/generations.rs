//! Rebuilding without a pause: generations that are built, swapped, rolled back and removed while others read and write.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use domain::envelope::Position;
use domain::ids::BookingId;
use projections::booking_list::{self, BookingFilter, BookingRow, BookingSort};
use projections::{
    At, Finish, Fresh, GenerationError, GenerationState, Late, Page, Projection, ProjectionError,
    ProjectionState, ReadError, ReadModels, Rebuild, Rebuilt, Slice, Unwatched, Waited, Worker, projection,
    registry,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rand::Rng;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use tests::process::{Installation, answer};
use tests::seed::{random, remark, seed};

use super::company::{Company, TENANT, auditor, id};

const LIST: &str = "booking_list";

fn list() -> &'static dyn Projection {
    projection(LIST).expect("there is one")
}

async fn rebuild(models: &ReadModels, memory: usize, finish: Finish) -> Result<Rebuilt, ProjectionError> {
    let how = Rebuild { memory, finish };
    list().rebuild_as(models, TENANT, how, &Unwatched).await
}

/// The generations of the list of bookings, by number.
async fn generations(models: &ReadModels) -> Vec<(i32, GenerationState)> {
    let all = models.generations(TENANT).await.expect("the database answers");
    let of_list = all.into_iter().filter(|generation| generation.projection == LIST);
    of_list
        .map(|generation| (generation.generation, generation.state))
        .collect()
}

/// The generations that the list of bookings has rows of.
async fn stored(superuser: &mut PgConnection) -> Vec<i32> {
    sqlx::query_scalar("select distinct generation from booking_list order by 1")
        .fetch_all(superuser)
        .await
        .expect("the test database answers")
}

async fn set_version(superuser: &mut PgConnection, generation: i32, version: i32) {
    let done = sqlx::query(
        "update projection_checkpoints set fold_version = $3 where projection = $1 and generation = $2",
    )
    .bind(LIST)
    .bind(generation)
    .bind(version)
    .execute(superuser)
    .await
    .expect("the test database answers");
    assert_eq!(done.rows_affected(), 1);
}

async fn page(models: &ReadModels, at: At) -> Result<Page<BookingRow>, ReadError> {
    let filter = BookingFilter::default();
    booking_list::page(
        models,
        &auditor(),
        filter,
        BookingSort::StartAsc,
        Slice::first(1_000),
        at,
    )
    .await
}

fn at_least(position: Position) -> At {
    At::Live {
        fresh: Some(Fresh {
            at_least: position,
            wait: Duration::from_secs(20),
            then: Late::Refuse,
        }),
    }
}

/// What may happen to a booking next.
#[derive(Debug, Clone, Copy)]
enum Happens {
    Request,
    Pay,
    Complete,
    Cancel,
}

async fn happen(company: &Company, log: &[(u64, Happens)]) {
    for (booking, happens) in log {
        match happens {
            Happens::Request => company.request(*booking).await,
            Happens::Pay => company.pay(*booking).await,
            Happens::Complete => company.complete(*booking).await,
            Happens::Cancel => company.cancel(*booking).await,
        };
    }
}

fn any_log() -> impl Strategy<Value = Vec<(u64, Happens)>> {
    let happens = prop_oneof![
        Just(Happens::Request),
        Just(Happens::Pay),
        Just(Happens::Complete),
        Just(Happens::Cancel),
    ];
    prop::collection::vec((0_u64..12, happens), 1..60)
}

#[tokio::test]
async fn rows_that_do_not_fit_into_memory_are_those_that_do() {
    const CASES: u32 = 5;
    let mut runner = TestRunner::deterministic();
    let mut rows = 0;
    for _ in 0..CASES {
        let (log, limits) = (
            any_log(),
            prop::collection::vec(0_usize..40_000, registry().len()),
        )
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let company = Company::new().await;
        company.open().await;
        happen(&company, &log).await;
        company.models.catch_up(TENANT).await.unwrap();
        for (projection, memory) in registry().iter().zip(limits) {
            let finish = Finish::Swap;
            let spilled = projection
                .rebuild_as(&company.models, TENANT, Rebuild { memory, finish }, &Unwatched)
                .await
                .unwrap();
            assert_eq!(
                spilled.differences,
                Some(vec![]),
                "{} {memory} {log:?}",
                projection.name()
            );
            rows += spilled.rows;
        }
    }
    remark(format_args!(
        "{CASES} logs, {} read models, {rows} rows",
        registry().len()
    ));
}

#[tokio::test]
async fn one_generation_is_kept_for_a_rollback_and_what_was_before_it_is_removed() {
    let company = Company::busy(8).await;
    let models = &company.models;
    models.catch_up(TENANT).await.unwrap();
    let mut superuser = company.database.superuser().await;
    let nothing = list().roll_back(models, TENANT, &Unwatched).await.unwrap_err();
    assert!(
        matches!(
            nothing,
            ProjectionError::Generation {
                error: GenerationError::NothingRetired,
                ..
            }
        ),
        "{nothing:?}"
    );
    for _ in 0..3 {
        list().rebuild(models, TENANT, &Unwatched).await.unwrap();
    }
    let (live, retired) = (GenerationState::Live, GenerationState::Retired);
    assert_eq!(generations(models).await, [(3, retired), (4, live)]);
    assert_eq!(stored(&mut superuser).await, [3, 4]);

    // What is live goes on, the other stands still.
    company.request(30).await;
    let head = models.catch_up(TENANT).await.unwrap();
    let before = page(models, At::NOW).await.unwrap();
    let back = list().roll_back(models, TENANT, &Unwatched).await.unwrap();
    assert_eq!((back.generation, back.instead_of, back.position), (3, 4, head));
    assert_eq!(generations(models).await, [(3, live), (4, retired)]);
    assert_eq!(page(models, At::NOW).await.unwrap(), before);
    company.request(31).await;
    models.catch_up(TENANT).await.unwrap();
    assert_eq!(
        page(models, At::NOW).await.unwrap().rows.len(),
        before.rows.len() + 1
    );
    // And back again.
    list().roll_back(models, TENANT, &Unwatched).await.unwrap();
    assert_eq!(generations(models).await, [(3, retired), (4, live)]);
    super::assert_rebuilds_to_the_same(models).await;

    set_version(&mut superuser, 4, 1).await;
    let other = list().roll_back(models, TENANT, &Unwatched).await.unwrap_err();
    let said = "booking_list: the generation before the live one is of version 1 of the fold; this program has version";
    assert_eq!(other.to_string(), format!("{said} {}", list().fold_version()));
}

#[tokio::test]
async fn what_is_built_and_held_waits_until_it_is_swapped_in() {
    let company = Company::busy(8).await;
    let models = &company.models;
    models.catch_up(TENANT).await.unwrap();
    let nothing = list().swap(models, TENANT, &Unwatched).await.unwrap_err();
    assert!(
        matches!(
            nothing,
            ProjectionError::Generation {
                error: GenerationError::NothingBuilt,
                ..
            }
        ),
        "{nothing:?}"
    );
    let held = rebuild(models, 1 << 20, Finish::Hold).await.unwrap();
    assert_eq!((held.generation, held.differing), (2, Some(0)));
    let (building, live, retired) = (
        GenerationState::Building,
        GenerationState::Live,
        GenerationState::Retired,
    );
    assert_eq!(generations(models).await, [(1, live), (2, building)]);
    company.request(30).await;
    let head = models.catch_up(TENANT).await.unwrap();
    let swapped = list().swap(models, TENANT, &Unwatched).await.unwrap();
    assert_eq!(
        (
            swapped.generation,
            swapped.resumed_at,
            swapped.position,
            swapped.differing
        ),
        (2, held.position, head, Some(0))
    );
    assert_eq!(generations(models).await, [(1, retired), (2, live)]);
    super::assert_rebuilds_to_the_same(models).await;
}

#[tokio::test]
async fn a_row_that_the_database_does_not_take_is_held_back_by_a_rebuild_as_it_is_live() {
    let company = Company::busy(3).await;
    let models = &company.models;
    let mut superuser = company.database.superuser().await;
    superuser
        .execute("alter table booking_list add check (city <> 'Oakland')")
        .await
        .unwrap();
    for n in 4..9 {
        company.request(n).await;
        company.pay(n).await;
    }
    models.catch_up(TENANT).await.unwrap();
    let live = page(models, At::NOW).await.unwrap();
    assert!(live.info.incomplete);
    for memory in [0, 8_000, 1 << 20] {
        let rebuilt = rebuild(models, memory, Finish::Swap).await.unwrap();
        assert_eq!(rebuilt.differences, Some(vec![]), "{memory}");
        assert_eq!(page(models, At::NOW).await.unwrap(), live, "{memory}");
    }
}

#[tokio::test]
async fn programs_of_two_versions_side_by_side_each_go_on_with_rows_of_their_own() {
    let company = Company::busy(8).await;
    let models = &company.models;
    models.catch_up(TENANT).await.unwrap();
    let mut superuser = company.database.superuser().await;
    list().rebuild(models, TENANT, &Unwatched).await.unwrap();
    // A newer program built the second.
    set_version(&mut superuser, 2, 99).await;
    superuser
        .execute("update booking_list set city = 'as a newer fold has it' where generation = 2")
        .await
        .unwrap();
    company.request(30).await;
    let head = models.catch_up(TENANT).await.unwrap();
    let ours = page(models, at_least(head)).await.unwrap();
    assert_eq!(ours.info.position, head);
    assert!(
        ours.rows
            .iter()
            .any(|listed| listed.row.booking_id == BookingId(id(30)))
    );
    assert!(
        ours.rows
            .iter()
            .all(|listed| listed.row.city != "as a newer fold has it")
    );
    let status = &models.status(TENANT).await.unwrap()[0];
    assert_eq!(
        (status.name, status.generation, &status.state),
        (LIST, 1, &ProjectionState::Live)
    );
    let all = models.generations(TENANT).await.unwrap();
    let newer = all
        .iter()
        .find(|one| one.projection == LIST && one.generation == 2)
        .unwrap();
    assert!(newer.position < head, "it is the newer program's to move");
    // A newer program that starts finds its own: ours is outdated for nobody.
    assert!(
        list()
            .refresh(models, TENANT, &Unwatched)
            .await
            .unwrap()
            .is_none()
    );

    // Without one of ours there is no answer, and nothing is taken from the newer program.
    set_version(&mut superuser, 1, 98).await;
    let refused = page(models, At::NOW).await.unwrap_err();
    assert!(
        matches!(
            refused,
            ReadError::StaleRead {
                position: Position::START,
                ..
            }
        ),
        "{refused:?}"
    );
    let newer = models.catch_up(TENANT).await.unwrap_err();
    assert!(
        matches!(newer, ProjectionError::NewerFold { stored: 99, .. }),
        "{newer:?}"
    );
    assert_eq!(
        generations(models).await,
        [(1, GenerationState::Retired), (2, GenerationState::Live)]
    );
    // Who goes back to this version on purpose builds it.
    list().rebuild(models, TENANT, &Unwatched).await.unwrap();
    assert_eq!(page(models, At::NOW).await.unwrap().rows, ours.rows);
}

#[tokio::test]
async fn two_nodes_build_anew_once_what_an_older_fold_has_made() {
    let company = Company::busy(8).await;
    company.models.catch_up(TENANT).await.unwrap();
    let mut superuser = company.database.superuser().await;
    set_version(&mut superuser, 1, 1).await;
    let other_node = ReadModels::new(company.database.log().await);
    let (ours, theirs) = tokio::join!(
        list().refresh(&company.models, TENANT, &Unwatched),
        list().refresh(&other_node, TENANT, &Unwatched)
    );
    let built: Vec<Rebuilt> = [ours.unwrap(), theirs.unwrap()].into_iter().flatten().collect();
    assert_eq!(built.len(), 1, "{built:?}");
    assert_eq!(
        generations(&other_node).await,
        [(1, GenerationState::Retired), (2, GenerationState::Live)]
    );
}

/// Readers that ask as fast as they can, and hold each answer to what it must be.
async fn read_until(models: ReadModels, stop: &AtomicBool, marked: u64, answers: &AtomicU64) {
    let mut last = Position::START;
    while !stop.load(Ordering::Relaxed) {
        let page = page(&models, at_least(last)).await.expect("a reader sees no gap");
        assert!(page.info.position >= last, "{} after {last}", page.info.position);
        last = page.info.position;
        let generation: BTreeSet<Option<String>> = page
            .rows
            .iter()
            .filter(|listed| (1..=marked).any(|n| listed.row.booking_id == BookingId(id(n))))
            .map(|listed| listed.row.source.clone())
            .collect();
        assert_eq!(generation.len(), 1, "rows of several generations in one answer");
        let requested = booking_list::count(&models, &auditor(), BookingFilter::default(), at_least(last))
            .await
            .expect("a reader sees no gap");
        assert!(requested.info.position >= last);
        assert!(requested.value >= u64::try_from(page.rows.len()).expect("a count"));
        last = requested.info.position;
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_see_no_gap_and_no_mixture_while_generations_come_and_go() {
    const MARKED: u64 = 12;
    const ROUNDS: i32 = 3;
    let company = Company::busy(MARKED).await;
    let worker = Worker::start(company.models.clone());
    company.models.catch_up(TENANT).await.unwrap();
    let nodes = [
        company.models.clone(),
        ReadModels::new(company.database.log().await),
        ReadModels::new(company.database.log().await),
    ];
    let (stop, answers, appended) = (AtomicBool::new(false), AtomicU64::new(0), AtomicI64::new(0));
    let append = async {
        let mut n = 100;
        while !stop.load(Ordering::Relaxed) {
            company.request(n).await;
            appended.store(company.pay(n).await.0, Ordering::Relaxed);
            n += 1;
        }
    };
    let generations_come_and_go = async {
        let mut superuser = company.database.superuser().await;
        for round in 0..ROUNDS {
            let live: i32 = sqlx::query_scalar(
                "select generation from projection_checkpoints where projection = $1 and status = 'live'",
            )
            .bind(LIST)
            .fetch_one(&mut superuser)
            .await
            .unwrap();
            // In one statement, so that the rows of one generation are told from another's.
            let mark = format!("update booking_list set source = 'round {round}' where generation = {live}");
            superuser.execute(AssertSqlSafe(mark)).await.unwrap();
            let memory = if round % 2 == 0 { 20_000 } else { 1 << 20 };
            rebuild(&company.models, memory, Finish::Swap).await.unwrap();
            list()
                .roll_back(&company.models, TENANT, &Unwatched)
                .await
                .unwrap();
            rebuild(&company.models, 1 << 20, Finish::Hold).await.unwrap();
            list().swap(&company.models, TENANT, &Unwatched).await.unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    };
    let [a, b, c] = nodes.map(|node| read_until(node, &stop, MARKED, &answers));
    tokio::join!(append, generations_come_and_go, a, b, c);
    let last = Position(appended.load(Ordering::Relaxed));
    let reached = company
        .models
        .wait_for(TENANT, LIST, last, Duration::from_secs(20))
        .await;
    assert_eq!(reached.unwrap(), Waited::Reached);
    worker.stop().await;
    remark(format_args!(
        "{} answers, {last} events",
        answers.load(Ordering::Relaxed)
    ));
    company.models.catch_up(TENANT).await.unwrap();
    super::assert_rebuilds_to_the_same(&company.models).await;
}

/// Where the generation that is being built stands, and its number.
async fn building(superuser: &mut PgConnection) -> Option<(i32, i64)> {
    sqlx::query_as(
        "select generation, position from projection_checkpoints where projection = $1 and status = 'building'",
    )
    .bind(LIST)
    .fetch_optional(superuser)
    .await
    .expect("the test database answers")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_that_is_killed_is_taken_up_where_it_was() {
    const BOOKINGS: u64 = 1_500;
    const KILLS: u64 = 3;
    let company = Company::new().await;
    company.open().await;
    company.request_many(1..=BOOKINGS).await;
    company.models.catch_up(TENANT).await.unwrap();
    let installation = Installation::empty();
    let (seed, url) = (seed(), company.database.url());
    let arguments = [
        "projections",
        "rebuild",
        "--only",
        LIST,
        "--memory-mb",
        "1",
        "--database-url",
        &url,
    ];
    let rebuild = || {
        let mut command = installation.command(&arguments);
        // The log holds events, and a program that makes a key of its own then could not open what is sealed.
        command.env("HIBACHI_MASTER_KEY", "07".repeat(32));
        command
    };
    let mut superuser = company.database.superuser().await;
    // The live one is held, so that no rebuild comes to its end.
    let mut holder = company.database.superuser().await;
    holder
        .execute("begin; select from projection_checkpoints where projection = 'booking_list' for update")
        .await
        .unwrap();
    let mut reached = 0;
    for kill in 0..KILLS {
        let mut program = rebuild().spawn().unwrap();
        let began = std::time::Instant::now();
        while building(&mut superuser)
            .await
            .is_none_or(|(_, position)| position <= reached)
        {
            assert!(began.elapsed() < Duration::from_secs(60), "it builds");
            if kill > 0 && reached >= i64::try_from(BOOKINGS).unwrap() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let more = random(seed, kill).random_range(0..120);
        tokio::time::sleep(Duration::from_millis(more)).await;
        program.kill().unwrap();
        program.wait().unwrap();
        let (generation, position) = building(&mut superuser).await.unwrap();
        assert_eq!(generation, 2, "none was begun anew");
        assert!(position >= reached, "{position} after {reached}");
        remark(format_args!("killed at {position} after {more} ms more"));
        reached = position;
    }
    holder.execute("rollback").await.unwrap();
    let done = answer(rebuild());
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.contains(", generation 2, taken up at "), "{done:?}");
    assert_eq!(
        generations(&company.models).await,
        [(1, GenerationState::Retired), (2, GenerationState::Live)]
    );
    super::assert_rebuilds_to_the_same(&company.models).await;
}
