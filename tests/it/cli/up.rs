//! `hibachi up`: a first start, a second one, and an end in order.

use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::{User, geteuid};
use serde_json::json;
use tests::process::{Installation, Running};

use super::{exists, remark};

/// How soon a second start must be ready.
const WARM: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_first_start_says_how_to_sign_in_and_a_second_is_quick_and_keeps_the_data() {
    let installation = Installation::empty();
    let running = installation.up(&["--demo"]);
    remark(format_args!("cold start {} ms", running.took.as_millis()));
    assert!(
        !running.url.ends_with(":0"),
        "{} is the port that was taken",
        running.url
    );
    assert_eq!(
        running.sign_in("admin").await.get("/health/ready").await,
        "ready\n"
    );
    let head = installation.head().await;
    let postgres = installation.postmaster().expect("its Postgres is up");
    let _silent = connect(&running);
    let url = running.url.clone();
    let ended = running.stop(Signal::SIGINT);
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    // A machine that is busy with other things is told of in warnings.
    let err: Vec<_> = ended
        .err
        .iter()
        .filter(|line| !line.contains("slow statement"))
        .collect();
    assert_eq!(err, ["setting up the demo company …"]);
    let said = ended.out.join("\n");
    for part in [
        "my-hibachi",
        "admin@demo.test",
        "hibachi-demo-1",
        &format!("{url}/graphiql"),
        "Ctrl-C",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!exists(postgres));
    assert_eq!(installation.postmaster(), None);

    let running = installation.up(&["--demo"]);
    remark(format_args!("warm start {} ms", running.took.as_millis()));
    assert!(running.took < WARM, "{:?}", running.took);
    assert!(installation.head().await >= head);
    let admin = running.sign_in("admin").await;
    let log = admin
        .data("{ log { position } viewer { email } }", json!({}))
        .await;
    assert!(log["log"]["position"].as_i64() >= Some(head), "{log}");
    assert_eq!(log["viewer"]["email"], "admin@demo.test");
    let postgres = installation.postmaster().expect("its Postgres is up");
    let ended = running.stop(Signal::SIGTERM);
    assert_eq!((ended.status.code(), ended.err), (Some(0), vec![]));
    assert!(!exists(postgres));
}

/// A client that has connected and never says anything.
fn connect(running: &Running) -> TcpStream {
    let address = running.url.strip_prefix("http://").expect("it is an address");
    TcpStream::connect(address).expect("it listens")
}

#[tokio::test]
async fn a_signal_right_after_ready_ends_it_in_order() {
    let installation = Installation::demo();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let running = installation.up(&[]);
        let postgres = installation.postmaster().expect("its Postgres is up");
        let ended = running.stop(signal);
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        assert!(!exists(postgres));
    }
}

#[tokio::test]
async fn an_ordinary_user_starts_it_in_a_directory_of_their_own() {
    let nobody = User::from_name("nobody").expect("the users can be read");
    let Some(nobody) = nobody.filter(|_| geteuid().is_root()) else {
        return remark(format_args!("skipped: only root can become another user"));
    };
    let (uid, gid) = (nobody.uid.as_raw(), nobody.gid.as_raw());
    let installation = Installation::empty();
    fs::create_dir(installation.data_dir()).unwrap();
    chown(installation.data_dir(), Some(uid), Some(gid)).unwrap();
    // The checkout may be where only root can go.
    let program = installation.place().join("hibachi");
    fs::copy(installation.program(), &program).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();

    for start in ["cold", "warm"] {
        let told = installation.command(&["up", "--demo", "--listen", "127.0.0.1:0"]);
        let mut command = std::process::Command::new(&program);
        command.args(told.get_args()).uid(uid).gid(gid).current_dir("/");
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", installation.data_dir());
        let running = Running::start(command);
        remark(format_args!(
            "{start} start of an ordinary user {} ms",
            running.took.as_millis()
        ));
        let viewer = running
            .sign_in("chef")
            .await
            .data("{ viewer { role } }", json!({}))
            .await;
        assert_eq!(viewer["viewer"]["role"], "CHEF");
        for made in ["postgres", "secrets", "run"] {
            let owner = fs::metadata(installation.data_dir().join(made)).unwrap().uid();
            assert_eq!(owner, uid, "{made}");
        }
        let postgres = installation.postmaster().expect("its Postgres is up");
        let ended = running.stop(Signal::SIGINT);
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        assert!(!exists(postgres));
    }
}
