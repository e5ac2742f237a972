//! Which streams there are, a page at a time.

use std::borrow::Cow;

use domain::envelope::StreamId;
use domain::ids::TenantId;

use crate::error::LogError;
use crate::log::EventLog;

impl EventLog {
    /// The next streams of a tenant after one, by kind and id, at most `limit`; the first for none. A stream that
    /// begins while its page is read may be left out.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the database is out of reach.
    pub async fn streams(
        &self,
        tenant: TenantId,
        after: Option<&StreamId>,
        limit: u32,
    ) -> Result<Vec<StreamId>, LogError> {
        let mut transaction = self.database().begin_read(tenant).await?;
        // Not by `sequence = 1`: a stream that has lost its first event is one too.
        let rows: Vec<(String, String)> = sqlx::query_as(
            "select distinct aggregate_type, aggregate_id from events
             where tenant_id = $1 and ($2::text is null or (aggregate_type, aggregate_id) > ($2, $3))
             order by aggregate_type, aggregate_id
             limit $4",
        )
        .bind(tenant.0)
        .bind(after.map(|stream| stream.kind.as_ref()))
        .bind(after.map(|stream| stream.id.as_str()))
        .bind(i64::from(limit))
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let stream = |(kind, id)| StreamId {
            kind: Cow::Owned(kind),
            id,
        };
        Ok(rows.into_iter().map(stream).collect())
    }
}
