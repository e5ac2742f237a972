//! A log that comes from elsewhere, written as it is: its positions, hashes and instants are its own.
//!
//! What the functions of `0014_log_import.sql` refuse, this cannot do: an organisation that is there is left alone, and
//! nobody sees one before [`Import::finish`].

use chrono::{DateTime, Utc};
use domain::envelope::{Position, StoredEvent, StreamId, Version};
use domain::ids::{SubjectId, TenantId};
use serde::Serialize;
use sqlx::Row;
use sqlx::types::Json;
use uuid::Uuid;

use crate::claims::HeldClaim;
use crate::database::{Database, Transaction};
use crate::error::LogError;
use crate::organisation::Organisation;
use crate::proof::Hash;
use crate::read::{Block, Head};
use crate::transfer::KeptCommand;
use crate::vault::{WrappedState, WrappedSubjectKey, WrappedTenantKeys};

/// How an attempt to begin an import ended.
#[derive(Debug)]
pub enum Begun {
    /// It may go on from where it has come to: from the start, unless it was left before.
    Import(Import),
    /// The organisation is there already, or something of it.
    Exists,
    /// The import of another bundle of the organisation was begun and not finished.
    OtherBundle,
    /// Another organisation has the slug.
    SlugTaken,
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// The last event that is written.
    pub events: Position,
    /// The last block that is written.
    pub blocks: i64,
    /// How many results of commands are.
    pub commands: i64,
    /// How many claims are.
    pub claims: i64,
    /// How many keys of persons are, or marks in their place.
    pub subject_keys: i64,
}

/// An import that was begun. Dropped, or killed, it can be taken up.
#[derive(Debug)]
pub struct Import {
    database: Database,
    tenant: TenantId,
    written: Written,
}

impl Database {
    /// Begins the import of an organisation's log, or takes up that of the same bundle, of which the hash of its
    /// manifest is given.
    ///
    /// # Errors
    /// [`LogError::Refused`] when slug or name is not one, [`LogError::Unavailable`].
    pub async fn begin_import(&self, organisation: &Organisation, bundle: &Hash) -> Result<Begun, LogError> {
        let mut transaction = self.begin(organisation.tenant).await?;
        let row = sqlx::query(
            "select outcome, events, blocks, commands, claims, subject_keys from begin_import($1, $2, $3, $4, $5)",
        )
        .bind(organisation.tenant.0)
        .bind(&organisation.slug)
        .bind(&organisation.name)
        .bind(organisation.created_at)
        .bind(bundle.as_slice())
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let outcome: String = row.try_get(0)?;
        match outcome.as_str() {
            "begun" => Ok(Begun::Import(Import {
                database: self.clone(),
                tenant: organisation.tenant,
                written: Written {
                    events: Position(row.try_get(1)?),
                    blocks: row.try_get(2)?,
                    commands: row.try_get(3)?,
                    claims: row.try_get(4)?,
                    subject_keys: row.try_get(5)?,
                },
            })),
            "exists" => Ok(Begun::Exists),
            "other_bundle" => Ok(Begun::OtherBundle),
            "slug_taken" => Ok(Begun::SlugTaken),
            other => Err(LogError::beside(format!("unknown outcome {other}"))),
        }
    }
}

#[derive(Serialize)]
struct StreamVersion<'a> {
    kind: &'a str,
    id: &'a str,
    version: i64,
}

fn stream_version((stream, version): &(StreamId, Version)) -> StreamVersion<'_> {
    StreamVersion {
        kind: &stream.kind,
        id: &stream.id,
        version: version.0,
    }
}

impl Import {
    /// How far it has come.
    pub fn written(&self) -> Written {
        self.written
    }

    /// Writes the next events, blocks and results, together or not at all.
    ///
    /// # Errors
    /// [`LogError::Refused`] when another program imports the same, or what is written does not fit the tables;
    /// [`LogError::Unavailable`].
    pub async fn write(
        &mut self,
        events: &[StoredEvent],
        blocks: &[Block],
        commands: &[KeptCommand],
    ) -> Result<(), LogError> {
        let mut transaction = self.database.begin(self.tenant).await?;
        let mut written = self.written;
        if let Some(last) = events.last() {
            self.write_events(&mut transaction, events).await?;
            written.events = last.position;
        }
        if let Some(last) = blocks.last() {
            self.write_blocks(&mut transaction, blocks).await?;
            written.blocks = last.block;
        }
        if !commands.is_empty() {
            self.write_commands(&mut transaction, commands).await?;
            written.commands += count(commands);
        }
        transaction.commit().await?;
        self.written = written;
        Ok(())
    }

