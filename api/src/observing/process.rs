//! What the operating system knows of this process, under the names that every exporter gives it.

use std::fmt::Write;
use std::fs;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use super::gauges::gauge;

/// Writes what there is. Memory, threads and open files are told by Linux alone.
pub(super) fn write(text: &mut String) {
    if let Some(used) = processor_time() {
        let name = "process_cpu_seconds";
        let written = writeln!(
            text,
            "# HELP {name} Processor time of the program.\n# TYPE {name} counter\n{name}_total {}.{:06}",
            used.as_secs(),
            used.subsec_micros()
        );
        written.expect("a text takes what is written");
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let about = ("process_resident_memory_bytes", "Memory that the program takes.");
    gauge(
        text,
        about,
        "",
        number(&status, "VmRSS:").map(|kib| ("", kib << 10)),
    );
    let about = ("process_threads", "Threads of the program.");
    gauge(
        text,
        about,
        "",
        number(&status, "Threads:").map(|threads| ("", threads)),
    );
    let open = fs::read_dir("/proc/self/fd").map(Iterator::count);
    let open = open.ok().and_then(|files| i64::try_from(files).ok());
    let about = (
        "process_open_fds",
        "Files and connections that the program has open.",
    );
    gauge(text, about, "", open.map(|files| ("", files)));
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let about = ("process_max_fds", "Files and connections that it may have open.");
    gauge(
        text,
        about,
        "",
        number(&limits, "Max open files").map(|files| ("", files)),
    );
}

fn processor_time() -> Option<Duration> {
    let used = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let duration = |time: TimeVal| {
        let seconds = u64::try_from(time.tv_sec()).ok()?;
        let micros = u64::try_from(time.tv_usec()).ok()?;
        Some(Duration::from_secs(seconds) + Duration::from_micros(micros))
    };
    Some(duration(used.user_time())? + duration(used.system_time())?)
}

/// The first number in the line that begins so.
fn number(text: &str, begin: &str) -> Option<i64> {
    let line = text.lines().find_map(|line| line.strip_prefix(begin))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_what_stands_before_them() {
        let status = "Name:\thibachi\nVmRSS:\t   51200 kB\nThreads:\t7\n";
        assert_eq!(number(status, "VmRSS:"), Some(51_200));
        assert_eq!(number(status, "Threads:"), Some(7));
        let limits = "Max open files            1024                 4096                 files\n";
        assert_eq!(number(limits, "Max open files"), Some(1_024));
        assert_eq!(number("Max open files unlimited", "Max open files"), None);
        assert_eq!(number("", "VmRSS:"), None);
    }

    #[test]
    fn processor_time_is_told() {
        let mut text = String::new();
        write(&mut text);
        assert!(text.contains("\nprocess_cpu_seconds_total "), "{text}");
    }
}
