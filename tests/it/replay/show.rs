//! A read model as of a moment.

use domain::envelope::{Position, StreamId};
use projections::booking_list::{self, BookingFilter, BookingSort};
use projections::{At, Slice, projection, registry};
use replays::moment::{Moment, ReplayError};
use replays::show::{Format, Which};
use serde_json::{Value, json};

use super::{TABLE, at, lines, show, written};
use crate::projections::company::{Company, TENANT, auditor, id, number};

#[tokio::test]
async fn a_read_model_shown_is_the_one_that_is_stored_and_that_the_api_answers() {
    let company = Company::busy(9).await;
    let head = company.models.catch_up(TENANT).await.unwrap();
    for of in registry() {
        let checked = of
            .check(&company.models, TENANT, &projections::Unwatched)
            .await
            .unwrap();
        assert_eq!(checked.differences, [], "{}", of.name());
        let shown = show(&company, of.name(), head, Which::All).await;
        assert_eq!(shown.total(), checked.rows, "{}", of.name());
        assert!(!shown.is_incomplete());
    }
    let middle = Position(head.0 - 12);
    let (filter, sort) = (BookingFilter::default(), BookingSort::StartAsc);
    let (viewer, slice) = (auditor(), Slice::first(100));
    let page = booking_list::page(&company.models, &viewer, filter, sort, slice, At::AsOf(middle)).await;
    let mut answered: Vec<(Value, Value, Value)> = page
        .unwrap()
        .rows
        .iter()
        .map(|listed| {
            let row = serde_json::to_value(&listed.row).unwrap();
            (
                row["booking_id"].clone(),
                row["status"].clone(),
                row["paid_cents"].clone(),
            )
        })
        .collect();
    answered.sort_by_key(|(id, ..)| id.to_string());
    let shown: Vec<(Value, Value, Value)> = show(&company, "booking_list", middle, Which::All)
        .await
        .rows()
        .map(|row| {
            (
                row["booking_id"].clone(),
                row["status"].clone(),
                row["paid_cents"].clone(),
            )
        })
        .collect();
    assert_eq!(shown, answered);
}

#[tokio::test]
async fn an_answer_as_of_a_position_is_the_same_after_later_events() {
    let company = Company::busy(5).await;
    let head = at(&company, Moment::Head).await.unwrap();
    let positions = [
        Position(0),
        Position(7),
        Position(head.position.0 / 2),
        head.position,
    ];
    let mut before = Vec::new();
    for of in registry() {
        for position in positions {
            let shown = show(&company, of.name(), position, Which::All).await;
            before.push((of.name(), position, written(|to| shown.write(Format::Json, to))));
        }
    }
    let then = head.recorded_at.unwrap();
    for n in 6..=9 {
        company.request(n).await;
        company.pay(n).await;
        company.complete(n).await;
    }
    let instant = at(&company, Moment::Instant(then)).await.unwrap();
    assert_eq!(instant, head, "the instant of the last event is its position");
    for (view, position, said) in before {
        let shown = show(&company, view, position, Which::All).await;
        assert_eq!(
            written(|to| shown.write(Format::Json, to)),
            said,
            "{view} {position}"
        );
    }
}

