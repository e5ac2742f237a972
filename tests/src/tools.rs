//! Programs of others that tests speak with, which `make tools` has fetched: nothing is fetched at a test's time.

use std::env;
use std::path::PathBuf;

/// Where one of them is, by its name there.
///
/// # Panics
/// Before `make tools`.
pub fn tool(name: &str) -> PathBuf {
    let told = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let cache = told("XDG_CACHE_HOME").or_else(|| Some(told("HOME")?.join(".cache")));
    let place = cache.expect("there is a home").join("hibachi/tools").join(name);
    assert!(place.exists(), "there is no {}: `make tools`", place.display());
    place
}
