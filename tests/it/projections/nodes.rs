//! Several programs at the read models of one company: one takes over what another drops, and nothing is done twice.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use domain::envelope::Position;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use projections::{Unwatched, Waited, registry};
use rand::Rng;
use rand::seq::IndexedRandom;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};
use tests::process::Installation;
use tests::seed::{random, remark, seed};

use super::company::{Company, TENANT};

/// What a second program has to take a dead one's work within.
const TAKE_OVER: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(30);

/// A `hibachi work` on a company's database.
struct Node {
    child: Child,
    // Its secrets; the database is the test's.
    _place: Installation,
}

impl Node {
    fn start(company: &Company) -> Self {
        let place = Installation::empty();
        let child: Child = command(&place, company)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program can be run");
        Self { child, _place: place }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("process numbers are small");
        kill(Pid::from_raw(pid), signal).expect("it is our child, and has not been waited for");
    }

    fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    fn kill(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn command(place: &Installation, company: &Company) -> Command {
    let mut command = place.command(&["work"]);
    command.env("DATABASE_URL", company.database.url());
    // The log holds events, and a program that makes a key of its own then could not open what is sealed.
    command.env("HIBACHI_MASTER_KEY", "07".repeat(32));
    command
}

/// Waits until every read model holds a position, and says how long that took.
async fn reach(company: &Company, position: Position) -> Duration {
    let began = Instant::now();
    for projection in registry() {
        let waited = company
            .models
            .wait_for(TENANT, projection.name(), position, PATIENCE)
            .await
            .expect("the database answers");
        assert_eq!(waited, Waited::Reached, "{}", projection.name());
    }
    began.elapsed()
}

/// Every read model is what the log gives.
async fn assert_equal_to_the_log(company: &Company) {
    for projection in registry() {
        let checked = projection.check(&company.models, TENANT, &Unwatched).await;
        let differences = checked.expect("the read models answer").differences;
        assert_eq!(differences, [], "{}", projection.name());
    }
}

/// A booking with all that comes of it.
async fn book(company: &Company, n: u64) -> Position {
    company.request(n).await;
    company.pay(n).await;
    company.complete(n).await
}

/// Waits until somebody waits for a lock on a table.
async fn somebody_waits_for(superuser: &mut PgConnection, table: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let waits: bool = sqlx::query_scalar(
            "select exists (select from pg_locks where not granted and relation = $1::regclass
             and database = (select oid from pg_database where datname = current_database()))",
        )
        .bind(table)
        .fetch_one(&mut *superuser)
        .await
        .expect("the locks can be seen");
        if waits {
            return;
        }
        assert!(Instant::now() < deadline, "nobody comes to {table}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Stops every worker at a table of the read models: rows of others may be written by then, no checkpoint is.
async fn stop_at(company: &Company, table: &str) -> PgConnection {
    let mut superuser = company.database.superuser().await;
    let lock = format!("begin; lock table {table} in access exclusive mode");
    superuser
        .execute(AssertSqlSafe(lock))
        .await
        .expect("nobody holds it for long");
    superuser
}

#[tokio::test]
async fn a_program_that_is_killed_between_rows_and_checkpoint_is_followed_by_another_within_10_s() {
    let seed = seed();
    let mut random = random(seed, 0);
    let company = Company::new().await;
    company.open().await;
    let mut n = 0;
    let mut longest = Duration::ZERO;
    for _ in 0..3 {
        let table = ["booking_list", "payment_list", "audit_trail", "tax_summary"]
            .choose(&mut random)
            .copied()
            .expect("there are some");
        let mut lock = stop_at(&company, table).await;
        let mut last = Position::START;
        for _ in 0..random.random_range(1..6) {
            n += 1;
            last = book(&company, n).await;
        }
        let mut killed = Node::start(&company);
        somebody_waits_for(&mut lock, table).await;
        killed.kill();
        let _other = Node::start(&company);
        let began = Instant::now();
        lock.execute("rollback").await.expect("the lock is ours");
        reach(&company, last).await;
        longest = longest.max(began.elapsed());
    }
    remark(format_args!(
        "{n} bookings; taken over within {} ms",
        longest.as_millis()
    ));
    assert!(longest < TAKE_OVER, "{longest:?}");
    assert_equal_to_the_log(&company).await;
}

#[tokio::test]
async fn a_program_that_stands_still_in_a_transaction_loses_its_work_to_another_within_10_s() {
    let company = Company::new().await;
    company.open().await;
    let last = book(&company, 1).await;
    let mut lock = stop_at(&company, "tax_ledger").await;
    let mut still = Node::start(&company);
    somebody_waits_for(&mut lock, "tax_ledger").await;
    still.signal(Signal::SIGSTOP);
    // Its statement goes on, and its transaction waits for a program that says nothing more.
    lock.execute("rollback").await.expect("the lock is ours");
    let _other = Node::start(&company);
    let took = reach(&company, last).await;
    remark(format_args!("taken over within {} ms", took.as_millis()));
    assert!(took < TAKE_OVER, "{took:?}");
    still.signal(Signal::SIGCONT);
    let next = book(&company, 2).await;
    reach(&company, next).await;
    assert!(still.is_alive(), "who was thrown out goes on");
    assert_equal_to_the_log(&company).await;
}

#[tokio::test]
async fn of_two_programs_at_work_either_may_be_killed_at_any_moment() {
    let seed = seed();
    let mut random = random(seed, 0);
    let company = Company::new().await;
    company.open().await;
    let mut nodes = [Node::start(&company), Node::start(&company)];
    let mut last = Position::START;
    for n in 1..=24 {
        last = book(&company, n).await;
        if n % 6 == 0 {
            let killed = random.random_range(0..nodes.len());
            tokio::time::sleep(Duration::from_millis(random.random_range(0..40))).await;
            nodes[killed].kill();
            nodes[killed] = Node::start(&company);
        }
    }
    let took = reach(&company, last).await;
    assert!(took < TAKE_OVER, "{took:?}");
    assert_equal_to_the_log(&company).await;
    for node in &nodes {
        node.signal(Signal::SIGTERM);
    }
    for node in &mut nodes {
        let ended = node.child.wait().expect("it is our child");
        assert!(ended.success(), "{ended}");
    }
}
