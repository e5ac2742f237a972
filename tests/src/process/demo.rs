//! One demo installation for all tests of a run, made by whoever comes first, while the others wait. It is kept
//! beside the program and made anew for another program, another user and another day.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use commands::gateways::SystemClock;
use commands::ports::Clock;
use nix::sys::signal::Signal;
use nix::unistd::geteuid;

use super::Installation;
use super::binary::profile_dir;

const PREFIX: &str = "hibachi-demo-";

/// Copies the demo installation to where another has none yet.
pub(super) fn copy_to(installation: &Installation) {
    let name = name(installation.program());
    copy_kept(&profile_dir(), &name, &installation.data_dir(), |unfinished| {
        let first = Installation::empty();
        let running = first.up(&["--demo"]);
        let ended = running.stop(Signal::SIGTERM);
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        copy(&first.data_dir(), unfinished);
    });
}

/// Copies what is kept under a name, made before where there is none. Nobody else makes, sweeps or copies meanwhile:
/// whoever comes with a newer program sweeps what another may be copying.
fn copy_kept(directory: &Path, name: &str, to: &Path, make: impl FnOnce(&Path)) {
    let lock = File::create(directory.join("hibachi-demo.lock")).expect("the directory is ours");
    lock.lock().expect("the lock comes free");
    let kept = directory.join(name);
    if !kept.exists() {
        sweep(directory).expect("the directory is ours");
        // Renamed when complete, so that a run that was killed leaves no half-made one.
        let unfinished = directory.join(format!("{PREFIX}{}-unfinished", geteuid()));
        make(&unfinished);
        fs::rename(&unfinished, &kept).expect("the directory is ours");
    }
    copy(&kept, to);
}

fn name(program: &Path) -> String {
    let found = fs::metadata(program).expect("the program was built");
    let today = SystemClock.now().date_naive();
    let (secs, nanos) = (found.mtime(), found.mtime_nsec());
    format!("{PREFIX}{}-{today}-{secs}-{nanos}", geteuid())
}

fn sweep(directory: &Path) -> io::Result<()> {
    let mine = format!("{PREFIX}{}-", geteuid());
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&mine) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// With owners and modes: Postgres takes no directory of another's.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.expect("cp can be run").success(), "cp -a {from:?} {to:?}");
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const FILES: usize = 100;
    const ROUNDS: usize = 10;

    fn make(unfinished: &Path) {
        fs::create_dir(unfinished).unwrap();
        for file in 0..FILES {
            fs::write(unfinished.join(file.to_string()), "kept").unwrap();
        }
    }

    #[test]
    fn a_copy_is_whole_though_another_program_sweeps_it_away() {
        let place = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            for program in ["old", "new", "newer"] {
                let (name, place) = (format!("{PREFIX}{}-{program}", geteuid()), place.path());
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let to = place.join(format!("{program}-{round}"));
                        copy_kept(place, &name, &to, make);
                        assert_eq!(fs::read_dir(to).unwrap().count(), FILES);
                    }
                });
            }
        });
    }
}
