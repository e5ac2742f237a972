//! What is changed in a bundle is found, and it is said where.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use event_log::proof::HeadSigner;
use rand::Rng;
use replays::Trust;
use replays::bundle::{Exporter, check_bundle};
use tests::seed::{random, remark, seed};

use super::{
    BLOCKS, COMMANDS, EVENTS, HEADS, KEYS, Named, World, check, edit_manifest, export, lines, named, rewrite,
    signer,
};

/// Bytes that are changed at random.
const FLIPS: usize = 300;

fn flip(bundle: &Path, name: &str, place: usize) {
    let file = bundle.join(name);
    let mut bytes = fs::read(&file).expect("the test's own world");
    bytes[place] ^= 1;
    fs::write(file, bytes).expect("the test's own world");
}

/// Another hexadecimal digit in place of the one that is there.
fn other_digit(bundle: &Path, name: &str, place: usize) {
    let file = bundle.join(name);
    let mut bytes = fs::read(&file).expect("the test's own world");
    bytes[place] = if bytes[place] == b'0' { b'1' } else { b'0' };
    fs::write(file, bytes).expect("the test's own world");
}

#[tokio::test]
async fn the_same_log_gives_the_same_bytes_and_a_place_that_is_taken_is_left_alone() {
    let world = World::new().await;
    assert_eq!(named(&check(&world.bundle()).await), []);
    let again = world.place.path().join("again");
    assert_eq!(export(&world.server, &again).await, world.manifest);
    let mut files = 0;
    for file in fs::read_dir(&again).unwrap() {
        let name = file.unwrap().file_name();
        let both = [&again, &world.bundle()].map(|bundle| fs::read(bundle.join(&name)).unwrap());
        assert_eq!(both[0], both[1], "{name:?}");
        files += 1;
    }
    assert_eq!(files, world.manifest.files.len() + 2);

    let organisation = world.server.app.organisation(&world.server.company.slug).await;
    let (organisation, signer) = (organisation.unwrap(), signer());
    let exporter = Exporter {
        log: &world.server.app.log,
        organisation: &organisation,
        signer: &signer,
        program: "a test",
        keys: None,
        now: world.server.now(),
    };
    let refused = exporter.write(&again, &()).await.unwrap_err().to_string();
    assert!(
        refused.ends_with("is there already, and is no empty directory"),
        "{refused}"
    );
    // A log that lies leaves no bundle.
    let mut superuser = world.server.database().superuser().await;
    let lie = "set session_replication_role = replica;
        update events set payload = '{}' where position = 7";
    sqlx::raw_sql(lie).execute(&mut superuser).await.unwrap();
    let place = world.place.path().join("lie");
    let refused = exporter.write(&place, &()).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "position 7: the stored event does not match its hash: its payload was changed"
    );
    let left: Vec<_> = fs::read_dir(world.place.path())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

type Change = fn(&Path);

