//! Backups are restored: a dump into a fresh installation, and a base backup with the write-ahead log to a moment of the past,
//! by the commands of docs/backup.md.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ::commands::gateways::SystemClock;
use ::commands::ports::Clock;
use chrono::Days;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use tests::process::{Answer, Client, Installation, SLUG, answer};

use super::{assert_cannot_run, remark};

/// A segment of the write-ahead log is switched and copied in well under a second where the machine is idle.
const ARCHIVED: Duration = Duration::from_secs(30);
/// Returns when a server that recovers has come to the moment that was wanted, and takes writes.
const UNTIL_PROMOTED: &str =
    "until [ \"$(psql -Atc 'select pg_is_in_recovery()')\" = f ]; do sleep 0.1; done; psql -Atc 'select 1'";

const BOOK: &str = "mutation($input: BookingRequestInput!) { bookingRequest(input: $input) {
    booking { id number } userErrors { code } position replayed } }";
const ERASE: &str = "mutation($input: CustomerEraseInput!) { customerErase(input: $input) {
    customer { name } userErrors { code } } }";
const RECORD: &str = "mutation($input: PaymentRecordInput!) { paymentRecord(input: $input) {
    payment { id } userErrors { code } } }";
const VERIFY: &str = "mutation($input: PaymentVerifyInput!) { paymentVerify(input: $input) {
    payment { status } userErrors { code } position } }";

/// What is owed, taxed and booked, as of now or of a position.
async fn totals(client: &Client, as_of: Option<i64>) -> Value {
    let today = SystemClock.now().date_naive();
    let period = format!("{}..{today}", today - Days::new(340));
    let as_of = as_of.map(|position| json!({ "position": position }));
    let ask = "query($asOf: AsOf, $period: String!) {
        trialBalance(asOf: $asOf) { accounts { account balance { minor } } sum { minor } }
        taxReport(state: \"CA\", period: $period, asOf: $asOf) { checksum total { tax { amount } } }
        bookings(first: 1, asOf: $asOf) { totalCount { value } } }";
    client.data(ask, json!({ "asOf": as_of, "period": period })).await
}

/// A party that nobody of the demo company has asked for.
fn party(key: &str, days: u64) -> Value {
    let day = SystemClock.now().date_naive() + Days::new(days);
    json!({ "input": {
        "idempotencyKey": key, "start": format!("{day}T15:00:00"), "guests": { "adults": 12 },
        "customer": { "name": "Ada Guest", "email": format!("{key}@example.com") },
        "venue": { "street": "1 Main St", "city": "San Jose", "state": "CA", "zip": "95112" },
    } })
}

async fn book(client: &Client, key: &str, days: u64) -> Value {
    let mut said = client.data(BOOK, party(key, days)).await;
    assert_eq!(said["bookingRequest"]["userErrors"], json!([]), "{said}");
    said["bookingRequest"].take()
}

/// Where the secrets of another installation are put, all but the password of a server that there is not yet.
fn bring_secrets(from: &Installation, to: &Installation) {
    fs::create_dir(to.data_dir()).expect("the place is ours");
    fs::set_permissions(to.data_dir(), Permissions::from_mode(0o755)).expect("it is ours");
    copy(&from.data_dir().join("secrets"), &to.data_dir().join("secrets"));
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.expect("cp can be run").success(), "{from:?} {to:?}");
}

/// Runs a program of Postgres on the private server of an installation.
fn lend(installation: &Installation, program: &[&str]) -> Answer {
    let mut command = installation.command_anywhere(&["postgres", "--data-dir"]);
    command.arg(installation.data_dir()).arg("--").args(program);
    answer(command)
}

/// The same, which must end well; what it printed.
fn well(installation: &Installation, program: &[&str]) -> String {
    let answer = lend(installation, program);
    assert_eq!(answer.code, Some(0), "{program:?}: {answer:?}");
    answer.out
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of the test's is text")
}

