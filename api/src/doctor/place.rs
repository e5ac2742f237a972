//! Where an installation is: room on its disk, its keys, and when it was last backed up.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use event_log::Archiver;
use nix::sys::statvfs::statvfs;

use super::{Finding, State, words};

/// The file in which it is written down when a backup was last made.
const MARK: &str = "last-backup";
/// The age from which a backup is old, and that from which there is as good as none.
const OLD: TimeDelta = TimeDelta::hours(26);
const TOO_OLD: TimeDelta = TimeDelta::days(7);
/// The age from which a key should make room for another.
const OLD_KEY: TimeDelta = TimeDelta::days(365);
/// Room that must be left: little, and hardly any.
const LITTLE: u128 = 5 << 30;
const HARDLY_ANY: u128 = 1 << 30;

/// Room where the data is.
pub(super) fn disk(data_dir: &Path, has_server_here: bool) -> Finding {
    let Ok(room) = statvfs(data_dir) else {
        return Finding::new(
            "disk",
            State::Unknown,
            format!("{} cannot be looked at", data_dir.display()),
            "see whether it is there",
        );
    };
    let unit = u128::from(room.fragment_size());
    let (free, all) = (
        u128::from(room.blocks_available()) * unit,
        u128::from(room.blocks()) * unit,
    );
    let finding = judge_room(free, all);
    if has_server_here {
        return finding;
    }
    // It has its disk to itself, wherever that is.
    Finding {
        found: format!(
            "here {}; of the database's disk nothing is known from here",
            finding.found
        ),
        ..finding
    }
}

fn judge_room(free: u128, all: u128) -> Finding {
    let found = format!("{} of {} MiB are free", free >> 20, all >> 20);
    let state = if free < HARDLY_ANY || free * 100 < all {
        State::Wrong
    } else if free < LITTLE || free * 10 < all {
        State::Warning
    } else {
        return Finding::well("disk", found);
    };
    Finding::new(
        "disk",
        state,
        found,
        "make room: a full disk stops every command. Nothing in the data directory may be deleted by hand",
    )
}

/// The files that hold the secrets: who may read them, and how old the keys among them are.
pub(super) fn keys(secrets: &Path, now: DateTime<Utc>) -> Vec<Finding> {
    let Ok(files) = fs::read_dir(secrets) else {
        return vec![Finding::new(
            "keys",
            State::Unknown,
            "there is no directory of secrets here: they come from the environment, or are elsewhere",
            "keep a copy of every key where the database's backups are not",
        )];
    };
    let mut open = Vec::new();
    if is_open(secrets) {
        open.push(secrets.display().to_string());
    }
    let (mut old, mut rotating) = (Vec::new(), false);
    for file in files.flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        if is_open(&file.path()) {
            open.push(name.clone());
        }
        rotating |= ["master-key.next", "master-key.previous"].contains(&name.as_str());
        let made = file.metadata().and_then(|about| about.modified());
        if name.ends_with("-key")
            && let Ok(made) = made
            && now - DateTime::<Utc>::from(made) > OLD_KEY
        {
            old.push(format!("{name} ({})", words(now - DateTime::<Utc>::from(made))));
        }
    }
    open.sort();
    old.sort();
    let mut findings = Vec::new();
    if !open.is_empty() {
        findings.push(Finding::new(
            "keys",
            State::Wrong,
            format!("others may read {}", open.join(", ")),
            "chmod 700 the directory and 600 each file; if others were on the machine, change the keys as well",
        ));
    }
    if rotating {
        findings.push(Finding::new(
            "keys",
            State::Warning,
            "a rotation of the master key was begun and is not at its end",
            "run `hibachi keys rotate` again",
        ));
    }
    if !old.is_empty() {
        findings.push(Finding::new(
            "keys",
            State::Warning,
            format!("older than a year: {}", old.join(", ")),
            "`hibachi keys rotate` changes the master key; docs/operations.md says how the others are changed",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::well(
            "keys",
            "nobody else may read them, and none is older than a year",
        ));
    }
    findings
}

/// Whether others than the owner may do anything with it.
fn is_open(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
}

/// When a backup was last made, as whoever made it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// When.
    pub at: DateTime<Utc>,
}

impl Mark {
    /// The mark of an installation; none where there is none that can be read.
    pub(super) fn read(data_dir: &Path) -> Option<Self> {
        let text = fs::read_to_string(data_dir.join(MARK)).ok()?;
        let at = DateTime::parse_from_rfc3339(text.trim()).ok()?;
        Some(Self { at: at.to_utc() })
    }
}

