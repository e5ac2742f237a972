//! Ends that nobody planned.

use crate::support::{eventually, open_place, postmaster_of, query, started, with_postgres};
use embedded_postgres::StopError;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

fn send(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).expect("the process is there");
}

#[test]
fn what_was_acknowledged_survives_kill_9_of_the_server() {
    let place = open_place();
    let data = place.path().join("data");
    let mut server = started(&data);
    query(&server, "create table booking as select 4711 as number");
    send(server.pid().unwrap(), Signal::SIGKILL);
    eventually("notice of the end", || server.check_running().is_err());
    let ended = server.stop().unwrap_err();
    assert!(
        matches!(&ended, StopError::StoppedUnexpectedly { status: Some(_), log_tail } if log_tail.contains("ready"))
    );

    let server = started(&data);
    assert!(!server.adopted());
    assert_eq!(query(&server, "select number from booking"), "4711");
    server.stop().unwrap();
}

#[test]
fn a_server_that_died_unnoticed_is_replaced_while_its_launcher_lives() {
    let place = open_place();
    let data = place.path().join("data");
    let first = started(&data);
    send(first.pid().unwrap(), Signal::SIGKILL);
    let socket = first.socket_dir().join(".s.PGSQL.5432");
    eventually("the end of the server", || UnixStream::connect(&socket).is_err());
    let second = started(&data);
    assert!(!second.adopted());
    assert_eq!(query(&second, "select 1"), "1");
    assert!(first.stop().is_err());
}

/// Starts `with-postgres` with a command that waits; its own process id, the server's and the command's.
fn waiting_launcher(data: &Path) -> (std::process::Child, i32, i32) {
    let note = data.with_extension("note");
    let line = format!(
        "echo $$ > {0}.draft && mv {0}.draft {0} && exec sleep 60",
        note.display()
    );
    let launcher = with_postgres()
        .arg("--data-dir")
        .arg(data)
        .args(["--", "sh", "-c", &line])
        .spawn()
        .expect("it runs");
    let mut command = None;
    eventually("the start of the command", || {
        command = fs::read_to_string(&note)
            .ok()
            .and_then(|pid| pid.trim().parse().ok());
        command.is_some()
    });
    let server = postmaster_of(data).expect("the server is up before the command");
    (launcher, server, command.expect("it was just read"))
}

#[test]
#[cfg(target_os = "linux")]
fn the_server_ends_in_order_when_its_launcher_is_killed() {
    let place = open_place();
    let data = place.path().join("data");
    let (mut launcher, server, command) = waiting_launcher(&data);
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    eventually("the end of the server", || !crate::support::exists(server));
    send(command, Signal::SIGKILL);
    let log = fs::read_to_string(data.join("postgres.log")).unwrap();
    assert!(log.contains("received fast shutdown request"), "{log}");
    assert!(log.trim_end().ends_with("database system is shut down"), "{log}");
    started(&data).stop().unwrap();
}

#[test]
fn a_directory_starts_again_after_kill_9_of_launcher_and_server() {
    let place = open_place();
    let data = place.path().join("data");
    let (mut launcher, server, command) = waiting_launcher(&data);
    // Held still first, so that the launcher's end cannot become an orderly one.
    send(server, Signal::SIGSTOP);
    launcher.kill().unwrap();
    launcher.wait().unwrap();
    send(server, Signal::SIGKILL);
    send(command, Signal::SIGKILL);
    assert!(
        data.join("run/.s.PGSQL.5432.lock").exists(),
        "the crash left its lock"
    );
    let server = started(&data);
    assert!(!server.adopted());
    assert_eq!(query(&server, "select 1"), "1");
    server.stop().unwrap();
}

#[test]
fn a_stale_pid_that_now_belongs_to_another_program_does_not_stop_a_start() {
    let place = open_place();
    let data = place.path().join("data");
    let cluster = data.join("postgres");
    let server = started(&data);
    let pid_file = fs::read_to_string(cluster.join("postmaster.pid")).unwrap();
    let lock = fs::read_to_string(data.join("run/.s.PGSQL.5432.lock")).unwrap();
    let old = server.pid().unwrap().to_string();
    server.stop().unwrap();

    let owner = fs::metadata(&cluster).unwrap();
    let mut sleeper = Command::new("sleep");
    sleeper.arg("60");
    if crate::support::is_root() {
        sleeper.uid(owner.uid()).gid(owner.gid());
    }
    let mut sleeper = sleeper.spawn().unwrap();
    let new = sleeper.id().to_string();
    fs::write(cluster.join("postmaster.pid"), pid_file.replacen(&old, &new, 1)).unwrap();
    fs::write(data.join("run/.s.PGSQL.5432.lock"), lock.replacen(&old, &new, 1)).unwrap();
    std::os::unix::fs::chown(
        cluster.join("postmaster.pid"),
        Some(owner.uid()),
        Some(owner.gid()),
    )
    .unwrap();

    let server = started(&data);
    assert!(!server.adopted());
    assert_eq!(query(&server, "select 1"), "1");
    server.stop().unwrap();
    assert!(
        sleeper.try_wait().unwrap().is_none(),
        "the other program is left alone"
    );
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}

#[test]
fn an_empty_pid_file_and_an_unfinished_cluster_are_cleared_away() {
    let place = open_place();
    let data = place.path().join("data");
    fs::create_dir_all(data.join("postgres.unfinished/base")).unwrap();
    let server = started(&data);
    server.stop().unwrap();
    assert!(!data.join("postgres.unfinished").exists());
    fs::write(data.join("postgres/postmaster.pid"), "").unwrap();
    started(&data).stop().unwrap();
}