#[tokio::test]
async fn json_and_csv_hold_the_same_and_a_formula_is_led_by_an_apostrophe() {
    let company = Company::busy(9).await;
    let payment = StreamId::new("payment", id(4).to_string());
    let stored = company.log.read_stream(TENANT, &payment).await.unwrap();
    let mut claimed: Value = serde_json::from_str(&stored[0].payload).unwrap();
    claimed["reference"] = json!("=HYPERLINK(1)");
    company
        .append(&id(99).to_string(), "payment.claimed", claimed)
        .await;
    let head = at(&company, Moment::Head).await.unwrap().position;
    for of in registry() {
        let shown = show(&company, of.name(), head, Which::All).await;
        let json = lines(&written(|to| shown.write(Format::Json, to)));
        let (says, rows) = json.split_first().unwrap();
        assert_eq!(u64::try_from(rows.len()), Ok(shown.total()), "{}", of.name());
        let csv = written(|to| shown.write(Format::Csv, to));
        assert_eq!(csv.contains("'=HYPERLINK(1)"), of.name() == "payment_list");
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let named: Vec<&str> = says["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| column["name"].as_str().unwrap())
            .collect();
        assert_eq!(header, named);
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let (fields, trailers) = records.split_at(rows.len());
        for (record, row) in fields.iter().zip(rows) {
            for (field, column) in record.iter().zip(&header) {
                let expected = match row[column].as_str() {
                    Some(text) if text.starts_with(['=', '+', '-', '@']) => format!("'{text}"),
                    Some(text) => text.to_owned(),
                    None if row[column].is_null() => String::new(),
                    None => row[column].to_string(),
                };
                assert_eq!(field, expected, "{} {column}", of.name());
            }
        }
        let trailers: Vec<(&str, &str)> = trailers.iter().map(|record| (&record[0], &record[1])).collect();
        assert_eq!(trailers[0], ("VIEW", of.name()));
        assert_eq!(trailers[2].1, says["position"].to_string());
        assert_eq!(trailers[6], ("CHECKSUM", says["checksum"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn a_row_is_found_by_its_key_and_by_the_number_of_its_booking() {
    let company = Company::busy(4).await;
    let head = at(&company, Moment::Head).await.unwrap().position;
    let whole = show(&company, "payment_list", head, Which::All).await;
    let columns = projection("payment_list").unwrap().columns();
    for key in [number(4), id(4).to_string()] {
        let which = Which::parse(&key, "payment_list", &columns).unwrap();
        let shown = show(&company, "payment_list", head, which).await;
        let rows: Vec<Value> = shown.rows().collect();
        assert_eq!(rows.len(), 1, "{key}");
        assert_eq!(rows[0]["booking_id"], json!(id(4)));
        assert_eq!((shown.total(), shown.checksum), (whole.total(), whole.checksum));
        let table = written(|to| shown.write(TABLE, to));
        assert!(table.contains("  amount_cents      851.18 (85118)\n"), "{table}");
        assert!(
            table.contains("a\\tb\\\\N\\n") || table.contains("a\\tb\\N\\n"),
            "{table}"
        );
    }
    let nobody = Which::parse(&id(77).to_string(), "payment_list", &columns).unwrap();
    let shown = show(&company, "payment_list", head, nobody).await;
    assert!(written(|to| shown.write(TABLE, to)).ends_with("\nno row of that key\n"));
    let table = written(|to| whole.write(TABLE, to));
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(table.contains(&format!("{}  {}", id(4), number(4))), "{table}");
}

#[tokio::test]
async fn an_erased_person_is_erased_in_the_past_too() {
    let company = Company::busy(2).await;
    let head = at(&company, Moment::Head).await.unwrap().position;
    let hidden = |rows: Vec<Value>| -> Vec<Value> { rows.iter().map(|row| row["name"].clone()).collect() };
    let before = show(&company, "customer_list", head, Which::All).await;
    assert_eq!(hidden(before.rows().collect()), ["[sealed]"]);
    let customer = before.rows().next().unwrap()["customer_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let receipt = json!({
        "reason": "asked for it", "destroyed": [{"subject": customer, "key_id": null}], "email_key": "k", "phone_key": null,
    });
    company.append(&customer, "customer.erased", receipt).await;
    let after = show(&company, "customer_list", head, Which::All).await;
    assert_eq!(hidden(after.rows().collect()), ["[erased]"]);
    assert_eq!(after.checksum, before.checksum, "the rows are what they were");
    let bookings = show(&company, "booking_list", head, Which::All).await;
    assert!(
        bookings
            .rows()
            .all(|row| row["street"] == "[erased]" && row["zip"] == "95112")
    );
}

#[tokio::test]
async fn a_moment_that_has_not_come_is_refused() {
    let company = Company::new().await;
    company.open().await;
    let head = at(&company, Moment::Head).await.unwrap().position;
    let past = at(&company, Moment::Position(head.next())).await;
    assert!(matches!(past, Err(ReplayError::PastTheEnd { .. })), "{past:?}");
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let asked = "2026-01-01T00:00:01Z".parse().unwrap();
    let early = replays::moment::place(&company.log, TENANT, Moment::Instant(asked), now).await;
    assert_eq!(
        early.unwrap_err().to_string(),
        "2026-01-01T00:00:01.000000Z has not come yet"
    );
    let start = at(&company, Moment::Position(Position::START)).await.unwrap();
    assert_eq!(start.to_string(), "position 0, before the first event");
}

#[tokio::test]
async fn an_event_that_nobody_knows_ends_every_replay_past_it() {
    let company = Company::new().await;
    company.open().await;
    let last = at(&company, Moment::Head).await.unwrap().position;
    company.append("b", "booking.teleported", json!({})).await;
    show(&company, "booking_list", last, Which::All).await;
    let question = replays::show::Question {
        of: projection("station_list").unwrap(),
        place: at(&company, Moment::Head).await.unwrap(),
        which: Which::All,
        personal: replays::personal::Personal::default(),
        progress: &(),
    };
    let refused = replays::show::show(&company.log, TENANT, question)
        .await
        .err()
        .unwrap();
    assert!(
        refused.to_string().contains("unknown event booking.teleported"),
        "{refused}"
    );
}
