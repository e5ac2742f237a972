//! How a running server is reached, and by whom.

use crate::support::{is_root, mode, open_place, query, query_url, started};
use embedded_postgres::{PortChoice, Server, Settings, StartError, start};
use nix::unistd::{Pid, getpgid, getpgrp};
use std::fs::{self, Permissions};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn a_new_directory_becomes_a_durable_server_that_starts_again_quickly() {
    let place = open_place();
    let data = place.path().join("data");
    let server = started(&data);
    for (setting, value) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("max_connections", "200"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("password_encryption", "scram-sha-256"),
    ] {
        assert_eq!(query(&server, &format!("show {setting}")), value, "{setting}");
    }
    assert_eq!(
        query(
            &server,
            "select datcollate from pg_database where datname = 'postgres'"
        ),
        "C"
    );
    assert_eq!(query(&server, "select current_user"), server.superuser());
    assert!(query(&server, "show server_version").starts_with(&server.version_major().to_string()));
    assert!(!server.adopted());
    let (first_url, socket_dir) = (server.url("postgres"), server.socket_dir().to_path_buf());
    server.stop().unwrap();
    assert!(
        fs::read_dir(&socket_dir).unwrap().next().is_none(),
        "the socket is gone"
    );

    let begun = Instant::now();
    let server = started(&data);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(3), "a warm start took {took:?}");
    assert_eq!(server.url("postgres"), first_url);
    assert_eq!(query(&server, "select 1"), "1");
    server.stop().unwrap();
}

#[test]
fn only_its_user_reaches_the_cluster_the_socket_and_the_password() {
    let place = open_place();
    let server = started(&place.path().join("data"));
    let data = fs::canonicalize(place.path().join("data")).unwrap();
    for private in ["postgres", "run", "secrets"] {
        assert_eq!(mode(&data.join(private)), 0o700, "{private}");
    }
    for private in ["secrets/postgres-password", "postgres.log", "postgres.lock"] {
        assert_eq!(mode(&data.join(private)), 0o600, "{private}");
    }
    assert_eq!(server.socket_dir(), data.join("run"));
    let owner = fs::metadata(data.join("postgres")).unwrap().uid();
    assert_ne!(owner, 0, "Postgres refuses root");
    assert_eq!(is_root(), owner != nix::unistd::geteuid().as_raw());

    let wrong = server.url("postgres").replace(server.password(), "guessed");
    let refused = query_url(&wrong, server.binaries(), "select 1").unwrap_err();
    assert!(refused.contains("password authentication failed"), "{refused}");
    assert!(!format!("{server:?}").contains(server.password()));
}

#[test]
fn a_private_directory_stays_private_but_for_passing_through() {
    let place = open_place();
    let data = place.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
    let server = started(&data);
    assert_eq!(query(&server, "select 1"), "1");
    assert_eq!(mode(&data), if is_root() { 0o710 } else { 0o700 });
}

#[test]
fn the_pasted_line_reaches_the_server() {
    let place = open_place();
    for name in ["it's \"odd\" %41", "comma,comma"] {
        let server = started(&place.path().join(name));
        assert_pasted_line(&server);
        assert_eq!(query(&server, "select 1"), "1");
    }
}

fn assert_pasted_line(server: &Server) {
    let line = format!("{} -XAtc 'select 40 + 2'", server.psql_command("postgres"));
    let output = Command::new("sh")
        .args(["-c", &line])
        .output()
        .expect("there is a shell");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "42\n",
        "{line}: {output:?}"
    );
    assert!(!line.contains(server.password()));
}

#[test]
fn settings_are_passed_through_and_the_server_keeps_its_own_process_group() {
    let place = open_place();
    let extra_settings = vec![
        ("work_mem".to_owned(), "7MB".to_owned()),
        ("max_connections".into(), "31".into()),
    ];
    let server = start(Settings {
        extra_settings,
        ..Settings::new(place.path().join("data"))
    })
    .unwrap();
    assert_eq!(query(&server, "show work_mem"), "7MB");
    assert_eq!(query(&server, "show max_connections"), "31");
    let pid = Pid::from_raw(server.pid().unwrap());
    assert_eq!(getpgid(Some(pid)), Ok(pid));
    assert_ne!(getpgrp(), pid);
}

#[test]
fn a_port_is_listened_on_only_when_asked_for_and_only_when_free() {
    let place = open_place();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let settings = Settings {
        port: PortChoice::Loopback(port),
        ..Settings::new(place.path().join("data"))
    };

    let refused = start(settings.clone()).unwrap_err();
    assert!(
        matches!(refused, StartError::PortOrSocketInUse { port: taken } if taken == port),
        "{refused}"
    );

    drop(listener);
    let server = start(settings).unwrap();
    assert_eq!(server.port(), port);
    TcpStream::connect(("127.0.0.1", port)).unwrap();
    assert_eq!(query(&server, "select 1"), "1");
}

#[test]
fn a_path_too_long_for_a_socket_gets_a_private_directory_elsewhere() {
    let place = open_place();
    let data = place
        .path()
        .join("a-directory-name-of-quite-some-length/".repeat(4));
    let server = started(&data);
    let elsewhere = server.socket_dir().to_path_buf();
    assert!(!elsewhere.starts_with(place.path()), "{}", elsewhere.display());
    assert_eq!(mode(&elsewhere), 0o700);
    assert_eq!(query(&server, "select 1"), "1");
    server.stop().unwrap();
    assert!(!elsewhere.exists());
}
