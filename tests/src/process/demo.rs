//! One demo installation for all tests of a run, made by whoever comes first, while the others wait. It is kept
//! beside the program and made anew for another program, another user and another day.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
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
    let lock = File::create(profile_dir().join("hibachi-demo.lock")).expect("the target directory is ours");
    lock.lock().expect("the lock comes free");
    let kept = profile_dir().join(name(installation.program()));
    if !kept.exists() {
        sweep().expect("the target directory is ours");
        // Renamed when complete, so that a run that was killed leaves no half-made one.
        let unfinished = profile_dir().join(format!("{PREFIX}{}-unfinished", geteuid()));
        let first = Installation::empty();
        let running = first.up(&["--demo"]);
        let ended = running.stop(Signal::SIGTERM);
        assert_eq!(ended.status.code(), Some(0), "{ended:?}");
        copy(&first.data_dir(), &unfinished);
        fs::rename(&unfinished, &kept).expect("the target directory is ours");
    }
    drop(lock);
    copy(&kept, &installation.data_dir());
}

fn name(program: &Path) -> String {
    let found = fs::metadata(program).expect("the program was built");
    let today = SystemClock.now().date_naive();
    let (secs, nanos) = (found.mtime(), found.mtime_nsec());
    format!("{PREFIX}{}-{today}-{secs}-{nanos}", geteuid())
}

fn sweep() -> io::Result<()> {
    let mine = format!("{PREFIX}{}-", geteuid());
    for entry in fs::read_dir(profile_dir())? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&mine) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// With owners and modes: Postgres takes no directory of another's.
fn copy(from: &Path, to: &PathBuf) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.expect("cp can be run").success(), "cp -a {from:?} {to:?}");
}
