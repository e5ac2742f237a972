//! `hibachi replay bundle`, `check-bundle` and `import`: a company moves, and an auditor needs nothing but the files.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use chrono::Days;
use commands::gateways::SystemClock;
use commands::ports::Clock;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::postgres::PgConnection;
use tests::process::{Installation, SLUG, answer};

use super::assert_cannot_run;

const BUNDLE: [&str; 6] = ["replay", "bundle", "--org", SLUG, "--out", "bundle"];
const VERIFY: [&str; 5] = ["replay", "verify", "--org", SLUG, "--json"];
const REQUEST: &str = "mutation($input: BookingRequestInput!) { bookingRequest(input: $input) {
    booking { id number version customer { name } } position replayed userErrors { code message } } }";
/// A password in the new installation.
const OF_NEW: &str = "marinade over charcoal";
const PATIENCE: Duration = Duration::from_secs(60);

fn party(key: &str, days: u64) -> Value {
    let day = SystemClock.now().date_naive() + Days::new(days);
    json!({
        "idempotencyKey": key,
        "customer": { "name": format!("Guest {key}"), "email": format!("{key}@example.com") },
        "venue": { "street": "1 Main St", "city": "San Jose", "state": "CA", "zip": "95112" },
        "start": format!("{day}T18:00:00"),
        "guests": { "adults": 12, "children": 4 },
    })
}

/// An installation with nothing in it but another's master key.
fn elsewhere(home: &Installation) -> Installation {
    let elsewhere = Installation::empty();
    let secrets = elsewhere.data_dir().join("secrets");
    let mut directory = fs::DirBuilder::new();
    directory
        .recursive(true)
        .mode(0o755)
        .create(elsewhere.data_dir())
        .expect("the test's own world");
    directory
        .mode(0o700)
        .create(&secrets)
        .expect("the test's own world");
    fs::copy(
        home.data_dir().join("secrets/master-key"),
        secrets.join("master-key"),
    )
    .expect("the test's own world");
    elsewhere
}

fn in_json(text: &str) -> Value {
    serde_json::from_str(text).expect("the test's own world")
}

#[tokio::test]
async fn a_company_moves_and_its_log_its_reports_and_its_answers_stay_the_same() {
    let home = Installation::demo();
    let running = home.up(&[]);
    let admin = running.sign_in("admin").await;
    let input = json!({ "input": party("before", 200) });
    let booked = admin.data(REQUEST, input.clone()).await;
    assert_eq!(booked["bookingRequest"]["userErrors"], json!([]), "{booked}");
    assert_eq!(running.stop(Signal::SIGTERM).status.code(), Some(0));
    let said = home.well(&[&BUNDLE[..], &["--with-keys"]].concat());
    assert!(said.contains(" events/s"), "{said}");
    let bundle = home.place().join("bundle");
    let bundle = bundle.to_str().unwrap();
    let key = fs::read_to_string(home.place().join("bundle/public-key.txt")).unwrap();

    let verified = in_json(&home.well(&VERIFY));
    // The new installation.
    let new = elsewhere(&home);
    let imported = new.well(&["replay", "import", bundle, "--public-key", key.trim()]);
    assert!(
        imported.contains(verified["head"].as_str().unwrap()),
        "{imported}"
    );
    let moved = in_json(&new.well(&VERIFY));
    for same in ["ok", "head", "events", "blocks", "claims"] {
        assert_eq!(moved[same], verified[same], "{same}");
    }
    new.well(&[&BUNDLE[..], &["--with-keys"]].concat());
    for file in fs::read_dir(home.place().join("bundle")).unwrap() {
        let name = file.unwrap().file_name();
        let [here, there] =
            [&home, &new].map(|place| fs::read(place.place().join("bundle").join(&name)).unwrap());
        // What is not is what the new installation has signed with its own key.
        let signs = [
            "manifest.json",
            "manifest.sig",
            "public-key.txt",
            "signed-head.json",
        ];
        assert_eq!(
            here == there,
            !signs.iter().any(|signed| name == *signed),
            "{name:?}"
        );
    }
    let models = |place: &Installation| {
        let text = fs::read_to_string(place.place().join("bundle/manifest.json")).unwrap();
        in_json(&text)["read_models"].take()
    };
    assert_eq!(models(&home), models(&new));
    let today = SystemClock.now().date_naive();
    let period = format!("{}..{today}", today - Days::new(340));
    let report = [
        "tax", "report", "--org", SLUG, "--state", "CA", "--period", &period,
    ];
    let reports = [home.well(&report), new.well(&report)];
    assert!(reports[0].lines().count() > 5, "{}", reports[0]);
    assert_eq!(reports[0], reports[1]);
    assert_cannot_run(
        &new.run(&["replay", "import", bundle]),
        "is in this database already",
    );

    // Business goes on: a retry from before the move gets its first answer, and a new party is booked.
    let running = new.up(&[]);
    // Passwords are in no bundle.
    let given = new
        .command(&["user", "password", "--org", SLUG, "--email", "admin@demo.test"])
        .env("HIBACHI_PASSWORD", OF_NEW)
        .output()
        .expect("the program runs");
    assert!(given.status.success(), "{given:?}");
    let admin = running.sign_in_by("admin", OF_NEW).await;
    let mut again = admin.data(REQUEST, input).await["bookingRequest"].take();
    assert_eq!(again["replayed"], true, "{again}");
    again["replayed"] = json!(false);
    assert_eq!(again, booked["bookingRequest"], "and the name opens");
    let next = admin.data(REQUEST, json!({ "input": party("after", 201) })).await;
    assert_eq!(next["bookingRequest"]["userErrors"], json!([]), "{next}");
    assert_eq!(running.stop(Signal::SIGTERM).status.code(), Some(0));
    let verified = in_json(&new.well(&VERIFY));
    assert!(verified["events"].as_i64() > moved["events"].as_i64());
}

