//! The command that lends a server to another.

use crate::support::{eventually, exists, is_root, open_place, skipped, started, with_postgres};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).expect("it is there").next().is_none()
}

#[test]
fn the_command_gets_a_url_and_its_exit_code_is_passed_on() {
    let place = open_place();
    let output = with_postgres()
        .env("TMPDIR", place.path())
        .args(["--setting", "work_mem=9MB", "--", "sh", "-c"])
        .arg(r#"psql -XAtc 'show work_mem' "$HIBACHI_TEST_POSTGRES"; exit 7"#)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "9MB\n", "{output:?}");
    assert_eq!(output.status.code(), Some(7));
    assert!(is_empty(place.path()), "the temporary directory is removed");
}

#[test]
fn a_temporary_server_takes_any_password_and_one_that_stays_takes_its_own() {
    let place = open_place();
    let data = place.path().join("data");
    let guess = r#"psql -XAtwc 'select 1' "$(echo "$HIBACHI_TEST_POSTGRES" | sed 's/:[^:@]*@/:guessed@/')""#;
    let asked = |directory: &[&str]| {
        let mut command = with_postgres();
        command.args(directory).args(["--", "sh", "-c", guess]);
        command.output().unwrap()
    };
    let temporary = asked(&[]);
    assert_eq!(String::from_utf8_lossy(&temporary.stdout), "1\n", "{temporary:?}");
    let stays = asked(&["--data-dir", data.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&stays.stderr);
    assert!(said.contains("password authentication failed"), "{stays:?}");
}

#[test]
fn wrong_uses_have_codes_of_their_own() {
    let code = |arguments: &[&str]| with_postgres().args(arguments).output().unwrap().status.code();
    assert_eq!(code(&[]), Some(2));
    assert_eq!(code(&["--"]), Some(2));
    assert_eq!(code(&["--colour", "red", "--", "true"]), Some(2));
    assert_eq!(code(&["--setting", "fsync=off", "--", "true"]), Some(125));
    assert_eq!(code(&["--", "no-such-command-here"]), Some(127));
}

#[test]
fn a_signal_reaches_the_command_and_the_server_is_stopped_and_removed() {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130)] {
        let place = open_place();
        let note = place.path().join("note");
        let temporary = place.path().join("temporary");
        fs::create_dir(&temporary).unwrap();
        let line = format!("touch {} && exec sleep 60", note.display());
        let mut launcher = with_postgres();
        // Not in a terminal's foreground, as under a service manager: then SIGINT comes only from us.
        launcher.env("TMPDIR", &temporary).args(["--", "sh", "-c", &line]);
        let mut launcher = launcher.process_group(0).spawn().unwrap();
        eventually("the start of the command", || note.exists());
        let data = fs::read_dir(&temporary).unwrap().next().unwrap().unwrap().path();
        let server = crate::support::postmaster_of(&data).unwrap();
        kill(Pid::from_raw(launcher.id().try_into().unwrap()), signal).unwrap();
        assert_eq!(launcher.wait().unwrap().code(), Some(code));
        assert!(!exists(server));
        assert!(is_empty(&temporary));
    }
}

#[test]
fn an_ordinary_user_runs_it_and_root_then_runs_it_as_that_user() {
    let Some(nobody) = User::from_name("nobody").unwrap().filter(|_| is_root()) else {
        return skipped("only root can become another user");
    };
    let place = open_place();
    fs::set_permissions(place.path(), Permissions::from_mode(0o777)).unwrap();
    let program = place.path().join("with-postgres");
    fs::copy(env!("CARGO_BIN_EXE_with-postgres"), &program).unwrap();
    let data = place.path().join("data");
    let as_nobody = |data: &Path| {
        let mut command = Command::new(&program);
        command
            .uid(nobody.uid.as_raw())
            .gid(nobody.gid.as_raw())
            .current_dir("/");
        command
            .env("HOME", place.path())
            .env("TMPDIR", place.path())
            .arg("--data-dir")
            .arg(data);
        command.args([
            "--",
            "sh",
            "-c",
            r#"id -u; psql -XAtc 'select 40 + 2' "$HIBACHI_TEST_POSTGRES""#,
        ]);
        command.output().unwrap()
    };
    let expected = format!("{}\n42\n", nobody.uid);
    for _ in 0..2 {
        let output = as_nobody(&data);
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{output:?}");
    }

    let server = started(&data);
    let owner = fs::metadata(format!("/proc/{}", server.pid().unwrap())).map(|process| process.uid());
    assert_eq!(owner.unwrap_or(nobody.uid.as_raw()), nobody.uid.as_raw());
    server.stop().unwrap();
    let output = as_nobody(&data);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        expected,
        "root left nothing it cannot use: {output:?}"
    );

    let closed = place.path().join("closed");
    fs::create_dir(&closed).unwrap();
    chown(&closed, Some(0), Some(0)).unwrap();
    let output = as_nobody(&closed);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(125));
    assert!(
        said.contains("cannot be used") && said.contains("closed"),
        "{said}"
    );
}
