//! The directory of organisations: which tenants there are, and under which slug each is found.

use chrono::{DateTime, Utc};
use domain::ids::TenantId;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::database::Database;
use crate::error::LogError;
use crate::proof::GENESIS;

/// A company on the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Its identity, which leads every key of its rows.
    pub tenant: TenantId,
    /// Its name in addresses, unique on the platform.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// When it came to the platform.
    pub created_at: DateTime<Utc>,
}

impl Database {
    /// Enters an organisation in the directory and opens its empty log. Doing it again for the same tenant and
    /// slug changes nothing, the name included.
    ///
    /// # Errors
    /// [`LogError::SlugTaken`] when another organisation has the slug, [`LogError::OtherSlug`] when this one is
    /// there under another, [`LogError::Refused`] when the slug or the name is not one.
    pub async fn create_organisation(
        &self,
        tenant: TenantId,
        slug: &str,
        name: &str,
    ) -> Result<(), LogError> {
        let mut transaction = self.begin(tenant).await?;
        sqlx::query(
            "insert into organisations (tenant_id, slug, name) values ($1, $2, $3)
             on conflict (tenant_id) do nothing",
        )
        .bind(tenant.0)
        .bind(slug)
        .bind(name)
        .execute(&mut *transaction)
        .await
        .map_err(|error| slug_taken(error, slug))?;
        let stored: String = sqlx::query_scalar("select slug from organisations where tenant_id = $1")
            .bind(tenant.0)
            .fetch_one(&mut *transaction)
            .await?;
        if stored != slug {
            return Err(LogError::OtherSlug { slug: stored });
        }
        sqlx::query(
            "insert into log_head (tenant_id, position, recorded_at, block, block_hash)
             values ($1, 0, clock_timestamp(), 0, $2)
             on conflict (tenant_id) do nothing",
        )
        .bind(tenant.0)
        .bind(GENESIS.as_slice())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Every organisation, by slug.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn organisations(&self) -> Result<Vec<Organisation>, LogError> {
        let statement = sqlx::query("select tenant_id, slug, name, created_at from list_organisations()");
        let rows = self.call(statement).await?;
        Ok(rows.iter().map(organisation).collect::<Result<_, _>>()?)
    }

    /// The organisation of a slug, if there is one.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn organisation_by_slug(&self, slug: &str) -> Result<Option<Organisation>, LogError> {
        let statement = sqlx::query("select tenant_id, slug, name, created_at from organisation_by_slug($1)");
        let row = self.call_for_one(statement.bind(slug.to_owned())).await?;
        Ok(row.as_ref().map(organisation).transpose()?)
    }
}

fn organisation(row: &PgRow) -> Result<Organisation, sqlx::Error> {
    Ok(Organisation {
        tenant: TenantId(row.try_get("tenant_id")?),
        slug: row.try_get("slug")?,
        name: row.try_get("name")?,
        created_at: row.try_get("created_at")?,
    })
}

fn slug_taken(error: sqlx::Error, slug: &str) -> LogError {
    let constraint = error.as_database_error().and_then(|refusal| refusal.constraint());
    if constraint == Some("organisations_slug_key") {
        return LogError::SlugTaken {
            slug: slug.to_owned(),
        };
    }
    error.into()
}
