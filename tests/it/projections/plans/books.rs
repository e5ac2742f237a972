//! The books: those of the last month are read from its cards, however many earlier ones there are.

use chrono::NaiveDate;
use domain::access::{Role, StationScope};
use futures::TryStreamExt;
use projections::At;
use projections::books::{BooksFormat, books};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor};

use super::fill::fill;
use super::{Program, nodes};
use crate::projections::company::{TENANT, viewer};

#[tokio::test]
async fn the_books_of_the_last_month_are_read_along_the_index_of_days() {
    let company = fill(&["book_entries"]).await;
    let program = Program::over(&company).await;
    // Books are read of the days that are over last: only cards that have entries of later days are passed over.
    let mut superuser = company.database.superuser().await;
    let (from, until, cards): (NaiveDate, NaiveDate, i64) = sqlx::query_as(
        "select last - 29, last, (select count(*) from book_entries where first_on between last - 29 and last)
         from (select max(last_on) as last from book_entries) days",
    )
    .fetch_one(&mut superuser)
    .await
    .unwrap();
    let days = (from, until);
    let accountant = viewer(Role::Accountant, StationScope::All);
    let file = books(&program.models, &accountant, BooksFormat::Csv, days, At::NOW).await;
    let pieces: Vec<Vec<u8>> = file.unwrap().bytes().try_collect().await.unwrap();
    let journal = String::from_utf8(pieces.concat()).unwrap();
    // Two postings on each card.
    assert!(
        journal.contains(&format!("POSTINGS,{},", 2 * cards)),
        "{}",
        &journal[..400]
    );

    let mut connection = program.database.begin(TENANT).await.unwrap();
    let names: Vec<String> = sqlx::query_scalar(
        "select name from pg_prepared_statements
         where strpos(statement, 'from book_entries book') > 0 and strpos(statement, 'pg_prepared_statements') = 0",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    assert_eq!(names.len(), 2, "the accounts, and the entries");
    let mode = "force_custom_plan";
    for name in &names {
        connection
            .execute(AssertSqlSafe(format!("set local plan_cache_mode = {mode}")))
            .await
            .unwrap();
        let explain = format!(
            "explain (format json) execute \"{name}\"('{TENANT}', 1, 1000000000, '{from}', '{until}', null)"
        );
        let plan: Value = sqlx::raw_sql(AssertSqlSafe(explain))
            .fetch_one(&mut *connection)
            .await
            .map(|row| sqlx::Row::get(&row, 0))
            .unwrap();
        let plan = &plan[0]["Plan"];
        let mut found = nodes(plan)
            .into_iter()
            .filter_map(|node| node["Index Cond"].as_str());
        assert!(
            found.any(|condition| condition.contains("(last_on ")),
            "{mode}: no index finds the days\n{plan:#}"
        );
    }
}
