//! Where customers' pictures and videos are kept: a directory, a bucket that speaks S3, or memory in tests.

mod s3;

use std::path::Path as Directory;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutPayload};

use crate::ports::{MediaStore, StoreError};

pub use s3::{S3Setup, S3SetupError};

/// A store of files, whatever is behind it.
#[derive(Debug, Clone)]
pub struct ObjectMedia(Arc<dyn ObjectStore>);

impl ObjectMedia {
    /// Files below a directory, which must be there. Each is whole and on the disk once it is kept.
    ///
    /// # Errors
    /// When the directory is not there.
    pub fn directory(directory: &Directory) -> Result<Self, StoreError> {
        let store = LocalFileSystem::new_with_prefix(directory).map_err(failed)?;
        Ok(Self(Arc::new(
            store.with_fsync(true).with_automatic_cleanup(true),
        )))
    }

    /// Files in a bucket. Nobody is asked yet whether it is there.
    ///
    /// # Errors
    /// When the client cannot be set up.
    pub fn bucket(setup: &S3Setup) -> Result<Self, StoreError> {
        let bucket = setup.open().map_err(failed)?;
        Ok(Self(Arc::new(PrefixStore::new(bucket, setup.prefix()))))
    }

    /// Files in memory, gone with the program.
    pub fn in_memory() -> Self {
        Self(Arc::new(InMemory::new()))
    }
}

/// What the store said of itself. What it said of us, which names keys and signatures, is left out.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the list of errors is another crate's, and open"
)]
fn failed(error: Error) -> StoreError {
    StoreError(match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => "it does not let us in".to_owned(),
        error => error.to_string(),
    })
}

fn path(name: &str) -> Result<Path, StoreError> {
    Path::parse(name).map_err(|error| StoreError(error.to_string()))
}

#[async_trait]
impl MediaStore for ObjectMedia {
    async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), StoreError> {
        let kept = self.0.put(&path(name)?, PutPayload::from(bytes)).await;
        kept.map(|_| ()).map_err(failed)
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let found = match self.0.get(&path(name)?).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let bytes = found.bytes().await.map_err(failed)?;
        Ok(Some(bytes.into()))
    }

    async fn list(&self, folder: &str) -> Result<Vec<(String, i64)>, StoreError> {
        let listed: Vec<_> = self
            .0
            .list(Some(&path(folder)?))
            .try_collect()
            .await
            .map_err(failed)?;
        let file = |file: object_store::ObjectMeta| {
            let bytes = i64::try_from(file.size).unwrap_or(i64::MAX);
            (file.location.to_string(), bytes)
        };
        Ok(listed.into_iter().map(file).collect())
    }

    async fn delete(&self, folder: &str) -> Result<(), StoreError> {
        let files = self
            .0
            .list(Some(&path(folder)?))
            .map_ok(|file| file.location)
            .boxed();
        let deleted: Result<Vec<_>, _> = self.0.delete_stream(files).try_collect().await;
        match deleted {
            // Gone meanwhile is gone.
            Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    async fn remove(&self, name: &str) -> Result<(), StoreError> {
        match self.0.delete(&path(name)?).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_name_leads_out_of_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("media");
        std::fs::create_dir(&inside).unwrap();
        let store = ObjectMedia::directory(&inside).unwrap();
        assert!(store.put("../outside.jpg", vec![1]).await.is_err());
        assert!(!directory.path().join("outside.jpg").exists());
        assert!(ObjectMedia::directory(&directory.path().join("nowhere")).is_err());
    }
}
