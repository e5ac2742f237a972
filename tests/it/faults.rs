//! What the log holds when everything around it fails, on a real Postgres. Each test prints its seed and its counts;
//! `HIBACHI_TEST_SEED` has a run again.

mod clients;
mod clock;
mod cut;
mod disk_full;
mod hot_streams;
pub(crate) mod invariants;
mod kill_postgres;
mod kill_program;

use domain::ids::TenantId;
use event_log::Database;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

/// The tenant that most faults happen to.
const TENANT: TenantId = TenantId(Uuid::from_u128(0x1001));
/// Another one.
const OTHER_TENANT: TenantId = TenantId(Uuid::from_u128(0x1002));

/// Opens the two tenants' logs.
async fn open_logs(options: PgConnectOptions) {
    let database = Database::connect(options, 1)
        .await
        .expect("the database takes connections");
    for (tenant, slug) in [(TENANT, "one"), (OTHER_TENANT, "two")] {
        database
            .create_organisation(tenant, slug, "Company")
            .await
            .expect("the slugs are free");
    }
    database.close().await;
}