#[tokio::test]
async fn a_dump_is_restored_into_a_fresh_installation() {
    let old = Installation::demo();
    let (dump, head) = (old.place().join("hibachi.dump"), old.place().join("head.json"));
    let running = old.up(&[]);
    let admin = running.sign_in("admin").await;
    let booked = book(&admin, "before-the-dump", 70).await;
    old.well(&["replay", "sign-head", "--org", SLUG, "--out", text(&head)]);
    well(&old, &["pg_dump", "-Fc", "-f", text(&dump)]);
    let before = totals(&running.sign_in("accountant").await, None).await;
    running.stop(Signal::SIGTERM);

    let began = Instant::now();
    let new = Installation::empty();
    bring_secrets(&old, &new);
    fs::remove_file(new.data_dir().join("secrets/postgres-password")).unwrap();
    for told in [
        &["psql", "-d", "postgres", "-c", "create role hibachi_app nologin"][..],
        &[
            "pg_restore",
            "--create",
            "--exit-on-error",
            "-d",
            "postgres",
            text(&dump),
        ],
        &["vacuumdb", "--analyze-only", "-q"],
    ] {
        well(&new, told);
    }
    remark(format_args!(
        "a dump was restored in {} ms",
        began.elapsed().as_millis()
    ));
    let verified = new.well(&["replay", "verify", "--org", SLUG, "--against", text(&head)]);
    assert!(verified.contains("are as they were written"), "{verified}");
    let checked = new.well(&["projections", "check", "--org", SLUG]);
    assert!(
        checked.lines().all(|line| line.ends_with(", 0 differ")),
        "{checked}"
    );
    let found = new.run(&["doctor"]).out;
    for check in ["database", "read_models", "policies", "jobs"] {
        assert!(found.contains(&format!("well     {check}")), "{found}");
    }
    remark(format_args!(
        "restored and checked in {} ms",
        began.elapsed().as_millis()
    ));

    let running = new.up(&[]);
    assert_eq!(totals(&running.sign_in("accountant").await, None).await, before);
    let again = book(&running.sign_in("admin").await, "before-the-dump", 70).await;
    assert_eq!(
        (&again["replayed"], &again["booking"]),
        (&json!(true), &booked["booking"])
    );
}

#[tokio::test]
async fn a_base_backup_is_restored_to_a_moment_and_what_was_erased_since_is_erased_again() {
    let old = Installation::demo();
    let archive = old.place().join("archive");
    fs::create_dir(&archive).unwrap();
    // Postgres itself writes there, as the user that it runs as.
    fs::set_permissions(&archive, Permissions::from_mode(0o777)).unwrap();
    let at = text(&archive);
    let command = format!("test ! -f {at}/%f && cp %p {at}/%f.part && mv {at}/%f.part {at}/%f");
    for setting in [
        "alter system set archive_mode = on".to_owned(),
        format!("alter system set archive_command = '{command}'"),
    ] {
        well(&old, &["psql", "-qc", &setting]);
    }
    let (base, head, later) = (
        old.place().join("base"),
        old.place().join("head.json"),
        old.place().join("later.json"),
    );
    let running = old.up(&[]);
    well(&old, &["pg_basebackup", "-c", "fast", "-D", text(&base)]);
    well(&old, &["pg_verifybackup", text(&base)]);
    let admin = running.sign_in("admin").await;
    let booked = book(&admin, "after-the-base-backup", 70).await;
    old.well(&["replay", "sign-head", "--org", SLUG, "--out", text(&head)]);
    let (wanted, moment) = between_two_appends(&old).await;

    // What is not wanted: money, another party, and an erasure, which is wanted nevertheless.
    let money = json!({ "input": {
        "idempotencyKey": "money", "bookingId": booked["booking"]["id"], "kind": "DEPOSIT", "method": "ZELLE",
        "amountMinor": 10_000, "reference": "Z 1",
    } });
    let recorded = admin.data(RECORD, money).await;
    let payment = &recorded["paymentRecord"]["payment"]["id"];
    let accepted = json!({ "input": { "idempotencyKey": "found", "paymentId": payment, "accept": true } });
    let accepted = admin.data(VERIFY, accepted).await;
    assert_eq!(
        accepted["paymentVerify"]["payment"]["status"], "VERIFIED",
        "{accepted}"
    );
    book(&admin, "after-the-moment", 71).await;
    let erased = erase_somebody(&admin).await;
    let erasures = old.well(&["replay", "erasures", "--org", SLUG, "--json"]);
    old.well(&["replay", "sign-head", "--org", SLUG, "--out", text(&later)]);
    let accountant = running.sign_in("accountant").await;
    let (then, now) = (
        totals(&accountant, Some(wanted)).await,
        totals(&accountant, None).await,
    );
    assert_ne!(then, now);
    until_archived(&old).await;
    running.stop(Signal::SIGTERM);

    let began = Instant::now();
    let new = Installation::empty();
    bring_secrets(&old, &new);
    let cluster = new.data_dir().join("postgres");
    copy(&base, &cluster);
    let mut settings = OpenOptions::new()
        .append(true)
        .open(cluster.join("postgresql.auto.conf"))
        .unwrap();
    let told = [
        "archive_mode = off".to_owned(),
        format!("restore_command = 'cp {at}/%f %p'"),
        format!("recovery_target_time = '{}'", moment),
        "recovery_target_action = promote".to_owned(),
    ];
    writeln!(settings, "{}", told.join("\n")).unwrap();
    fs::write(cluster.join("recovery.signal"), "").unwrap();
    let owner = fs::metadata(old.data_dir().join("postgres")).unwrap();
    let owner = format!("{}:{}", owner.uid(), owner.gid());
    let given = Command::new("chown").args(["-R", &owner]).arg(&cluster).status();
    assert!(given.unwrap().success());
    well(&new, &["sh", "-c", UNTIL_PROMOTED]);
    remark(format_args!(
        "a base backup was restored to a moment in {} ms",
        began.elapsed().as_millis()
    ));

    let verified = new.well(&["replay", "verify", "--org", SLUG, "--against", text(&head)]);
    assert!(verified.contains(&format!(" {wanted} events in ")), "{verified}");
    let cut = new.run(&["replay", "verify", "--org", SLUG, "--against", text(&later)]);
    assert_eq!(cut.code, Some(1), "{cut:?}");
    assert!(cut.out.contains("the tail was cut"), "{cut:?}");
    let checked = new.well(&["projections", "check", "--org", SLUG]);
    assert!(
        checked.lines().all(|line| line.ends_with(", 0 differ")),
        "{checked}"
    );

    // Nothing goes out meanwhile: a demo company has no carrier.
    let running = new.up(&[]);
    let restored = totals(&running.sign_in("accountant").await, Some(wanted)).await;
    assert_eq!(restored, then);
    let admin = running.sign_in("admin").await;
    let named = "query($id: ID!) { customer(id: $id) { name } }";
    let known = admin.data(named, json!({ "id": erased })).await;
    assert_ne!(known["customer"]["name"], "[erased]", "the backup has the key");
    let receipts: Value = serde_json::from_str(&erasures).unwrap();
    let receipts = receipts["erasures"].as_array().unwrap();
    assert_eq!(receipts.len(), 1, "{receipts:?}");
    erase(&admin, &erased).await.expect("it is erased again");
    let known = admin.data(named, json!({ "id": erased })).await;
    assert_eq!(known["customer"]["name"], "[erased]");
    let again = new.well(&["replay", "erasures", "--org", SLUG, "--json"]);
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["erasures"][0]["destroyed"], receipts[0]["destroyed"]);
    remark(format_args!(
        "restored, checked and erased again in {} ms",
        began.elapsed().as_millis()
    ));
}