    async fn write_events(
        &self,
        transaction: &mut Transaction,
        events: &[StoredEvent],
    ) -> Result<(), LogError> {
        let texts = |of: fn(&StoredEvent) -> &str| events.iter().map(of).collect::<Vec<_>>();
        let ids = |of: fn(&StoredEvent) -> Uuid| events.iter().map(of).collect::<Vec<_>>();
        let versions: Vec<String> = events
            .iter()
            .map(|event| event.event_version.to_string())
            .collect();
        let sequences: Vec<i64> = events.iter().map(|event| event.sequence.0).collect();
        let instants: Vec<DateTime<Utc>> = events.iter().map(|event| event.recorded_at).collect();
        let leaves: Vec<&[u8]> = events.iter().map(|event| event.leaf_hash.as_slice()).collect();
        sqlx::query("select import_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
            .bind(self.tenant.0)
            .bind(self.written.events.0)
            .bind(texts(|event| &event.stream.kind))
            .bind(texts(|event| &event.stream.id))
            .bind(sequences)
            .bind(texts(|event| &event.event_type))
            .bind(versions)
            .bind(texts(|event| &event.payload))
            .bind(texts(|event| &event.metadata))
            .bind(ids(|event| event.event_id.0))
            .bind(ids(|event| event.command_id.0))
            .bind(instants)
            .bind(leaves)
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    async fn write_blocks(&self, transaction: &mut Transaction, blocks: &[Block]) -> Result<(), LogError> {
        let numbers = |of: fn(&Block) -> i64| blocks.iter().map(of).collect::<Vec<_>>();
        let hashes = |of: fn(&Block) -> &[u8]| blocks.iter().map(of).collect::<Vec<_>>();
        let instants: Vec<DateTime<Utc>> = blocks.iter().map(|block| block.closed_at).collect();
        sqlx::query("select import_blocks($1, $2, $3, $4, $5, $6, $7)")
            .bind(self.tenant.0)
            .bind(self.written.blocks)
            .bind(numbers(|block| block.first.0))
            .bind(numbers(|block| block.last.0))
            .bind(hashes(|block| &block.merkle_root))
            .bind(hashes(|block| &block.block_hash))
            .bind(instants)
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    async fn write_commands(
        &self,
        transaction: &mut Transaction,
        commands: &[KeptCommand],
    ) -> Result<(), LogError> {
        let ids: Vec<Uuid> = commands.iter().map(|command| command.command.0).collect();
        let digests: Vec<&[u8]> = commands.iter().map(|command| command.digest.as_slice()).collect();
        let firsts: Vec<i64> = commands.iter().map(|command| command.first.0).collect();
        let lasts: Vec<i64> = commands.iter().map(|command| command.last.0).collect();
        let streams: Vec<_> = commands
            .iter()
            .map(|command| Json(command.streams.iter().map(stream_version).collect::<Vec<_>>()))
            .collect();
        let instants: Vec<DateTime<Utc>> = commands.iter().map(|command| command.recorded_at).collect();
        sqlx::query("select import_commands($1, $2, $3, $4, $5, $6, $7, $8)")
            .bind(self.tenant.0)
            .bind(self.written.commands)
            .bind(ids)
            .bind(digests)
            .bind(firsts)
            .bind(lasts)
            .bind(streams)
            .bind(instants)
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    /// Writes the next claims.
    ///
    /// # Errors
    /// Those of [`write`](Self::write).
    pub async fn write_claims(&mut self, claims: &[HeldClaim]) -> Result<(), LogError> {
        let rows: Vec<ClaimRow<'_>> = claims.iter().map(ClaimRow::from).collect();
        let texts = |of: for<'a> fn(&ClaimRow<'a>) -> &'a str| rows.iter().map(of).collect::<Vec<_>>();
        let mut transaction = self.database.begin(self.tenant).await?;
        sqlx::query("select import_claims($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
            .bind(self.tenant.0)
            .bind(self.written.claims)
            .bind(texts(|row| row.kind))
            .bind(texts(|row| row.name))
            .bind(rows.iter().map(|row| row.key).collect::<Vec<_>>())
            .bind(texts(|row| &row.holder.kind))
            .bind(texts(|row| &row.holder.id))
            .bind(rows.iter().map(|row| row.from).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.until).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.units).collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.written.claims += count(claims);
        Ok(())
    }

    /// Writes the next keys of persons, or the marks in their place.
    ///
    /// # Errors
    /// Those of [`write`](Self::write).
    pub async fn write_subject_keys(&mut self, keys: &[WrappedSubjectKey]) -> Result<(), LogError> {
        let living = |key: &WrappedSubjectKey| match &key.state {
            WrappedState::Living {
                wrapped,
                master_key_id,
            } => (Some(wrapped.clone()), *master_key_id, None),
            WrappedState::Destroyed { at } => (None, None, Some(*at)),
        };
        let ids: Vec<Uuid> = keys.iter().map(|key| key.subject.0).collect();
        let created: Vec<DateTime<Utc>> = keys.iter().map(|key| key.created_at).collect();
        let states: Vec<_> = keys.iter().map(living).collect();
        let wrapped: Vec<Option<Vec<u8>>> = states.iter().map(|(wrapped, _, _)| wrapped.clone()).collect();
        let masters: Vec<Option<Vec<u8>>> = states
            .iter()
            .map(|(_, master, _)| master.map(|id| id.0.to_vec()))
            .collect();
        let erased: Vec<Option<DateTime<Utc>>> = states.iter().map(|(_, _, erased)| *erased).collect();
        let mut transaction = self.database.begin(self.tenant).await?;
        sqlx::query("select import_subject_keys($1, $2, $3, $4, $5, $6, $7)")
            .bind(self.tenant.0)
            .bind(self.written.subject_keys)
            .bind(ids)
            .bind(wrapped)
            .bind(masters)
            .bind(created)
            .bind(erased)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.written.subject_keys += count(keys);
        Ok(())
    }

    /// Ends it: the organisation is there from now on, with its own keys where they come along. False, with nothing
    /// changed, when another organisation has taken the slug meanwhile.
    ///
    /// # Errors
    /// [`LogError::Refused`] when what was written does not lead to the head, [`LogError::Unavailable`].
    pub async fn finish(self, head: &Head, keys: Option<&WrappedTenantKeys>) -> Result<bool, LogError> {
        let mut transaction = self.database.begin(self.tenant).await?;
        let finished =
            sqlx::query_scalar("select finish_import($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
                .bind(self.tenant.0)
                .bind(head.position.0)
                .bind(head.recorded_at)
                .bind(head.block)
                .bind(head.block_hash.as_slice())
                .bind(self.written.commands)
                .bind(self.written.claims)
                .bind(self.written.subject_keys)
                .bind(keys.map(|keys| keys.master_key_id.0.to_vec()))
                .bind(keys.map(|keys| keys.index_key.clone()))
                .bind(keys.map(|keys| keys.digest_key.clone()))
                .bind(keys.map(|keys| keys.created_at))
                .fetch_one(&mut *transaction)
                .await?;
        transaction.commit().await?;
        Ok(finished)
    }
}

/// A claim in the columns that the three tables have together.
struct ClaimRow<'a> {
    kind: &'static str,
    name: &'a str,
    key: Option<&'a str>,
    holder: &'a StreamId,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    units: Option<i32>,
}

impl<'a> From<&'a HeldClaim> for ClaimRow<'a> {
    fn from(claim: &'a HeldClaim) -> Self {
        match claim {
            HeldClaim::Unique { scope, key, holder } => Self {
                kind: "unique",
                name: scope,
                key: Some(key),
                holder,
                from: None,
                until: None,
                units: None,
            },
            HeldClaim::Capacity {
                resource,
                holder,
                from,
                until,
                units,
            } => Self {
                kind: "capacity",
                name: resource,
                key: None,
                holder,
                from: Some(*from),
                until: Some(*until),
                units: Some(*units),
            },
            HeldClaim::Interval {
                resource,
                holder,
                from,
                until,
            } => Self {
                kind: "interval",
                name: resource,
                key: None,
                holder,
                from: Some(*from),
                until: Some(*until),
                units: None,
            },
        }
    }
}

fn count<T>(written: &[T]) -> i64 {
    i64::try_from(written.len()).expect("a slice in memory is counted in 64 bits")
}

/// The mark for a person whose key did not come along: nobody can read what was sealed for them.
pub fn never_readable(subject: SubjectId, at: DateTime<Utc>) -> WrappedSubjectKey {
    WrappedSubjectKey {
        subject,
        state: WrappedState::Destroyed { at },
        created_at: at,
    }
}