/// Writes down that a backup was made, whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_mark(data_dir: &Path, now: DateTime<Utc>) -> Result<()> {
    let (mark, beside) = (data_dir.join(MARK), data_dir.join("last-backup.new"));
    let text = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    fs::write(&beside, format!("{text}\n"))
        .and_then(|()| fs::rename(&beside, &mark))
        .with_context(|| format!("cannot write {}", mark.display()))
}

/// What is known of backups: what the server archives, and what was written down.
pub(super) fn backup(archiver: Option<&Archiver>, mark: Option<&Mark>, now: DateTime<Utc>) -> Finding {
    if archiver.is_some_and(Archiver::is_failing) {
        return Finding::new(
            "backup",
            State::Wrong,
            "the server cannot archive its write-ahead log: the disk fills, and backups end where it failed",
            "see its archive_command, and its log for why",
        );
    }
    let archived = archiver.and_then(|archiver| archiver.last_archived_at);
    let archived = archived.map_or(String::new(), |at| {
        format!("; the write-ahead log was last archived {} ago", words(now - at))
    });
    let Some(Mark { at }) = mark else {
        return Finding::new(
            "backup",
            State::Unknown,
            format!("no backup is known{archived}"),
            "make one as docs/operations.md has it, and let it end with `hibachi backup mark`",
        );
    };
    let age = now - *at;
    let found = format!("the last backup was made {} ago{archived}", words(age));
    let state = if age > TOO_OLD {
        State::Wrong
    } else if age > OLD {
        State::Warning
    } else {
        return Finding::well("backup", found);
    };
    Finding::new(
        "backup",
        state,
        found,
        "see why the nightly backup did not get to its end",
    )
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    fn at(days: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + days * 86_400, 0).unwrap()
    }

    #[test]
    fn room_is_judged_by_its_size_and_its_share() {
        assert_eq!(judge_room(100 << 30, 500 << 30).state, State::Well);
        assert_eq!(judge_room(40 << 30, 500 << 30).state, State::Warning);
        assert_eq!(judge_room(4 << 30, 20 << 30).state, State::Warning);
        assert_eq!(judge_room(900 << 20, 20 << 30).state, State::Wrong);
        assert_eq!(judge_room(4 << 30, 500 << 30).state, State::Wrong);
    }

    #[test]
    fn keys_that_others_may_read_are_named() {
        let place = tempfile::tempdir().unwrap();
        let secrets = place.path().join("secrets");
        fs::create_dir(&secrets).unwrap();
        fs::set_permissions(&secrets, Permissions::from_mode(0o700)).unwrap();
        for (name, mode) in [("token-key", 0o600), ("master-key", 0o600)] {
            fs::write(secrets.join(name), "x").unwrap();
            fs::set_permissions(secrets.join(name), Permissions::from_mode(mode)).unwrap();
        }
        let now = super::super::now();
        let states = |now| -> Vec<State> { keys(&secrets, now).iter().map(|one| one.state).collect() };
        assert_eq!(states(now), [State::Well]);
        assert_eq!(states(now + TimeDelta::days(400)), [State::Warning]);
        fs::set_permissions(secrets.join("token-key"), Permissions::from_mode(0o644)).unwrap();
        fs::write(secrets.join("master-key.next"), "x").unwrap();
        fs::set_permissions(secrets.join("master-key.next"), Permissions::from_mode(0o600)).unwrap();
        let found = keys(&secrets, now);
        assert_eq!(found[0].found, "others may read token-key");
        assert_eq!(states(now), [State::Wrong, State::Warning]);
        assert_eq!(
            keys(place.path().join("nowhere").as_path(), now)[0].state,
            State::Unknown
        );
    }

    #[test]
    fn a_backup_is_known_by_its_mark_alone() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(Mark::read(place.path()), None);
        write_mark(place.path(), at(0)).unwrap();
        let mark = Mark::read(place.path());
        let state = |now| backup(None, mark.as_ref(), now).state;
        assert_eq!(
            [state(at(1)), state(at(2)), state(at(8))],
            [State::Well, State::Warning, State::Wrong]
        );
        let archives = Archiver {
            last_archived_at: Some(at(1)),
            last_failed_at: None,
        };
        let none = backup(Some(&archives), None, at(1));
        assert_eq!(none.state, State::Unknown);
        assert!(
            none.found
                .contains("no backup is known; the write-ahead log was last archived 0 seconds ago")
        );
        let fails = Archiver {
            last_failed_at: Some(at(2)),
            ..archives
        };
        assert_eq!(backup(Some(&fails), mark.as_ref(), at(1)).state, State::Wrong);
    }
}