#[test]
fn an_auditor_needs_nothing_but_the_files() {
    let home = Installation::demo();
    home.well(&[&BUNDLE[..], &["--with-keys"]].concat());
    let bundle = home.place().join("bundle");
    let bundle = bundle.to_str().unwrap();
    let key = fs::read_to_string(home.place().join("bundle/public-key.txt")).unwrap();

    // An auditor, who has neither database nor installation nor anything to start one with.
    let auditor = Installation::empty();
    let mut command = auditor.command_anywhere(&[
        "replay",
        "check-bundle",
        bundle,
        "--json",
        "--public-key",
        key.trim(),
    ]);
    command
        .env_clear()
        .env("PATH", "/nowhere")
        .env("HIBACHI_DATA_DIR", "/nowhere");
    let checked = answer(command);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let checked = in_json(&checked.out);
    let verified = in_json(&home.well(&VERIFY));
    for same in ["head", "events", "blocks", "claims"] {
        assert_eq!(checked[same], verified[same], "{same}");
    }
    assert_eq!(checked["key_is_trusted"], true);
    let models = checked["read_models"].as_array().unwrap();
    assert!(
        models.len() > 10 && models.iter().all(|model| model["compared"] == true),
        "{models:?}"
    );
    assert_eq!(
        fs::read_dir(auditor.place()).unwrap().count(),
        0,
        "nothing was started or made"
    );
    let own = auditor.command_anywhere(&["replay", "check-bundle", bundle]);
    let own = answer(own);
    assert!(
        own.out
            .contains("which came with the bundle: that shows only that"),
        "{own:?}"
    );
}

/// Holds an import up at its claims, which come after the log, for as long as the lock is held.
const HOLD: &str = "create function hold() returns trigger language plpgsql as $$ begin
        perform pg_advisory_xact_lock(1);
        return null;
    end $$;
    create trigger hold before insert on claims_unique for each statement execute function hold()";

#[tokio::test]
async fn an_import_that_is_killed_leaves_nothing_to_be_seen_and_is_taken_up() {
    let home = Installation::demo();
    home.well(&[&BUNDLE[..], &["--with-keys"]].concat());
    let bundle = home.place().join("bundle");
    let import = ["replay", "import", bundle.to_str().unwrap()];
    let new = elsewhere(&home);
    // Migrated, and up by itself, so that it outlives the import.
    assert_cannot_run(
        &new.run(&["replay", "verify", "--org", SLUG]),
        "there is no organisation with the slug",
    );
    let server = new.postgres();
    let mut superuser = new.superuser().await;
    superuser.execute(HOLD).await.unwrap();
    superuser.execute("select pg_advisory_lock(1)").await.unwrap();
    let mut child = new
        .command(&import)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let events = until_held(&mut superuser).await;
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGKILL).unwrap();
    child.wait().unwrap();
    superuser
        .execute(
            "select pg_advisory_unlock(1);
             select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'advisory'",
        )
        .await
        .unwrap();
    assert_cannot_run(
        &new.run(&["replay", "verify", "--org", SLUG]),
        "there is no organisation with the slug",
    );
    let taken_up = new.well(&import);
    assert!(
        taken_up.starts_with(&format!("taken up after position {events}\n")),
        "{taken_up}"
    );
    let verified = [&home, &new].map(|place| in_json(&place.well(&VERIFY)));
    assert_eq!(verified[0]["head"], verified[1]["head"]);
    assert_eq!(verified[0]["claims"], verified[1]["claims"]);
    superuser
        .execute("drop trigger hold on claims_unique")
        .await
        .unwrap();
    server.stop().unwrap();
}

/// Waits until the import is held up; the events that are written then.
async fn until_held(superuser: &mut PgConnection) -> i64 {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let held: bool = sqlx::query_scalar(
            "select exists (select from pg_locks where locktype = 'advisory' and not granted and objid = 1)",
        )
        .fetch_one(&mut *superuser)
        .await
        .expect("the test's own world");
        if held {
            return sqlx::query_scalar("select events from log_imports")
                .fetch_one(superuser)
                .await
                .expect("the test's own world");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the import never came to its claims");
}

#[test]
fn a_bundle_without_keys_is_asked_about_and_a_damaged_one_is_not_imported() {
    let home = Installation::demo();
    home.well(&BUNDLE);
    let bundle = home.place().join("bundle");
    let import = ["replay", "import", bundle.to_str().unwrap()];
    let new = Installation::empty();
    assert_cannot_run(&new.run(&import), "--without-keys");
    assert!(!new.data_dir().exists(), "it is asked before anything is made");
    assert_cannot_run(
        &new.run(&["replay", "import", "nowhere"]),
        "there is no bundle at nowhere",
    );
    assert_cannot_run(&home.run(&BUNDLE), "is there already, and is no empty directory");

    let events = bundle.join("events-00001.ndjson.gz");
    let well = fs::read(&events).unwrap();
    let mut damaged = well.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 4;
    fs::write(&events, damaged).unwrap();
    let refused = new.run(&[&import[..], &["--without-keys"]].concat());
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused
            .out
            .starts_with("events-00001.ndjson.gz: the file was changed")
            && refused
                .out
                .lines()
                .nth(1)
                .is_some_and(|line| line.contains(", position ")),
        "{refused:?}"
    );
    fs::write(&events, well).unwrap();
    let said = new.well(&[&import[..], &["--without-keys", "--as-slug", "moved"]].concat());
    assert!(said.contains("persons stays sealed for ever"), "{said}");
    let verified = in_json(&new.well(&["replay", "verify", "--org", "moved", "--json"]));
    assert_eq!(verified["ok"], true);
}
