//! What a read costs: it looks at no more of the log when the log is longer.

use domain::ids::BookingId;
use projections::booking_list::{self, BookingFilter, BookingSort};
use projections::{At, Slice};

use super::company::{Company, TENANT, auditor, id};
use super::plans::Program;

#[tokio::test]
async fn a_read_looks_at_a_few_events_however_many_there_are() {
    let company = Company::new().await;
    company.open().await;
    company.request_many(1..=1_000).await;
    company
        .models
        .catch_up(TENANT)
        .await
        .expect("the read models follow");
    company.log.database().close().await;
    let before = company.database.rows_read("events").await;
    assert!(before > 0, "nothing was counted");

    let program = Program::over(&company).await;
    let models = &program.models;
    let auditor = auditor();
    for n in 1..=20 {
        let (filter, first) = (BookingFilter::default(), Slice::first(10));
        let page = booking_list::page(models, &auditor, filter, BookingSort::StartAsc, first, At::NOW).await;
        assert_eq!(page.expect("there is an answer").rows.len(), 10);
        let booking = BookingId(id(n));
        let found = booking_list::one(models, &auditor, booking, At::NOW).await;
        assert!(found.expect("there is an answer").value.is_some());
    }
    program.database.close().await;
    let read = company.database.rows_read("events").await - before;
    assert!(read < 200, "40 reads looked at {read} events of 1,000");
}
