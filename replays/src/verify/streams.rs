//! Whether events follow each other in their streams.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use domain::envelope::{StoredEvent, Version};

/// The version that each stream has come to. Some 24 bytes per stream: its name is kept as a hash, under a key
/// that nobody can aim at. What does not follow is therefore to be looked up before it is called a lie.
#[derive(Default)]
pub(crate) struct Streams {
    names: RandomState,
    versions: HashMap<u64, Version, BuildHasherDefault<AsItIs>>,
}

impl Streams {
    /// Adds the next event of the log; the version that was expected when it is not the next of its stream.
    pub(crate) fn push(&mut self, event: &StoredEvent) -> Result<(), Version> {
        let version = self
            .versions
            .entry(self.names.hash_one(&event.stream))
            .or_default();
        let expected = version.next();
        *version = event.sequence;
        if event.sequence == expected {
            Ok(())
        } else {
            Err(expected)
        }
    }
}

/// The key is a hash already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
