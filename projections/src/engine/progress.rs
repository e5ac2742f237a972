//! Who watches a long run.

/// Hears how far a long run has come.
pub trait Progress: Send + Sync {
    /// So many positions of the log are behind it, of so many.
    fn at(&self, done: u64, total: u64);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn at(&self, _done: u64, _total: u64) {}
}
