//! Randomness of the fault tests: from one printed seed, so that a run that failed can be had again.

use std::io::Write;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Names the seed of a run that is wanted again.
pub const SEED: &str = "HIBACHI_TEST_SEED";

/// The seed of this run, which it prints: the one that was asked for, or a new one.
///
/// # Panics
/// When what was asked for is no number.
pub fn seed() -> u64 {
    let seed = match std::env::var(SEED) {
        Ok(asked) => asked.parse().expect("a seed is a number"),
        Err(_) => {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).expect("the operating system has randomness");
            u64::from_le_bytes(bytes)
        }
    };
    remark(format_args!("{SEED}={seed}"));
    seed
}

/// Random numbers of a seed; those of another stream are others.
pub fn random(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    random
}

/// What a person who looks at the test's output should know.
///
/// # Panics
/// When standard error is closed.
pub fn remark(line: std::fmt::Arguments<'_>) {
    writeln!(std::io::stderr(), "{line}").expect("standard error is open");
}
