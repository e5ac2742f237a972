//! How Postgres answers every list on a quarter of a million rows: along an index, in that index's order, with the values it is asked
//! with and with a plan that holds for any. Nothing is read through, nothing sorted.

use domain::access::{Role, StationScope, Viewer};
use domain::booking::BookingStatus;
use domain::document::DocumentKind;
use domain::ids::{BookingId, CustomerId, StationId};
use domain::payment::PaymentMethod;
use event_log::{Database, EventLog};
use projections::booking_list::{self, BookingFilter, BookingSort};
use projections::document_list::{self, DocumentFilter};
use projections::payment_list::{self, PaymentFilter, PaymentStatus};
use projections::{At, Cursor, ReadModels, Slice, booking_ledger};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor};

use super::company::{Company, TENANT, auditor, viewer};
use fill::{booking, customer, fill, station};

/// A program with one connection, so that the statements it has prepared can be found there.
pub(super) struct Program {
    pub(super) database: Database,
    pub(super) models: ReadModels,
}

impl Program {
    pub(super) async fn over(company: &Company) -> Self {
        let options = company.database.superuser_options();
        let database = Database::connect(options, 1)
            .await
            .expect("the test database answers");
        let models = ReadModels::new(EventLog::start(database.clone()));
        Self { database, models }
    }

    /// The plans of the last statement over a table that the program has prepared: for these values, and for any.
    async fn plans(&self, table: &str, values: &[&str]) -> Vec<Value> {
        let mut connection = self.database.begin(TENANT).await.expect("the connection is free");
        let name: String = sqlx::query_scalar(
            "select name from pg_prepared_statements where strpos(statement, $1) > 0 order by prepare_time desc limit 1",
        )
        .bind(format!(" from {table} t where tenant_id = $1"))
        .fetch_one(&mut *connection)
        .await
        .expect("the program has asked the table");
        let values: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
        let mut plans = Vec::new();
        for mode in ["force_custom_plan", "force_generic_plan"] {
            let set = format!("set local plan_cache_mode = {mode}");
            connection
                .execute(AssertSqlSafe(set))
                .await
                .expect("it is a setting");
            let explain = format!(
                "explain (format json) execute \"{name}\"('{TENANT}', 1, {})",
                values.join(", ")
            );
            let plan: Value = sqlx::raw_sql(AssertSqlSafe(explain.clone()))
                .fetch_one(&mut *connection)
                .await
                .map(|row| sqlx::Row::get(&row, 0))
                .unwrap_or_else(|error| panic!("{explain}: {error}"));
            plans.push(plan[0]["Plan"].clone());
        }
        plans
    }
}

/// The nodes of a plan.
fn nodes(plan: &Value) -> Vec<&Value> {
    let below = plan["Plans"].as_array().into_iter().flatten();
    std::iter::once(plan).chain(below.flat_map(nodes)).collect()
}

/// What a list is asked with.
struct Case<'a> {
    /// Which list, and by what.
    name: &'a str,
    /// Its table.
    table: &'a str,
    /// The statement's values, after tenant and generation.
    values: &'a [&'a str],
    /// The column that narrows it to a few rows: an index finds them.
    narrows: Option<&'a str>,
}

async fn assert_along_an_index(program: &Program, case: Case<'_>) {
    let plans = program.plans(case.table, case.values).await;
    for (plan, mode) in plans.iter().zip(["with its values", "with any"]) {
        let nodes = nodes(plan);
        for node in &nodes {
            let kind = node["Node Type"].as_str().expect("a node has a type");
            assert!(
                !kind.contains("Seq Scan") && !kind.contains("Sort"),
                "{} {mode}: {kind}\n{plan:#}",
                case.name
            );
        }
        if let Some(column) = case.narrows {
            let found = nodes.iter().filter_map(|node| node["Index Cond"].as_str());
            assert!(
                found
                    .clone()
                    .any(|condition| condition.contains(&format!("({column} "))),
                "{} {mode}: no index finds {column}\n{plan:#}",
                case.name
            );
        }
    }
}

