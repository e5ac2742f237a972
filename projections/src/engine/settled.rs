//! Whether the read models of a company hold its whole log, and the moment that they hold: as long as it lasts, a question about
//! them has one answer.

use domain::envelope::Position;
use domain::ids::TenantId;
use sqlx::Row as _;

use super::error::ReadError;
use super::models::ReadModels;
use super::registry::registry;

/// A moment of a company at which all its read models held its whole log, and held nothing back. Two that are equal are the same
/// moment: nothing was recorded between them, no key was destroyed, and no rows were built anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    head: Position,
    /// Of the block that the log ended with: another log than this has another.
    head_hash: Vec<u8>,
    /// Which rows of each read model answered, in the order of their names.
    generations: Vec<i32>,
}

impl ReadModels {
    /// The moment that all read models of a company hold; none while one of them is behind its log, stands still or holds rows
    /// back, or answers with rows of another program's fold.
    ///
    /// # Errors
    /// [`ReadError::Log`] when the database does not answer.
    pub async fn settled(&self, tenant: TenantId) -> Result<Option<Settled>, ReadError> {
        let (names, versions): (Vec<&str>, Vec<i32>) = registry()
            .iter()
            .map(|projection| (projection.name(), projection.fold_version()))
            .unzip();
        let statement = sqlx::query("select head, head_hash, generations from settled($1, $2, $3)")
            .bind(tenant.0)
            .bind(names)
            .bind(versions);
        let Some(row) = self.database().call_for_one(statement).await? else {
            return Ok(None);
        };
        Ok(Some(Settled {
            head: Position(row.try_get("head")?),
            head_hash: row.try_get("head_hash")?,
            generations: row.try_get("generations")?,
        }))
    }
}
