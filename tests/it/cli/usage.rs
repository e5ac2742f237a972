//! What cannot run: exit code 2, and one line that says why.

use std::fs;
use std::net::TcpListener;

use tests::process::{Installation, SLUG, answer};

use super::assert_cannot_run;

#[test]
fn a_wrong_use_is_refused_with_a_hint() {
    let installation = Installation::empty();
    for (arguments, hint) in [
        (["fly", "to", "the", "moon"].as_slice(), "fly"),
        (&[], "Usage: hibachi"),
        (&["tax"], "report"),
        (&["tax", "report", "--state", "CA", "--period", "2025"], "--org"),
        (&["replay", "verify"], "--org"),
        (
            &["demo", "bookings", "--from", "2025-02-30", "--to", "2025-12-31"],
            "2025-02-30",
        ),
        (
            &[
                "demo",
                "bookings",
                "--from",
                "2025-01-01",
                "--to",
                "2025-12-31",
                "--count",
                "0",
            ],
            "--count",
        ),
        (&["up", "--listen", "everywhere"], "everywhere"),
        (
            &["up", "--keep-results-days", "29"],
            "'--keep-results-days <DAYS>': results of commands are kept for at least 30 days",
        ),
        (&["work", "--keep-results-days", "ever"], "--keep-results-days"),
        (
            &["serve", "--trusted-proxy", "10.1.2.3/8"],
            "'--trusted-proxy <CIDR>': 10.1.2.3/8 has bits beyond its length; is 10.0.0.0/8 meant?",
        ),
        (
            &["up", "--cors-origin", "https://shop.example.com/"],
            "'--cors-origin <ORIGIN>': \"https://shop.example.com/\" is no origin",
        ),
        (&["projections", "check", "--colour", "red"], "--colour"),
    ] {
        let refused = answer(installation.command_anywhere(arguments));
        assert_eq!(refused.code, Some(2), "{arguments:?}: {refused:?}");
        assert_eq!(refused.out, "", "{arguments:?}");
        assert!(refused.err.contains(hint), "{arguments:?}: {refused:?}");
    }
    let help = answer(installation.command_anywhere(&["--help"]));
    assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
    let left = fs::read_dir(installation.place()).unwrap().count();
    assert_eq!(left, 0, "a wrong use makes no data directory");
}

#[test]
fn a_data_directory_that_is_a_file_is_refused_by_every_command() {
    let installation = Installation::empty();
    fs::write(installation.data_dir(), "not a directory").unwrap();
    let named = installation.data_dir();
    for arguments in [
        ["up", "--listen", "127.0.0.1:0"].as_slice(),
        &["migrate"],
        &["projections", "list"],
        &["replay", "verify", "--org", "my-hibachi"],
        &["bench", "append"],
    ] {
        assert_cannot_run(&installation.run(arguments), named.to_str().unwrap());
    }
    assert_eq!(fs::read_to_string(named).unwrap(), "not a directory");
}

#[test]
fn a_port_in_use_is_named_before_anything_is_made() {
    let installation = Installation::empty();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for command in ["up", "serve"] {
        assert_cannot_run(&installation.run(&[command, "--listen", &address]), &address);
    }
    assert!(!installation.data_dir().exists());
}

#[test]
fn a_lost_master_key_is_asked_for_and_none_is_made_in_its_place() {
    let installation = Installation::demo();
    let key = installation.data_dir().join("secrets/master-key");
    let aside = key.with_extension("aside");
    fs::rename(&key, &aside).unwrap();
    for command in [["keys", "list"], ["projections", "list"]] {
        assert_cannot_run(
            &installation.run(&command),
            "the master key is missing: put it back",
        );
        assert!(!key.exists(), "{command:?}");
    }
    assert_eq!(installation.postmaster(), None, "what was started is stopped");
    fs::rename(aside, key).unwrap();
    installation.well(&["keys", "list"]);
}

#[test]
fn who_reads_no_further_changes_nothing() {
    let installation = Installation::demo();
    let mut command = installation.command(&["replay", "verify", "--org", SLUG]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = command.stdout(writer).status().unwrap();
    assert_eq!(ended.code(), Some(0));
}

#[test]
fn a_file_that_cannot_be_written_leaves_nothing_beside_it() {
    let installation = Installation::demo();
    fs::create_dir(installation.place().join("taken")).unwrap();
    let answer = installation.run(&["replay", "sign-head", "--org", SLUG, "--out", "taken"]);
    assert_eq!(answer.code, Some(2), "{answer:?}");
    let left: Vec<_> = fs::read_dir(installation.place())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().ends_with(".part"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_command_that_looks_at_an_installation_makes_none() {
    let installation = Installation::empty();
    for command in [
        ["keys", "list"].as_slice(),
        &["replay", "verify", "--org", SLUG],
        &["projections", "list"],
        &[
            "tax", "report", "--org", SLUG, "--state", "CA", "--period", "2026",
        ],
    ] {
        assert_cannot_run(&installation.run(command), "there is no installation at");
        assert!(!installation.data_dir().exists(), "{command:?}");
    }
}
