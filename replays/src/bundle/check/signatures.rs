//! The signatures of a bundle: its head's, its manifest's, and those of the heads that its log is held to.

use std::path::Path;

use domain::envelope::Position;
use event_log::proof::{Hash, HeadError, PublicKey, SignedHead};

use crate::bundle::damage::{Damage, What};
use crate::bundle::files::{LinesReader, read_text};
use crate::bundle::lines::Hex;
use crate::bundle::manifest::Manifest;
use crate::bundle::source::entry;
use crate::bundle::{MANIFEST, PUBLIC_KEY, SIGNATURE, SIGNED_HEAD, SIGNED_HEADS};
use crate::verify::Trust;

pub(super) fn read_signed_head(directory: &Path) -> Result<SignedHead, Damage> {
    let text = read_text(directory, SIGNED_HEAD)?;
    let text = String::from_utf8(text)
        .map_err(|_| Damage::of(SIGNED_HEAD, What::Malformed("this is no UTF-8".to_owned())))?;
    SignedHead::from_json(&text).map_err(|why| Damage::of(SIGNED_HEAD, What::Signature(why)))
}

/// The signatures of the head and of the manifest, and that the two say the same.
pub(super) fn check_signatures(
    directory: &Path,
    manifest: &Manifest,
    manifest_hash: &Hash,
    signed: &SignedHead,
    keys: &[PublicKey],
) -> Vec<Damage> {
    let mut damages = Vec::new();
    if let Err(why) = signed.verify(keys) {
        damages.push(Damage::of(SIGNED_HEAD, What::Signature(why)));
    }
    let statement = &signed.statement;
    let head = manifest.head();
    let organisation = manifest.organisation();
    let says_the_same = statement.tenant == organisation.tenant
        && statement.organisation == organisation.slug
        && statement.position == head.position
        && statement.block == head.block
        && statement.block_hash == head.block_hash
        && statement.recorded_at == head.recorded_at;
    if !says_the_same {
        let why = "the signed head is not the head of the manifest".to_owned();
        damages.push(Damage::of(SIGNED_HEAD, What::Contradiction(why)));
    }
    match read_text(directory, PUBLIC_KEY) {
        Ok(text) if text == format!("{}\n", signed.public_key).as_bytes() => {}
        Ok(_) => {
            let why = "this is not the key that signed the head".to_owned();
            damages.push(Damage::of(PUBLIC_KEY, What::Contradiction(why)));
        }
        Err(damage) => damages.push(damage),
    }
    let signature = read_text(directory, SIGNATURE).and_then(|text| read_signature(&text));
    let by = keys.iter().find(|key| key.fingerprint() == signed.key_id);
    match (signature, by) {
        (Err(damage), _) => damages.push(damage),
        (Ok(signature), Some(key)) if key.signed_manifest(manifest_hash, &signature) => {}
        (Ok(_), _) => {
            let key = signed.key_id.to_string();
            damages.push(Damage::of(MANIFEST, What::ManifestNotSigned(key)));
        }
    }
    damages
}

fn read_signature(text: &[u8]) -> Result<[u8; 64], Damage> {
    let line = text.strip_suffix(b"\n").unwrap_or_default();
    let mut signature = [0; 64];
    let read = hex::decode_to_slice(line, &mut signature).is_ok();
    if read && Hex(signature).to_string().as_bytes() == line {
        return Ok(signature);
    }
    let why = "a signature is 128 hexadecimal digits on a line".to_owned();
    Err(Damage::of(SIGNATURE, What::Malformed(why)))
}

/// The signed heads that the log is held to, by position.
#[derive(Default)]
pub(super) struct Held {
    pub(super) heads: Vec<SignedHead>,
    pub(super) of_other_keys: usize,
}

impl Held {
    pub(super) fn gather(
        directory: &Path,
        manifest: &Manifest,
        trust: &Trust,
        keys: &[PublicKey],
        signed: &SignedHead,
    ) -> Result<Self, Damage> {
        let head = manifest.head().position;
        let mut held = Self {
            heads: vec![signed.clone()],
            of_other_keys: 0,
        };
        // One that does not count was said to be so before.
        held.heads.retain(|head| head.verify(keys).is_ok());
        for given in &trust.heads {
            let of = |what| Damage::of("the head that was given", what).with(given.statement.position);
            given.verify(keys).map_err(|why| of(What::Signature(why)))?;
            if given.statement.tenant != manifest.organisation().tenant {
                let why = format!("it is of another organisation: {}", given.statement.organisation);
                return Err(of(What::Contradiction(why)));
            }
            if given.statement.position > head {
                let why = format!("it is beyond the bundle, which ends at position {head}");
                return Err(of(What::Contradiction(why)));
            }
            held.heads.push(given.clone());
        }
        held.add_kept(directory, manifest, keys)?;
        held.heads.sort_by_key(|head| head.statement.position);
        // The one that the bundle ends at is kept as well.
        held.heads.dedup();
        Ok(held)
    }

    fn add_kept(&mut self, directory: &Path, manifest: &Manifest, keys: &[PublicKey]) -> Result<(), Damage> {
        let mut lines = LinesReader::open(directory, entry(manifest, SIGNED_HEADS)?)?;
        let mut before = Position::START;
        while let Some(line) = lines.next_text()? {
            let head = SignedHead::from_line(&line).map_err(|why| lines.damage(What::Signature(why)))?;
            let statement = &head.statement;
            if statement.position <= before
                || statement.position > manifest.head().position
                || statement.tenant != manifest.organisation().tenant
            {
                let why = "the heads are not this log's, by position".to_owned();
                return Err(lines.damage(What::Contradiction(why)).with(statement.position));
            }
            before = statement.position;
            match head.verify(keys) {
                Ok(()) => self.heads.push(head),
                Err(HeadError::OtherKey(_)) => self.of_other_keys += 1,
                Err(why) => return Err(lines.damage(What::Signature(why)).with(before)),
            }
        }
        Ok(())
    }
}
