//! Bundles that somebody has made up to bring the check down.

use std::fs;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{BLOCKS, EVENTS, World, check, edit_manifest, named, refit};

/// A gzip of so many megabytes of one byte.
fn bomb(byte: u8, megabytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let piece = vec![byte; 1 << 20];
    for _ in 0..megabytes {
        encoder.write_all(&piece).expect("the test's own world");
    }
    encoder.finish().expect("the test's own world")
}

/// The most memory that this process has had, in kilobytes.
fn peak() -> u64 {
    let mut status = String::new();
    fs::File::open("/proc/self/status")
        .and_then(|mut file| file.read_to_string(&mut status))
        .expect("the test's own world");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .expect("the test's own world");
    line.split_whitespace()
        .nth(1)
        .expect("the test's own world")
        .parse()
        .expect("the test's own world")
}

#[tokio::test]
async fn what_decompresses_without_end_is_read_as_far_as_a_line_or_a_file_may_go() {
    let world = World::new().await;
    let bombs = [bomb(b'x', 40), bomb(b'\n', 1)];
    let before = peak();
    for (number, (file, byte, expected)) in [
        (EVENTS, b'x', "line_too_long"),
        (BLOCKS, b'x', "line_too_long"),
        (EVENTS, b'\n', "malformed"),
    ]
    .into_iter()
    .enumerate()
    {
        let bundle = world.copy(&format!("bomb {number}"));
        refit(&bundle, file, &bombs[usize::from(byte == b'\n')]);
        let damages = check(&bundle).await;
        let found = named(&damages);
        assert!(
            found
                .iter()
                .any(|found| (found.0, found.1, found.3) == (file, Some(1), expected)),
            "{damages:#?}"
        );
    }
    // A line and what it grows by, twice; not 40 megabytes and what they grow by.
    let grown = peak() - before;
    assert!(grown < 90_000, "{grown} kB");
}

#[tokio::test]
async fn names_and_numbers_of_a_manifest_lead_nowhere_else() {
    let world = World::new().await;
    let outside = world.place.path().join("outside.gz");
    fs::write(&outside, "not yours").unwrap();
    let edits: [(&str, &str, &str); 8] = [
        (EVENTS, "../outside.gz", "has to be named where"),
        (EVENTS, "/etc/passwd", "has to be named where"),
        (
            "\"events\": ",
            "\"events\": 9223372036854775807, \"x\": ",
            "unknown field",
        ),
        ("\"position\": ", "\"position\": -", "do not agree"),
        ("\"block\": ", "\"block\": 1", "do not agree"),
        ("\"commands\": ", "\"commands\": 1", "do not agree"),
        (
            "hibachi.bundle.v1",
            "hibachi.bundle.v9",
            "the format is hibachi.bundle.v9",
        ),
        ("\"keys\": ", "\"keys\": 18446744073709551616", "invalid"),
    ];
    for (number, (from, to, why)) in edits.into_iter().enumerate() {
        let bundle = world.copy(&format!("made up {number}"));
        edit_manifest(&bundle, |text| text.replacen(from, to, 1));
        let damages = check(&bundle).await;
        assert_eq!(named(&damages), [("manifest.json", None, None, "malformed")]);
        assert!(damages[0].to_string().contains(why), "{why}: {}", damages[0]);
    }
    let bundle = world.copy("endless");
    let file = fs::OpenOptions::new()
        .write(true)
        .open(bundle.join("manifest.json"))
        .unwrap();
    file.set_len(1 << 40).unwrap();
    assert_eq!(
        named(&check(&bundle).await),
        [("manifest.json", None, None, "too_much")]
    );
    let nothing = world.place.path().join("nothing");
    fs::create_dir(&nothing).unwrap();
    assert_eq!(
        named(&check(&nothing).await),
        [("manifest.json", None, None, "missing_file")]
    );
}