async fn erase(admin: &Client, customer: &Value) -> Result<(), Value> {
    let input = json!({
        "idempotencyKey": format!("erase {customer}"), "customerId": customer, "reason": "asked for by the person",
    });
    let said = admin.data(ERASE, json!({ "input": input })).await;
    if said["customerErase"]["userErrors"] == json!([]) {
        Ok(())
    } else {
        Err(said)
    }
}

/// Erases the first customer who has no party to come, and names them.
async fn erase_somebody(admin: &Client) -> Value {
    let said = admin
        .data("{ customers(first: 50) { nodes { id } } }", json!({}))
        .await;
    for customer in said["customers"]["nodes"].as_array().expect("it is a list") {
        if erase(admin, &customer["id"]).await.is_ok() {
            return customer["id"].clone();
        }
    }
    panic!("everybody has a party to come: {said}");
}

/// Where the log is, and a moment after that append and before the next.
async fn between_two_appends(installation: &Installation) -> (i64, String) {
    let mut superuser = installation.superuser().await;
    let mut alone = superuser.begin().await.expect("the database answers");
    // Whoever appends holds a row of it until its commit is seen.
    alone
        .execute("lock table log_head in exclusive mode")
        .await
        .expect("the lock comes free");
    let found = sqlx::query_as("select position, clock_timestamp()::text from log_head")
        .fetch_one(&mut *alone)
        .await
        .expect("there is one company");
    alone.commit().await.expect("nothing was written");
    found
}

/// Returns when all that was written until now is in the archive.
async fn until_archived(installation: &Installation) {
    let mut superuser = installation.superuser().await;
    let last: String = sqlx::query_scalar("select pg_walfile_name(pg_switch_wal())")
        .fetch_one(&mut superuser)
        .await
        .expect("the database answers");
    let deadline = Instant::now() + ARCHIVED;
    loop {
        let archived: Option<bool> =
            sqlx::query_scalar("select last_archived_wal >= $1 from pg_stat_archiver")
                .bind(&last)
                .fetch_one(&mut superuser)
                .await
                .expect("the database answers");
        if archived == Some(true) {
            return;
        }
        assert!(Instant::now() < deadline, "{last} is not archived");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn a_program_of_postgres_is_lent_the_private_server_and_nothing_is_made_by_mistake() {
    let nowhere = Installation::empty();
    assert_cannot_run(
        &lend(&nowhere, &["psql", "-Atc", "select 1"]),
        "there is no installation at",
    );
    assert!(!nowhere.data_dir().exists());
    let installation = Installation::demo();
    assert_eq!(
        lend(&installation, &["psql", "-Atc", "select current_user"]).out,
        "hibachi_admin\n"
    );
    let failed = lend(&installation, &["psql", "-Atc", "select 1 / 0"]);
    assert_eq!(failed.code, Some(2), "{failed:?}");
    assert!(
        failed.err.contains("hibachi: psql did not end well"),
        "{failed:?}"
    );
    assert_cannot_run(
        &lend(&installation, &["no-such-program"]),
        "no-such-program cannot be run",
    );
    assert_eq!(installation.postmaster(), None, "what was started is stopped");
}