/// Somebody's changes who does not have the key; the first that is named.
const CHANGES: [(Change, Named<'static>); 14] = [
    (
        |b| flip(b, "manifest.json", 40),
        ("manifest.json", None, None, "malformed"),
    ),
    (
        |b| {
            let file = b.join("manifest.json");
            let text = fs::read_to_string(&file).expect("the test's own world");
            fs::write(file, text.replace("a test", "a jest")).expect("the test's own world");
        },
        ("manifest.json", None, None, "manifest_not_signed"),
    ),
    (
        |b| other_digit(b, "manifest.sig", 3),
        ("manifest.json", None, None, "manifest_not_signed"),
    ),
    (
        |b| flip(b, "FORMAT.md", 100),
        ("FORMAT.md", None, None, "other_hash"),
    ),
    (
        |b| flip(b, "public-key.txt", 1),
        ("public-key.txt", None, None, "other_hash"),
    ),
    (
        |b| flip(b, "signed-head.json", 60),
        ("signed-head.json", None, None, "other_hash"),
    ),
    (|b| flip(b, EVENTS, 300), (EVENTS, None, None, "other_hash")),
    (|b| flip(b, BLOCKS, 300), (BLOCKS, None, None, "other_hash")),
    (|b| flip(b, COMMANDS, 300), (COMMANDS, None, None, "other_hash")),
    (|b| flip(b, HEADS, 300), (HEADS, None, None, "other_hash")),
    (|b| flip(b, KEYS, 300), (KEYS, None, None, "other_hash")),
    (
        |b| {
            let bytes = fs::read(b.join(EVENTS)).expect("the test's own world");
            fs::write(b.join(EVENTS), &bytes[..bytes.len() / 2]).expect("the test's own world");
        },
        (EVENTS, None, None, "other_length"),
    ),
    (
        |b| fs::rename(b.join(BLOCKS), b.join("blocks.gz")).expect("the test's own world"),
        (BLOCKS, None, None, "missing_file"),
    ),
    (
        |b| fs::write(b.join("note.txt"), "read me").expect("the test's own world"),
        ("note.txt", None, None, "unlisted_file"),
    ),
];

/// The changes of somebody who has the key, and makes the manifest anew. All that is named.
const LIES: [(Change, &[Named<'static>]); 10] = [
    (
        |b| {
            change(b, EVENTS, |lines| {
                lines[0] = lines[0].replace("\"sequence\":1", "\"sequence\":2")
            })
        },
        &[(EVENTS, Some(1), Some(1), "changed_event")],
    ),
    (
        |b| change(b, EVENTS, |lines| lines.swap(2, 3)),
        &[(EVENTS, Some(3), Some(3), "out_of_order")],
    ),
    (
        |b| change(b, EVENTS, |lines| drop(lines.remove(5))),
        &[(EVENTS, Some(6), Some(6), "out_of_order")],
    ),
    (
        |b| change(b, EVENTS, |lines| drop(lines.pop())),
        &[(EVENTS, None, Some(-1), "too_few_lines")],
    ),
    (
        |b| change(b, EVENTS, |lines| lines[1].insert(1, ' ')),
        &[(EVENTS, Some(2), Some(2), "malformed")],
    ),
    (
        |b| change(b, BLOCKS, |lines| lines.swap(0, 1)),
        &[(BLOCKS, Some(1), None, "out_of_order")],
    ),
    (
        |b| {
            change(b, BLOCKS, |lines| {
                let hash = lines[2].find("\"block_hash\":\"").expect("the test's own world") + 14;
                lines[2].replace_range(hash..hash + 4, "0000");
            });
        },
        &[(BLOCKS, Some(3), Some(-1), "broken_chain")],
    ),
    (
        |b| change(b, COMMANDS, |lines| lines.swap(0, 1)),
        &[(COMMANDS, Some(2), None, "malformed")],
    ),
    (
        |b| {
            change(b, COMMANDS, |lines| {
                let digit = if lines[2].as_bytes()[15] == b'0' { "1" } else { "0" };
                lines[2].replace_range(15..16, digit);
            });
        },
        &[(COMMANDS, Some(3), Some(-1), "misattributed_command")],
    ),
    (
        |b| edit_manifest(b, |text| text.replacen("\"rows\": 1,", "\"rows\": 2,", 1)),
        &[("manifest.json", None, None, "other_rows")],
    ),
];

fn change(bundle: &Path, name: &str, change: impl FnOnce(&mut Vec<String>)) {
    let mut lines = lines(bundle, name);
    change(&mut lines);
    rewrite(bundle, name, &lines);
}

#[tokio::test]
async fn every_change_to_a_file_is_named() {
    let world = World::new().await;
    for (number, (change, first)) in CHANGES.iter().enumerate() {
        let bundle = world.copy(&format!("changed {number}"));
        change(&bundle);
        let damages = check(&bundle).await;
        assert!(named(&damages).contains(first), "{first:?} of {damages:#?}");
    }
    let bundle = world.copy("linked");
    fs::remove_file(bundle.join(KEYS)).unwrap();
    symlink(world.bundle().join(KEYS), bundle.join(KEYS)).unwrap();
    assert!(named(&check(&bundle).await).contains(&(KEYS, None, None, "not_a_file")));
}

#[tokio::test]
async fn every_lie_is_named_by_its_line_and_its_event_even_where_all_hashes_of_files_fit() {
    let world = World::new().await;
    for (number, (change, expected)) in LIES.iter().enumerate() {
        let bundle = world.copy(&format!("lie {number}"));
        change(&bundle);
        let damages = check(&bundle).await;
        let found = named(&damages);
        // A position of -1 stands for one that the table does not know.
        let fits = found.len() == expected.len()
            && found.iter().zip(*expected).all(|(found, expected)| {
                let at = expected.2 == Some(-1) || found.2 == expected.2;
                (found.0, found.1, found.3) == (expected.0, expected.1, expected.3) && at
            });
        assert!(fits, "lie {number}: {expected:?}, not {damages:#?}");
    }
}

#[tokio::test]
async fn a_key_that_comes_with_a_bundle_proves_nothing_and_another_is_told_from_the_trusted_one() {
    let world = World::new().await;
    let own = check_bundle(&world.bundle(), &Trust::default(), &()).await;
    let own = own.sound.unwrap();
    assert_eq!((own.is_trusted, own.key), (false, signer().public_key()));
    assert_eq!(
        own.signed_heads, 2,
        "the one it ends at, and the one that was kept before"
    );
    let other = Trust {
        keys: vec![HeadSigner::new(&[6; 32]).public_key()],
        heads: vec![],
    };
    let checked = check_bundle(&world.bundle(), &other, &()).await;
    let expected = [
        ("signed-head.json", None, None, "signature"),
        ("manifest.json", None, None, "manifest_not_signed"),
    ];
    assert_eq!(named(&checked.damages), expected);
}

#[tokio::test]
async fn no_byte_can_be_changed_unseen() {
    let world = World::new().await;
    let seed = seed();
    remark(format_args!("{FLIPS} flips"));
    let mut random = random(seed, 0);
    let mut names: Vec<String> = world
        .manifest
        .files
        .iter()
        .map(|file| file.name.clone())
        .collect();
    names.extend(["manifest.json", "manifest.sig"].map(str::to_owned));
    let bundle = world.copy("flipped");
    for _ in 0..FLIPS {
        let name = &names[random.random_range(0..names.len())];
        let file = bundle.join(name);
        let well = fs::read(&file).unwrap();
        let place = random.random_range(0..well.len());
        let mut flipped = well.clone();
        flipped[place] ^= 1 << random.random_range(0..8);
        fs::write(&file, &flipped).unwrap();
        let damages = check(&bundle).await;
        // The manifest and its signature tell of each other.
        let is_named = damages
            .iter()
            .any(|damage| damage.file == *name || name == "manifest.sig" && damage.file == "manifest.json");
        assert!(is_named, "seed {seed}: byte {place} of {name}: {damages:?}");
        fs::write(&file, well).unwrap();
    }
}
