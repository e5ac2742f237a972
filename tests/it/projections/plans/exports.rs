//! Exports: each line is read once, however many pages there are.

use domain::access::{Role, StationScope};
use domain::ids::StationId;
use futures::TryStreamExt;
use projections::At;
use projections::tax_export::{ExportAsk, ExportFormat, Holds, export};
use projections::tax_report::TaxBasis;
use sqlx::Executor;

use super::Program;
use super::fill::{EVERY_MINUTES, ROWS, fill, station};
use crate::projections::company::{Company, TENANT, viewer};

/// The log says of itself that it goes on to the last of the lines, and the read models that they have followed it.
async fn pretend(company: &Company) {
    let mut superuser = company.database.superuser().await;
    // Guards of the log are triggers, which the log would not survive to be told a lie with.
    let script = format!(
        "set session_replication_role = replica;
         insert into log_blocks select tenant_id, block + 1, position + 1, {ROWS}, block_hash, block_hash, recorded_at
             from log_head where tenant_id = '{TENANT}';
         update log_head set position = {ROWS}, block = block + 1 where tenant_id = '{TENANT}';
         update projection_checkpoints set position = {ROWS} where tenant_id = '{TENANT}';
         insert into tax_summary (tenant_id, generation, state, county, city, rate_ppm, tax_on, station_id, orders,
             unconfirmed, gross_cents, non_taxable_cents, taxable_cents, tax_cents)
             select tenant_id, generation, state, county, city, rate_ppm, tax_on, station_id, sum(orders), 0,
                 sum(gross_cents), sum(non_taxable_cents), sum(net_cents), sum(tax_cents)
             from tax_ledger where tenant_id = '{TENANT}' group by 1, 2, 3, 4, 5, 6, 7, 8;"
    );
    superuser
        .execute(sqlx::AssertSqlSafe(script))
        .await
        .expect("a superuser may");
}

#[tokio::test]
async fn a_long_export_reads_each_line_once() {
    let company = fill(&["tax_ledger"]).await;
    pretend(&company).await;
    let all = StationScope::All;
    let some = StationScope::Only((0..5).map(|number| StationId(station(number))).collect());
    for (stations, part) in [(all, 1), (some, 8)] {
        let before = company.database.rows_read("tax_ledger").await;
        let program = Program::over(&company).await;
        let ask = ExportAsk {
            basis: TaxBasis::EventDate,
            state: "CA".to_owned(),
            period: "2020".parse().unwrap(),
            format: ExportFormat::Csv,
            holds: Holds::Detail,
            at: At::NOW,
        };
        let accountant = viewer(Role::Accountant, stations);
        let file = export(&program.models, &accountant, &ask).await.unwrap();
        let pieces: Vec<Vec<u8>> = file.bytes().try_collect().await.unwrap();
        let lines = pieces.concat().iter().filter(|byte| **byte == b'\n').count();
        // Those of a leap year, of all stations or of five in forty.
        let lines = u64::try_from(lines).unwrap();
        let expected = 366 * 24 * 60 / EVERY_MINUTES / part;
        assert!(
            (expected..expected + 100).contains(&lines),
            "{lines} lines, and not {expected}"
        );
        program.database.close().await;
        let read = u64::try_from(company.database.rows_read("tax_ledger").await - before).unwrap();
        assert!(read > lines, "nothing was counted: {read}");
        assert!(read <= ROWS, "{read} rows were read for {lines} lines of {ROWS}");
    }
}
