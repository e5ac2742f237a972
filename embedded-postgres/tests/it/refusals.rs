//! Every reason not to start, with what the person is told.

use crate::support::{is_root, open_place, pretend_binaries, skipped, started, with_postgres};
use embedded_postgres::{BinarySource, Settings, StartError, start};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn from(data: &Path, binaries: &Path) -> Settings {
    Settings {
        binaries: BinarySource::Directory(binaries.to_path_buf()),
        ..Settings::new(data)
    }
}

#[test]
fn a_directory_without_programs_or_with_old_ones_is_no_postgres() {
    let place = open_place();
    let data = place.path().join("data");
    let refused = start(from(&data, place.path())).unwrap_err();
    assert!(matches!(refused, StartError::NoBinaries { .. }), "{refused}");
    for advice in [
        "apt-get install postgresql",
        "brew install postgresql",
        "HIBACHI_POSTGRES_BIN",
    ] {
        assert!(refused.to_string().contains(advice), "{refused}");
    }
    pretend_binaries(&place.path().join("bin"), "14.9");
    let refused = start(from(&data, &place.path().join("bin"))).unwrap_err();
    assert!(matches!(refused, StartError::NoBinaries { .. }), "{refused}");
    assert!(refused.to_string().contains("has Postgres 14"), "{refused}");
}

#[test]
fn a_cluster_of_another_major_version_is_left_alone() {
    let place = open_place();
    let data = place.path().join("data");
    let server = started(&data);
    let major = server.version_major();
    server.stop().unwrap();
    for (other, age) in [(major + 1, "an older"), (major - 1, "a newer")] {
        let binaries = place.path().join(other.to_string());
        pretend_binaries(&binaries, &format!("{other}.1"));
        let refused = start(from(&data, &binaries)).unwrap_err();
        assert!(
            matches!(&refused, StartError::WrongMajor { major: made_by, found, .. } if *made_by == major && *found == [other]),
            "{refused}"
        );
        assert!(refused.to_string().contains(age), "{refused}");
    }
    started(&data).stop().unwrap();
}

#[test]
fn settings_that_cost_durability_are_refused_however_they_are_spelt() {
    let place = open_place();
    for name in [
        "fsync",
        "Synchronous_Commit",
        "full-page-writes",
        "fsync=off ",
        "",
        "port",
        "config_file",
    ] {
        let extra_settings = vec![(name.to_owned(), "off".to_owned())];
        let refused = start(Settings {
            extra_settings,
            ..Settings::new(place.path().join("data"))
        })
        .unwrap_err();
        assert!(
            matches!(refused, StartError::ForbiddenSetting { .. }),
            "{name}: {refused}"
        );
    }
    assert!(!place.path().join("data").exists());
}

#[test]
fn a_name_that_is_no_path_is_the_operating_systems_to_refuse() {
    let refused = start(Settings::new("")).unwrap_err();
    assert!(matches!(refused, StartError::Io { .. }), "{refused}");
}

#[test]
fn a_setting_that_postgres_refuses_is_quoted_from_its_log() {
    let place = open_place();
    let extra_settings = vec![("shared_buffers".to_owned(), "plenty".to_owned())];
    let refused = start(Settings {
        extra_settings,
        ..Settings::new(place.path().join("data"))
    })
    .unwrap_err();
    assert!(
        matches!(&refused, StartError::StartFailed { log_tail } if log_tail.contains("shared_buffers")),
        "{refused}"
    );
}

#[test]
fn an_initdb_that_fails_is_quoted_and_leaves_nothing_behind() {
    let place = open_place();
    let binaries = place.path().join("bin");
    pretend_binaries(&binaries, "17.2");
    crate::support::script(&binaries.join("initdb"), "echo it does not want to >&2; exit 1");
    let refused = start(from(&place.path().join("data"), &binaries)).unwrap_err();
    assert!(
        matches!(&refused, StartError::InitFailed { output } if output == "it does not want to"),
        "{refused}"
    );
    assert!(!place.path().join("data/postgres").exists());
    assert!(!place.path().join("data/postgres.unfinished").exists());
}

#[test]
fn what_the_launcher_did_not_make_it_does_not_touch() {
    let place = open_place();
    let file = place.path().join("file");
    fs::write(&file, "mine").unwrap();
    let refused = start(Settings::new(&file)).unwrap_err();
    assert!(matches!(refused, StartError::NotOurs { .. }), "{refused}");

    let foreign = place.path().join("foreign");
    fs::create_dir_all(foreign.join("postgres/photographs")).unwrap();
    let refused = start(Settings::new(&foreign)).unwrap_err();
    assert!(matches!(refused, StartError::NotOurs { .. }), "{refused}");
    assert!(foreign.join("postgres/photographs").exists());

    let data = place.path().join("data");
    started(&data).stop().unwrap();
    fs::remove_file(data.join("secrets/postgres-password")).unwrap();
    let refused = start(Settings::new(&data)).unwrap_err();
    assert!(
        matches!(&refused, StartError::NotOurs { reason, .. } if reason.contains("password")),
        "{refused}"
    );
}

#[test]
fn a_socket_directory_that_others_may_enter_is_not_used() {
    let place = open_place();
    let data = place.path().join("data");
    started(&data).stop().unwrap();
    fs::set_permissions(data.join("run"), Permissions::from_mode(0o755)).unwrap();
    let refused = start(Settings::new(&data)).unwrap_err();
    assert!(
        matches!(&refused, StartError::NotOurs { reason, .. } if reason.contains("enter")),
        "{refused}"
    );
}

#[test]
fn a_directory_that_the_servers_user_cannot_reach_is_named() {
    if !is_root() {
        return skipped("only root steps down to another user");
    }
    let closed = open_place();
    fs::set_permissions(closed.path(), Permissions::from_mode(0o700)).unwrap();
    let refused = start(Settings::new(closed.path().join("data"))).unwrap_err();
    let named = fs::canonicalize(closed.path()).unwrap();
    assert!(
        matches!(&refused, StartError::NotTraversable { directory, .. } if *directory == named),
        "{refused}"
    );
    assert!(!closed.path().join("data").exists());
}

#[test]
fn a_path_that_leaves_no_room_for_a_socket_is_refused() {
    let place = open_place();
    let long = place.path().join("long-".repeat(20));
    fs::create_dir(&long).unwrap();
    let output = with_postgres()
        .env("TMPDIR", &long)
        .env_remove("XDG_RUNTIME_DIR")
        .arg("--data-dir")
        .arg(long.join("data"))
        .args(["--", "true"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(125));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("too long a path for a Unix socket"), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_called_a_full_disk() {
    let place = open_place();
    let small = place.path().join("small");
    fs::create_dir(&small).unwrap();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=8m,mode=755", "tmpfs"])
        .arg(&small)
        .output();
    if !is_root() || !mount.is_ok_and(|mount| mount.status.success()) {
        return skipped("no small file system can be mounted here");
    }
    let refused = start(Settings::new(small.join("data")));
    let unmounted = std::process::Command::new("umount").arg(&small).status().unwrap();
    assert!(matches!(refused, Err(StartError::DiskFull { .. })), "{refused:?}");
    assert!(unmounted.success());
}
