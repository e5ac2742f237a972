//! The binary `hibachi`: what it prints, how it ends, and what it leaves behind.

mod bench;
mod bundle;
mod company;
mod crash;
mod demo;
mod guide;
mod independent;
mod jobs;
mod named;
mod prices;
mod projections;
mod replay;
mod restore;
mod tax;
mod up;
mod usage;

use std::io::Write;

use nix::sys::signal::kill;
use nix::unistd::Pid;
use tests::process::Answer;

/// Whether there is such a process.
fn exists(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None).is_ok()
}

/// That a command could not run, and said why in one line.
fn assert_cannot_run(answer: &Answer, why: &str) {
    assert_eq!(answer.code, Some(2), "{answer:?}");
    assert_eq!(answer.out, "", "{answer:?}");
    assert_eq!(answer.err.lines().count(), 1, "{answer:?}");
    assert!(
        answer.err.starts_with("hibachi: ") && answer.err.contains(why),
        "{answer:?}"
    );
}

/// What a person who looks at the test's output should know.
fn remark(line: std::fmt::Arguments<'_>) {
    writeln!(std::io::stderr(), "{line}").expect("standard error is open");
}
