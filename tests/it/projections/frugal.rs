//! What a read costs: it looks at no more of the log when the log is longer.

use domain::ids::BookingId;
use event_log::{Database, EventLog};
use projections::booking_list::{self, BookingFilter, BookingSort};
use projections::{At, ReadModels, Slice};

use super::company::{Company, TENANT, auditor, id};

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
    let before = company.rows_read("events").await;
    assert!(before > 0, "nothing was counted");

    let options = company.database.superuser_options();
    let database = Database::connect(options, 1)
        .await
        .expect("the test database answers");
    let models = ReadModels::new(EventLog::start(database.clone()));
    let auditor = auditor();
    for n in 1..=20 {
        let (filter, first) = (BookingFilter::default(), Slice::first(10));
        let page = booking_list::page(&models, &auditor, filter, BookingSort::StartAsc, first, At::NOW).await;
        assert_eq!(page.expect("there is an answer").rows.len(), 10);
        let booking = BookingId(id(n));
        let found = booking_list::one(&models, &auditor, booking, At::NOW).await;
        assert!(found.expect("there is an answer").value.is_some());
    }
    database.close().await;
    let read = company.rows_read("events").await - before;
    assert!(read < 200, "40 reads looked at {read} events of 1,000");
}
