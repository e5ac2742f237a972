//! What the program takes in memory.

use nix::sys::resource::{UsageWho, getrusage};

/// The most that it has taken, in MiB: since [`forget_peak`], where the system has that; none where it does not tell.
pub(super) fn peak() -> Option<u64> {
    high_water().or_else(|| {
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
        // In KiB on Linux, in bytes on macOS.
        let unit = if cfg!(target_os = "macos") {
            1 << 20
        } else {
            1 << 10
        };
        u64::try_from(usage.max_rss()).ok().map(|peak| peak / unit)
    })
}

/// Linux' own mark.
fn high_water() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib >> 10)
}

/// Lets the mark begin anew from what is taken now, where the system has that.
pub(super) fn forget_peak() {
    if let Err(error) = std::fs::write("/proc/self/clear_refs", "5") {
        tracing::debug!(%error, "peak memory is told since the program began");
    }
}
