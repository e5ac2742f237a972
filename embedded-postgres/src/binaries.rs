//! The programs of Postgres: which are on this machine, and which of them to use.

use crate::account::Account;
use crate::error::StartError;
use crate::settings::{BinarySource, Settings};
use crate::wheel;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The oldest major version that the migrations run on.
const OLDEST_MAJOR: u32 = 15;

/// Directories with one directory per version below them: the prefix of its name, and where its
/// programs are.
const USUAL_PLACES: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/usr/local", "pgsql", "bin"),
];

/// A directory with the programs of one Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binaries {
    pub(crate) directory: PathBuf,
    pub(crate) major: u32,
}

impl Binaries {
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Finds what to run: of major version `made_by` when `cluster` was made by it.
    pub(crate) fn find(
        settings: &Settings,
        account: &Account,
        cluster: &Path,
        made_by: Option<u32>,
    ) -> Result<Binaries, StartError> {
        let wrong_major = |major, found| StartError::WrongMajor {
            directory: cluster.into(),
            major,
            found,
        };
        match source(settings) {
            BinarySource::Directory(directory) => {
                let found = probe(&directory, account).ok_or_else(|| no_programs(&directory, account))?;
                match made_by {
                    Some(major) if major != found.major => Err(wrong_major(major, vec![found.major])),
                    None if found.major < OLDEST_MAJOR => Err(too_old(&found)),
                    _ => Ok(found),
                }
            }
            BinarySource::Wheel => match made_by {
                Some(major) if major != wheel::MAJOR => Err(wrong_major(major, vec![wheel::MAJOR])),
                _ => wheel::binaries(settings.cache_dir.as_deref(), account),
            },
            BinarySource::Search => {
                let installed = installed(account);
                let fits = |found: &&Binaries| made_by.is_none_or(|major| found.major == major);
                if let Some(found) = installed.iter().find(fits) {
                    return Ok(found.clone());
                }
                match made_by {
                    Some(major) if major != wheel::MAJOR => Err(wrong_major(
                        major,
                        installed.iter().map(|found| found.major).collect(),
                    )),
                    _ => wheel::binaries(settings.cache_dir.as_deref(), account),
                }
            }
        }
    }
}

fn source(settings: &Settings) -> BinarySource {
    match env::var_os("HIBACHI_POSTGRES_BIN") {
        Some(named) if settings.binaries == BinarySource::Search && !named.is_empty() => {
            if named == "wheel" {
                BinarySource::Wheel
            } else {
                BinarySource::Directory(named.into())
            }
        }
        _ => settings.binaries.clone(),
    }
}

fn no_programs(directory: &Path, account: &Account) -> StartError {
    let place = directory.display();
    StartError::NoBinaries {
        detail: format!(
            "{place} has no initdb and postgres that user {} can run",
            account.name
        ),
    }
}

fn too_old(found: &Binaries) -> StartError {
    StartError::NoBinaries {
        detail: format!("{} has Postgres {}", found.directory.display(), found.major),
    }
}

/// What is installed and new enough, the newest major version first.
fn installed(account: &Account) -> Vec<Binaries> {
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for place in places() {
        // A link such as /usr/local/bin/postgres leads to where the other programs are.
        let real = fs::canonicalize(place.join("postgres"))
            .ok()
            .and_then(|p| p.parent().map(Path::to_path_buf));
        for directory in real.into_iter().chain([place]) {
            if !seen.contains(&directory) {
                found.extend(probe(&directory, account).filter(|found| found.major >= OLDEST_MAJOR));
                seen.push(directory);
            }
        }
    }
    found.sort_by_key(|found| std::cmp::Reverse(found.major));
    found
}

fn places() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = env::split_paths(&path)
        .filter(|place| place.join("postgres").is_file())
        .collect();
    for (above, prefix, programs) in USUAL_PLACES {
        let Ok(entries) = fs::read_dir(above) else {
            continue;
        };
        let named = entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        places.extend(named.map(|entry| entry.path().join(programs)));
    }
    places
}

/// The Postgres in a directory, asked as the user who will run it; none when it cannot be run.
fn probe(directory: &Path, account: &Account) -> Option<Binaries> {
    let directory = std::path::absolute(directory).ok()?;
    let initdb = fs::metadata(directory.join("initdb")).ok()?;
    if !initdb.is_file() || initdb.permissions().mode() & 0o111 == 0 {
        return None;
    }
    let output = account
        .command(&directory.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    let major = major_of(&String::from_utf8_lossy(&output.stdout))?;
    output.status.success().then_some(Binaries { directory, major })
}

/// Of a line such as `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major_of(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL) ")?.1;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_distributions_and_betas_are_read() {
        assert_eq!(
            major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major_of("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(major_of("postgres (PostgreSQL) 18"), Some(18));
        assert_eq!(major_of("something else"), None);
    }
}
