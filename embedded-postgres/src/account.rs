//! The operating system's user that Postgres runs as.

use crate::death_signal;
use crate::error::StartError;
use nix::unistd::{Uid, User, geteuid};
use std::env;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, fchown, lchown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tried in this order when root starts a new cluster: Debian's, Homebrew's and macOS's, anyone's.
const UNPRIVILEGED: [&str; 4] = ["postgres", "_postgres", "nobody", "daemon"];

/// What a server may inherit: the environment of the launcher can hold secrets of the platform.
const INHERITED: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"];

/// Who runs Postgres: this process's own user, or the one that root steps down to.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) name: String,
    /// Whether this process is root and must step down.
    pub(crate) steps_down: bool,
}

impl Account {
    /// The user for `cluster`: as root its owner when it exists, so that a directory made by an
    /// ordinary user stays that user's.
    pub(crate) fn for_cluster(cluster: &Path) -> Result<Account, StartError> {
        let own = geteuid();
        if !own.is_root() {
            let name = name_of(own);
            return Ok(Account {
                uid: own.as_raw(),
                gid: nix::unistd::getegid().as_raw(),
                name,
                steps_down: false,
            });
        }
        match fs::symlink_metadata(cluster) {
            Ok(found) if found.uid() != 0 => {
                let uid = Uid::from_raw(found.uid());
                let gid = User::from_uid(uid)
                    .ok()
                    .flatten()
                    .map_or(found.gid(), |user| user.gid.as_raw());
                Ok(Account {
                    uid: found.uid(),
                    gid,
                    name: name_of(uid),
                    steps_down: true,
                })
            }
            _ => Account::first_of(&UNPRIVILEGED),
        }
    }

    fn first_of(names: &[&str]) -> Result<Account, StartError> {
        let found = names
            .iter()
            .filter_map(|name| User::from_name(name).ok().flatten())
            .find(|user| !user.uid.is_root())
            .ok_or_else(|| StartError::UserMissing {
                tried: names.join(", "),
            })?;
        Ok(Account {
            uid: found.uid.as_raw(),
            gid: found.gid.as_raw(),
            name: found.name,
            steps_down: true,
        })
    }

    /// A command that runs as this user, in a process group of its own so that a terminal's
    /// Ctrl-C reaches only the launcher, and that ends when the calling thread does.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir("/").process_group(0);
        command.envs(
            INHERITED
                .iter()
                .filter_map(|name| env::var_os(name).map(|value| (name, value))),
        );
        // Its messages are read by us; and macOS needs a locale named before threads are started.
        command.env("LC_ALL", "C");
        if self.steps_down {
            command.uid(self.uid).gid(self.gid);
        }
        death_signal::arm(&mut command);
        command
    }

    /// Hands a path that this process just made to the user.
    pub(crate) fn give(&self, path: &Path) -> Result<(), StartError> {
        if self.steps_down {
            lchown(path, Some(self.uid), Some(self.gid)).map_err(|e| StartError::at("chown", path, e))?;
        }
        Ok(())
    }

    pub(crate) fn give_file(&self, file: &File) -> io::Result<()> {
        if self.steps_down {
            fchown(file, Some(self.uid), Some(self.gid))
        } else {
            Ok(())
        }
    }

    /// Whether the user may enter a directory, by its mode. Root steps down without further
    /// groups, so the user's own and its first group are all there is.
    pub(crate) fn may_enter(&self, directory: &Path) -> io::Result<bool> {
        let found = fs::metadata(directory)?;
        let bit = if found.uid() == self.uid {
            0o100
        } else if found.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        Ok(!self.steps_down || found.mode() & bit != 0)
    }

    /// That the user may enter every directory from the root down to `path`, itself included.
    pub(crate) fn check_reach(&self, path: &Path) -> Result<(), StartError> {
        let real = fs::canonicalize(path).map_err(|e| StartError::at("read", path, e))?;
        let down: Vec<PathBuf> = real.ancestors().map(Path::to_path_buf).collect();
        for directory in down.into_iter().rev() {
            if !self
                .may_enter(&directory)
                .map_err(|e| StartError::at("read", &directory, e))?
            {
                let wanted = path.to_path_buf();
                return Err(StartError::NotTraversable {
                    directory,
                    wanted,
                    user: self.name.clone(),
                });
            }
        }
        Ok(())
    }
}

fn name_of(uid: Uid) -> String {
    User::from_uid(uid)
        .ok()
        .flatten()
        .map_or_else(|| format!("number {uid}"), |user| user.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_an_unprivileged_user_is_told_so() {
        let refused = Account::first_of(&["no-such-user-here", "nor-this-one", "root"]);
        assert!(matches!(refused, Err(StartError::UserMissing { tried }) if tried.contains("nor-this-one")));
    }
}
