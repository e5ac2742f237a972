//! Settings of where customers' pictures and videos are kept: a directory, unless a bucket is named.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use commands::gateways::{ObjectMedia, S3Setup};

use super::messages::{all_or_none, credential};
use super::stripe::setting;

const DIRECTORY: &str = "HIBACHI_MEDIA_DIR";
const BUCKET: &str = "HIBACHI_MEDIA_S3_BUCKET";
const REGION: &str = "HIBACHI_MEDIA_S3_REGION";
const KEY_ID: &str = "HIBACHI_MEDIA_S3_ACCESS_KEY_ID";
const SECRET: &str = "HIBACHI_MEDIA_S3_SECRET_ACCESS_KEY";
const ENDPOINT: &str = "HIBACHI_MEDIA_S3_ENDPOINT";
const PREFIX: &str = "HIBACHI_MEDIA_S3_PREFIX";

/// Where customers' pictures and videos are kept.
#[derive(Debug, Clone)]
pub enum MediaSettings {
    /// In a directory, which nodes share.
    Directory(PathBuf),
    /// In a bucket that speaks S3.
    Bucket(S3Setup),
}

impl MediaSettings {
    /// The settings of an installation with this data directory. A directory for files is made where absent: nobody else on
    /// the machine may look into it.
    ///
    /// # Errors
    /// When a bucket is named by half or beside a directory, or the directory cannot be made.
    pub(super) fn read(data_dir: &Path, secrets: &Path) -> Result<Self> {
        let directory = std::env::var_os(DIRECTORY).map(PathBuf::from);
        let bucket = bucket(|variable| {
            let name = variable.trim_start_matches("HIBACHI_").to_lowercase();
            setting(secrets, &name.replace('_', "-"), variable)
        })?;
        match (bucket, directory) {
            (Some(_), Some(_)) => bail!("{DIRECTORY} and {BUCKET} are both set: files are kept in one place"),
            (Some(bucket), None) => Ok(Self::Bucket(bucket)),
            (None, named) => {
                let directory = named.unwrap_or_else(|| data_dir.join("media"));
                fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(&directory)
                    .with_context(|| format!("{DIRECTORY} cannot be {}", directory.display()))?;
                Ok(Self::Directory(directory))
            }
        }
    }

    /// Opens the store.
    ///
    /// # Errors
    /// When the directory is not there, or the client cannot be set up.
    pub(crate) fn open(&self) -> Result<ObjectMedia> {
        match self {
            Self::Directory(directory) => ObjectMedia::directory(directory)
                .context("the directory of customers' pictures and videos is not there"),
            Self::Bucket(setup) => ObjectMedia::bucket(setup).context("HIBACHI_MEDIA_S3_*"),
        }
    }
}

/// The bucket that is named; none where there is none.
fn bucket(setting: impl Fn(&str) -> Result<Option<String>>) -> Result<Option<S3Setup>> {
    let setting = |variable: &str| {
        let text = setting(variable)?;
        Ok::<_, anyhow::Error>(text.filter(|text| !text.trim().is_empty()))
    };
    let (endpoint, prefix) = (setting(ENDPOINT)?, setting(PREFIX)?);
    let Some([bucket, region, key_id, secret]) = all_or_none(&setting, [BUCKET, REGION, KEY_ID, SECRET])?
    else {
        if endpoint.is_some() || prefix.is_some() {
            bail!("{ENDPOINT} or {PREFIX} is set and {BUCKET} is not");
        }
        return Ok(None);
    };
    let (key_id, secret) = (credential(KEY_ID, &key_id)?, credential(SECRET, &secret)?);
    let setup = S3Setup::of(&bucket, &region, key_id, secret).context("HIBACHI_MEDIA_S3_*")?;
    let setup = match endpoint {
        Some(endpoint) => setup.at(&endpoint).context(ENDPOINT)?,
        None => setup,
    };
    match prefix {
        Some(prefix) => Ok(Some(setup.below(&prefix).context(PREFIX)?)),
        None => Ok(Some(setup)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY: [(&str, &str); 4] = [
        (BUCKET, "pictures"),
        (REGION, "us-west-2"),
        (KEY_ID, "a_key_of_ours"),
        (SECRET, "a_secret_of_ours\n"),
    ];

    fn of(settings: &[(&str, &str)]) -> Result<Option<S3Setup>> {
        bucket(|variable| {
            let found = settings.iter().find(|(name, _)| *name == variable);
            Ok(found.map(|(_, text)| (*text).to_owned()))
        })
    }

    #[test]
    fn a_bucket_is_named_whole_or_not_at_all_and_no_secret_is_told() {
        assert!(of(&[]).unwrap().is_none());
        let shown = format!("{:?}", of(&BY).unwrap().unwrap());
        assert!(!shown.contains("of_ours"), "{shown}");
        for half in [&BY[..3], &BY[1..], &BY[..1]] {
            let told = format!("{:#}", of(half).unwrap_err());
            assert!(
                told.contains("come together") && !told.contains("of_ours"),
                "{told}"
            );
        }
        for alone in [(ENDPOINT, "https://s3.example.com"), (PREFIX, "media")] {
            assert!(of(&[alone]).is_err());
            assert!(of(&[&BY[..], &[alone]].concat()).unwrap().is_some());
        }
        for (wrong, said) in [
            ((ENDPOINT, "http://s3.example.com"), "https"),
            ((PREFIX, "a//b"), "single slashes"),
        ] {
            let told = format!("{:#}", of(&[&BY[..], &[wrong]].concat()).unwrap_err());
            assert!(told.contains(said) && told.contains(wrong.0), "{told}");
        }
        let bad = [&[(BUCKET, "Our Pictures")], &BY[1..]].concat();
        assert!(format!("{:#}", of(&bad).unwrap_err()).contains("the bucket's name"));
    }

    #[test]
    fn without_a_bucket_files_are_kept_in_the_data_directory() {
        let directory = tempfile::tempdir().unwrap();
        let read = || MediaSettings::read(directory.path(), &directory.path().join("secrets"));
        assert!(matches!(read().unwrap(), MediaSettings::Directory(_)));
        assert!(directory.path().join("media").is_dir());
        let secrets = directory.path().join("secrets");
        fs::create_dir(&secrets).unwrap();
        fs::write(secrets.join("media-s3-bucket"), "pictures\n").unwrap();
        assert!(read().is_err());
    }
}
