//! Hashes the domain's sources, so that a state can be told from one that other code has folded.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src");
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files)?;
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let source = fs::read(&file)?;
        // By its parts, so that the hash is the same where folders are separated otherwise.
        for part in &file {
            hash.update(part.as_encoded_bytes());
            hash.update(b"/");
        }
        hash.update(u64::try_from(source.len())?.to_be_bytes());
        hash.update(source);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("source_hash.rs");
    fs::write(out, format!("{hash:?}"))?;
    Ok(())
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
