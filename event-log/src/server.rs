//! How the server of the database is set up, for whoever looks after it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::Row;

use crate::database::Database;
use crate::error::LogError;

/// How a server is set up, and what it knows of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// Its version as a number: 160004 is 16.4.
    pub version: i32,
    /// What its clock shows.
    pub now: DateTime<Utc>,
    /// Whether it waits until the disk has what it writes.
    pub fsync: bool,
    /// Whether a commit waits for that: `on` or stricter.
    pub synchronous_commit: String,
    /// Whether a page that is torn by a crash can be mended.
    pub full_page_writes: bool,
    /// Whether pages that the disk has changed are noticed.
    pub data_checksums: bool,
    /// Connections that it takes at most, and those that there are.
    pub connections: (i64, i64),
    /// Bytes that the database takes.
    pub size: i64,
    /// What it says of the log that it archives; none where it archives nothing.
    pub archiver: Option<Archiver>,
}

/// What a server knows of the write-ahead log that it archives: what a base backup is brought up to date with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archiver {
    /// When a piece of it was last archived.
    pub last_archived_at: Option<DateTime<Utc>>,
    /// When that last failed.
    pub last_failed_at: Option<DateTime<Utc>>,
}

impl Archiver {
    /// Whether the last attempt failed.
    pub fn is_failing(&self) -> bool {
        match (self.last_failed_at, self.last_archived_at) {
            (Some(failed), Some(archived)) => failed > archived,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

const ASK: &str = "select current_setting('server_version_num')::integer, clock_timestamp(),
        current_setting('fsync') = 'on', current_setting('synchronous_commit'),
        current_setting('full_page_writes') = 'on', current_setting('data_checksums') = 'on',
        current_setting('max_connections')::bigint, (select count(*) from pg_stat_activity),
        pg_database_size(current_database()),
        current_setting('archive_mode') <> 'off', a.last_archived_time, a.last_failed_time
    from pg_stat_archiver a";

/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(10);

impl Database {
    /// How the server is set up.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when it does not answer, [`LogError::Refused`] when it does not say.
    pub async fn server(&self) -> Result<ServerFacts, LogError> {
        let asked = tokio::time::timeout(PATIENCE, self.call_for_one(sqlx::query(ASK))).await;
        let row = asked.map_err(|_| LogError::unavailable())??;
        let row = row.ok_or_else(|| LogError::beside("the server says nothing of itself"))?;
        let archives: bool = row.try_get(9)?;
        let archiver = Archiver {
            last_archived_at: row.try_get(10)?,
            last_failed_at: row.try_get(11)?,
        };
        Ok(ServerFacts {
            version: row.try_get(0)?,
            now: row.try_get(1)?,
            fsync: row.try_get(2)?,
            synchronous_commit: row.try_get(3)?,
            full_page_writes: row.try_get(4)?,
            data_checksums: row.try_get(5)?,
            connections: (row.try_get(6)?, row.try_get(7)?),
            size: row.try_get(8)?,
            archiver: archives.then_some(archiver),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archiver_fails_while_its_last_attempt_did() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0);
        let archiver = |archived, failed| Archiver {
            last_archived_at: archived,
            last_failed_at: failed,
        };
        assert!(!archiver(None, None).is_failing());
        assert!(!archiver(at(2), at(1)).is_failing());
        assert!(archiver(at(1), at(2)).is_failing());
        assert!(archiver(None, at(1)).is_failing());
    }
}
