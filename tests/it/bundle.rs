//! Bundles: each damage is named, nothing that somebody makes up brings the check down, and an import is whole or
//! not there. The way from one installation to another, by the binary: `cli/bundle.rs`.

mod damage;
mod hostile;
mod import;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use domain::access::Role;
use event_log::proof::HeadSigner;
use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use replays::bundle::{Checked, Damage, Exporter, Manifest, check_bundle};
use replays::{Trust, sign_head};
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tests::http::{Server, party};

const EVENTS: &str = "events-00001.ndjson.gz";
const BLOCKS: &str = "blocks.ndjson.gz";
const COMMANDS: &str = "commands.ndjson.gz";
const HEADS: &str = "signed-heads.ndjson.gz";
const KEYS: &str = "keys.ndjson";

fn signer() -> HeadSigner {
    HeadSigner::new(&[5; 32])
}

/// A company's log as a bundle, and what it came from.
struct World {
    server: Server,
    place: TempDir,
    manifest: Manifest,
}

impl World {
    /// A company with a booking, whose deposit is paid, and a head that was signed before the last of it.
    async fn new() -> Self {
        let server = Server::start().await;
        let admin = server.sign_in(Role::Admin).await;
        let booked = admin
            .done("bookingRequest", "booking { id }", party("first"))
            .await;
        let organisation = server
            .app
            .organisation(&server.company.slug)
            .await
            .expect("the test's own world");
        let head = sign_head(&server.app.log, &organisation, &signer(), server.now(), &()).await;
        server
            .app
            .log
            .keep_signed_head(&head.expect("the test's own world"))
            .await
            .expect("the test's own world");
        let money = json!({
            "idempotencyKey": "money", "bookingId": booked["booking"]["id"], "kind": "DEPOSIT", "method": "VENMO",
            "amountMinor": 10_000,
        });
        let recorded = admin.done("paymentRecord", "payment { id }", money).await;
        let verify = json!({
            "idempotencyKey": "verify", "paymentId": recorded["payment"]["id"], "accept": true, "note": "seen",
        });
        admin.done("paymentVerify", "payment { id }", verify).await;
        server.quiet(&server.company).await;
        server.caught_up(&server.company).await;
        let place = tempfile::tempdir().expect("the test's own world");
        let manifest = export(&server, &place.path().join("bundle")).await;
        Self {
            server,
            place,
            manifest,
        }
    }

    fn bundle(&self) -> PathBuf {
        self.place.path().join("bundle")
    }

    /// Another copy of the bundle.
    fn copy(&self, name: &str) -> PathBuf {
        let to = self.place.path().join(name);
        fs::create_dir(&to).expect("the test's own world");
        for file in fs::read_dir(self.bundle()).expect("the test's own world") {
            let file = file.expect("the test's own world");
            fs::copy(file.path(), to.join(file.file_name())).expect("the test's own world");
        }
        to
    }
}

async fn export(server: &Server, to: &Path) -> Manifest {
    let organisation = server
        .app
        .organisation(&server.company.slug)
        .await
        .expect("the test's own world");
    let signer = signer();
    let exporter = Exporter {
        log: &server.app.log,
        organisation: &organisation,
        signer: &signer,
        program: "a test",
        keys: Some(&server.app.vault),
        now: server.now(),
    };
    exporter
        .write(to, &())
        .await
        .expect("the test's own world")
        .manifest
}

async fn check(bundle: &Path) -> Vec<Damage> {
    let trust = Trust {
        keys: vec![signer().public_key()],
        heads: vec![],
    };
    let Checked { damages, sound } = check_bundle(bundle, &trust, &()).await;
    assert_eq!(sound.is_some(), damages.is_empty());
    damages
}

/// A damage as its file, line, position and kind.
type Named<'a> = (&'a str, Option<u64>, Option<i64>, &'static str);

fn named(damages: &[Damage]) -> Vec<Named<'_>> {
    let mut all = Vec::new();
    for damage in damages {
        let position = damage.position.map(|position| position.0);
        all.push((damage.file.as_str(), damage.line, position, damage.what.name()));
    }
    all
}

/// The lines of a file.
fn lines(bundle: &Path, name: &str) -> Vec<String> {
    let bytes = fs::read(bundle.join(name)).expect("the test's own world");
    let mut text = String::new();
    if name.ends_with(".gz") {
        GzDecoder::new(bytes.as_slice())
            .read_to_string(&mut text)
            .expect("the test's own world");
    } else {
        text = String::from_utf8(bytes).expect("the test's own world");
    }
    text.lines().map(str::to_owned).collect()
}

/// Writes other lines to a file, and has the manifest name what is there then, signed anew: as one would who has the
/// key.
fn rewrite(bundle: &Path, name: &str, lines: &[String]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    refit(bundle, name, &pressed(name, text.as_bytes()));
}

fn pressed(name: &str, text: &[u8]) -> Vec<u8> {
    if !name.ends_with(".gz") {
        return text.to_vec();
    }
    let mut pressed = Vec::new();
    let mut read = GzBuilder::new().read(text, Compression::fast());
    read.read_to_end(&mut pressed).expect("the test's own world");
    pressed
}

/// Puts bytes into a file and its length and hash into the manifest.
fn refit(bundle: &Path, name: &str, bytes: &[u8]) {
    fs::write(bundle.join(name), bytes).expect("the test's own world");
    edit_manifest(bundle, |text| {
        let entry = text
            .find(&format!("\"name\": \"{name}\""))
            .expect("the test's own world");
        let (before, rest) = text.split_at(entry);
        let length = rest.find("\"bytes\": ").expect("the test's own world") + 9;
        let comma = length + rest[length..].find(',').expect("the test's own world");
        let hash = rest.find("\"sha256\": \"").expect("the test's own world") + 11;
        format!(
            "{before}{}{}{}{}{}",
            &rest[..length],
            bytes.len(),
            &rest[comma..hash],
            hex::encode(Sha256::digest(bytes)),
            &rest[hash + 64..]
        )
    });
}

/// Changes the manifest's text and signs it anew.
fn edit_manifest(bundle: &Path, edit: impl FnOnce(String) -> String) {
    let file = bundle.join("manifest.json");
    let text = edit(fs::read_to_string(&file).expect("the test's own world"));
    let signature = signer().sign_manifest(&Sha256::digest(&text).into());
    fs::write(file, text).expect("the test's own world");
    fs::write(
        bundle.join("manifest.sig"),
        format!("{}\n", hex::encode(signature)),
    )
    .expect("the test's own world");
}