/// Asks a list by its first page and by its second, and looks at the plan of each.
macro_rules! list {
    ($company:expr, $name:expr, $table:literal, [$($value:expr),*] $(, narrows $column:literal)?,
        |$models:ident, $slice:ident| $page:expr, after $place:expr) => {{
        let narrows: Option<&str> = None$(.or(Some($column)))?;
        let own: &[&str] = &[$($value),*];
        let values = |place: &[&'static str]| -> Vec<&str> { [own, place, &["51"]].concat() };
        let program = Program::over($company).await;
        let ($models, $slice) = (&program.models, Slice::first(50));
        let first = Box::pin($page).await.unwrap_or_else(|error| panic!("{}: {error}", $name));
        let case = Case { name: &format!("{}", $name), table: $table, values: &values(&[]), narrows };
        assert_along_an_index(&program, case).await;
        let after: Option<Cursor> = first.rows.last().map(|listed| listed.cursor.clone());
        if let Some(after) = after {
            let program = Program::over($company).await;
            let $models = &program.models;
            let $slice = Slice { after: Some(after), first: 50 };
            Box::pin($page).await.unwrap_or_else(|error| panic!("{}: {error}", $name));
            let case = Case { name: &format!("{}, next page", $name), table: $table, values: &values(&$place), narrows };
            assert_along_an_index(&program, case).await;
        }
    }};
}

mod books;
mod days;
mod exports;
mod fill;
mod jobs;
mod messages;
mod records;
mod reviews;

fn kept_to(number: u64) -> Viewer {
    viewer(
        Role::Auditor,
        StationScope::Only(vec![StationId(station(number))]),
    )
}

fn at(text: &str) -> chrono::DateTime<chrono::Utc> {
    text.parse().expect("it is an instant")
}

const START: &str = "2021-06-01T00:00:00Z";

#[tokio::test]
async fn bookings_are_listed_along_an_index_whatever_they_are_asked_by() {
    let company = fill(&["booking_list"]).await;
    let all = auditor();
    let (one_station, one_customer) = (station(3).to_string(), customer(77).to_string());
    let place = [START, "01930000-0000-7000-8000-000000000001"];
    for sort in [
        BookingSort::StartAsc,
        BookingSort::StartDesc,
        BookingSort::CreatedDesc,
    ] {
        macro_rules! bookings {
            ($what:literal, $viewer:expr, $filter:expr, [$($value:expr),*] $(, narrows $column:literal)?) => {
                list!(&company, format!("bookings by {}, {sort:?}", $what), "booking_list", [$($value),*] $(, narrows $column)?,
                    |models, slice| booking_list::page(models, $viewer, $filter, sort, slice, At::NOW), after place)
            };
        }
        let by = BookingFilter::default;
        bookings!("nothing", &all, by(), ["here"]);
        bookings!("reach", &kept_to(3), by(), [&one_station, "here"]);
        let of_station = || BookingFilter {
            station_id: Some(StationId(station(3))),
            ..by()
        };
        bookings!("station", &all, of_station(), ["here", &one_station]);
        let of_customer = || BookingFilter {
            customer_id: Some(CustomerId(customer(77))),
            ..by()
        };
        bookings!("customer", &all, of_customer(), ["here", &one_customer], narrows "customer_id");
        let of_status = || BookingFilter {
            status: vec![BookingStatus::Requested],
            ..by()
        };
        if sort == BookingSort::CreatedDesc {
            bookings!("status", &all, of_status(), ["here", "requested"]);
        } else {
            bookings!("status", &all, of_status(), ["here", "requested"], narrows "status");
        }
        let open = || BookingFilter {
            status: vec![BookingStatus::Requested, BookingStatus::Confirmed],
            ..by()
        };
        bookings!("statuses", &all, open(), ["here", "{requested,confirmed}"]);
        bookings!(
            "from",
            &all,
            BookingFilter {
                from: Some(at(START)),
                ..by()
            },
            ["here", START]
        );
        bookings!(
            "to",
            &all,
            BookingFilter {
                to: Some(at(START)),
                ..by()
            },
            ["here", START]
        );
        let search = || BookingFilter {
            search: Some("san".to_owned()),
            ..by()
        };
        bookings!("text", &all, search(), ["here", "san", "san", "san"]);
    }
    days::figures_and_days(&company).await;
}

#[tokio::test]
async fn payments_and_ledgers_are_listed_along_an_index_whatever_they_are_asked_by() {
    let company = fill(&["payment_list", "booking_ledger"]).await;
    let all = auditor();
    let (one_station, one_booking) = (station(3).to_string(), booking(500).to_string());
    let place = [START, "01930000-0000-7000-8000-000000000001"];
    macro_rules! payments {
        ($what:literal, $viewer:expr, $filter:expr, [$($value:expr),*] $(, narrows $column:literal)?) => {
            list!(&company, concat!("payments by ", $what), "payment_list", [$($value),*] $(, narrows $column)?,
                |models, slice| payment_list::page(models, $viewer, $filter, slice, At::NOW), after place)
        };
    }
    let by = PaymentFilter::default;
    payments!("nothing", &all, by(), []);
    payments!("reach", &kept_to(3), by(), [&one_station]);
    let of_booking = || PaymentFilter {
        booking_id: Some(BookingId(booking(500))),
        ..by()
    };
    payments!("booking", &all, of_booking(), [&one_booking], narrows "booking_id");
    let claimed = || PaymentFilter {
        status: vec![PaymentStatus::Claimed],
        ..by()
    };
    payments!("status", &all, claimed(), ["claimed"], narrows "status");
    let cash = || PaymentFilter {
        method: Some(PaymentMethod::Cash),
        ..by()
    };
    payments!("method", &all, cash(), ["cash"]);
    payments!(
        "from",
        &all,
        PaymentFilter {
            from: Some(at(START)),
            ..by()
        },
        [START]
    );
    payments!(
        "to",
        &all,
        PaymentFilter {
            to: Some(at(START)),
            ..by()
        },
        [START]
    );

    let program = Program::over(&company).await;
    let found =
        booking_ledger::for_bookings(&program.models, &all, &[BookingId(booking(500))], At::NOW).await;
    assert_eq!(found.unwrap().value.len(), 1);
    for plan in program.plans("booking_ledger", &[&one_booking]).await {
        let found = nodes(&plan)
            .into_iter()
            .filter_map(|node| node["Index Cond"].as_str());
        assert!(
            found.clone().any(|condition| condition.contains("(booking_id ")),
            "{plan:#}"
        );
    }
}

#[tokio::test]
async fn lists_of_documents_are_read_along_an_index() {
    let company = fill(&["document_list"]).await;
    let all = auditor();
    let (one_station, one_booking) = (station(3).to_string(), booking(500).to_string());
    let place = [START, "INV-2026-000500"];
    macro_rules! documents {
        ($what:literal, $viewer:expr, $filter:expr, [$($value:expr),*] $(, narrows $column:literal)?) => {
            list!(&company, concat!("documents by ", $what), "document_list", [$($value),*] $(, narrows $column)?,
                |models, slice| document_list::page(models, $viewer, $filter, slice, At::NOW), after place)
        };
    }
    let by = DocumentFilter::default;
    documents!("nothing", &all, by(), []);
    documents!("reach", &kept_to(3), by(), [&one_station]);
    let of_booking = || DocumentFilter {
        booking_id: Some(BookingId(booking(500))),
        ..by()
    };
    documents!("booking", &all, of_booking(), [&one_booking], narrows "booking_id");
    let receipts = || DocumentFilter {
        kind: Some(DocumentKind::Receipt),
        ..by()
    };
    documents!("kind", &all, receipts(), ["receipt"], narrows "kind");
}
