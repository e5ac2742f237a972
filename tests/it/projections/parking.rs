//! Poison: what cannot be applied holds back its row and no other, never is it skipped, and a fix brings it back.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::envelope::Position;
use domain::ids::BookingId;
use domain::money::Cents;
use futures::{StreamExt, stream};
use projections::booking_list::{self, BookingFilter, BookingRow, BookingSort};
use projections::{
    Answer, At, Batch, HeldBack, Projection, ProjectionError, ProjectionState, Ran, ReadModels, Retried,
    Slice, Unwatched, Waited, Worker, projection, registry,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use sqlx::Executor;
use tests::seed::remark;

use super::company::{Company, SAN_JOSE, TENANT, auditor, id};

/// Read models that wait with one row, as far as the tests look at them.
fn list() -> &'static dyn Projection {
    projection("booking_list").expect("it is registered")
}

/// Brings every read model as far as it goes, in batches of these sizes, over and over.
async fn follow(models: &ReadModels, sizes: &[u32]) {
    for projection in registry() {
        let mut sizes = sizes.iter().cycle();
        let mut after = Position::START;
        loop {
            let size = *sizes.next().expect("there is a size");
            let batch = Batch::read(models, TENANT, after, size)
                .await
                .expect("the log answers");
            match projection.apply(models, TENANT, &batch).await {
                Ok(Ran::To(position)) if position == after => break,
                Ok(Ran::To(position) | Ran::Elsewhere(position)) => after = position,
                // What was looked at last may still be on its way back.
                Ok(Ran::Busy) => tokio::time::sleep(Duration::from_millis(2)).await,
                Ok(Ran::Outdated) => panic!("{}", projection.name()),
                Err(ProjectionError::Stopped { .. }) => break,
                Err(error) => panic!("{}: {error}", projection.name()),
            }
        }
    }
}

async fn held(models: &ReadModels, projection: &dyn Projection) -> Vec<HeldBack> {
    projection
        .held_back(models, TENANT, 1_000)
        .await
        .expect("the read models answer")
}

/// What is held back, each with the events that wait for it: without when it began and how often it was tried.
async fn parked(
    models: &ReadModels,
    projection: &dyn Projection,
) -> BTreeMap<String, (Position, Vec<Position>)> {
    let mut all = BTreeMap::new();
    for held in held(models, projection).await {
        let waiting = projection
            .waiting(models, TENANT, &held.name, Position::START, 1_000)
            .await
            .expect("the read models answer");
        let positions = waiting.iter().map(|event| event.position).collect();
        all.insert(held.name, (held.position, positions));
    }
    all
}

async fn booking(models: &ReadModels, n: u64, at: At) -> Answer<Option<BookingRow>> {
    booking_list::one(models, &auditor(), BookingId(id(n)), at)
        .await
        .expect("the read models answer")
}

async fn bookings(models: &ReadModels, at: At) -> (Vec<BookingRow>, bool) {
    let (filter, all) = (BookingFilter::default(), Slice::first(1_000));
    let page = booking_list::page(models, &auditor(), filter, BookingSort::StartAsc, all, at)
        .await
        .expect("the read models answer");
    (
        page.rows.into_iter().map(|listed| listed.row).collect(),
        page.info.incomplete,
    )
}

async fn status(models: &ReadModels, name: &str) -> projections::ProjectionStatus {
    let all = models.status(TENANT).await.expect("the read models answer");
    all.into_iter()
        .find(|status| status.name == name)
        .expect("it is registered")
}

/// Every read model that goes on is what the log gives, and a rebuild gives the same and holds back the same.
async fn assert_rebuilds_to_the_same(models: &ReadModels) {
    for projection in registry() {
        let name = projection.name();
        let is_stopped = matches!(status(models, name).await.state, ProjectionState::Stopped { .. });
        let checked = projection
            .check(models, TENANT, &Unwatched)
            .await
            .expect("the read models answer");
        assert_eq!(checked.differences, [], "{name}");
        if is_stopped {
            assert!(
                projection.rebuild(models, TENANT, &Unwatched).await.is_err(),
                "{name}"
            );
            continue;
        }
        let before = parked(models, *projection).await;
        let rebuilt = projection
            .rebuild(models, TENANT, &Unwatched)
            .await
            .expect("it can be rebuilt");
        assert_eq!(rebuilt.differences, Some(vec![]), "{name}");
        assert_eq!(parked(models, *projection).await, before, "{name}");
    }
}

/// The list is what the log gives, and a rebuild gives the same and holds back the same.
async fn assert_list_rebuilds_to_the_same(models: &ReadModels) {
    let before = parked(models, list()).await;
    let checked = list()
        .check(models, TENANT, &Unwatched)
        .await
        .expect("it can be checked");
    assert_eq!(checked.differences, []);
    let rebuilt = list()
        .rebuild(models, TENANT, &Unwatched)
        .await
        .expect("it can be rebuilt");
    assert_eq!(rebuilt.differences, Some(vec![]));
    assert_eq!(parked(models, list()).await, before);
}

/// A payment of the n-th booking as it was found, of any amount.
fn verified(n: u64, amount: i64) -> Value {
    json!({
        "booking": {
            "booking_id": id(n), "number": super::company::number(n), "station_id": super::company::station(n),
            "event_on": "2026-12-05", "jurisdiction": {"state": "CA", "county": "Santa Clara", "city": null},
            "rate_ppm": 91_250,
        },
        "method": "zelle", "amount_cents": amount, "tip_cents": 0, "note": null,
        "verified_at": "2026-11-02T00:00:00Z",
    })
}

/// Mends or breaks the payload of an event, past everything that forbids it.
async fn rewrite(company: &Company, position: Position, payload: &Value) {
    let mut superuser = company.database.superuser().await;
    superuser
        .execute("alter table events disable trigger never_changed")
        .await
        .expect("a superuser may");
    sqlx::query("update events set payload = $2::json where position = $1")
        .bind(position.0)
        .bind(payload.to_string())
        .execute(&mut superuser)
        .await
        .expect("a superuser may");
}

async fn retry(models: &ReadModels, only: Option<&str>) -> Retried {
    list().retry(models, TENANT, only).await.expect("it can be tried")
}

#[tokio::test]
async fn an_event_that_cannot_be_read_holds_back_its_row_and_no_other() {
    let company = Company::busy(3).await;
    let models = &company.models;
    let bad = company
        .append(&id(2).to_string(), "booking.confirmed", json!({"payment_id": 7}))
        .await;
    let waits = company.cancel(2).await;
    company.request(50).await;
    let pays = company.pay(2).await;
    let paid = company.pay(50).await;
    follow(models, &[500]).await;
    let (status, held) = (status(models, "booking_list").await, held(models, list()).await);
    assert_eq!(
        (status.position, status.parked_keys, status.state),
        (paid, 1, ProjectionState::Live)
    );
    assert_eq!(held.len(), 1, "{held:?}");
    assert!(held[0].name.contains(&id(2).to_string()), "{held:?}");
    assert_eq!(
        (
            held[0].position,
            held[0].event_type.as_str(),
            held[0].waiting,
            held[0].tries
        ),
        (bad, "booking.confirmed", 3, 0)
    );
    let (_, positions) = &parked(models, list()).await[&held[0].name];
    assert_eq!(*positions, [bad, waits, pays]);
    // The row is as it was before; another's is not touched.
    let before = booking(models, 2, At::AsOf(Position(bad.0 - 1))).await;
    assert!(!before.info.incomplete);
    for at in [At::NOW, At::AsOf(paid)] {
        let waiting = booking(models, 2, at).await;
        assert_eq!(waiting.value, before.value);
        assert!(waiting.info.incomplete);
        let other = booking(models, 50, at).await;
        assert_eq!(other.value.expect("it is there").paid_cents, Cents(85_118));
        assert!(!other.info.incomplete, "its row has all its events");
        assert!(bookings(models, at).await.1, "a list could have held it");
    }
    assert_eq!(
        bookings(models, At::NOW).await,
        bookings(models, At::AsOf(paid)).await
    );
    assert_rebuilds_to_the_same(models).await;
}

#[tokio::test]
async fn an_event_that_does_not_tell_its_row_holds_back_its_stream_and_the_rows_of_what_follows_there() {
    let company = Company::busy(3).await;
    let models = &company.models;
    let stream = id(90).to_string();
    let bad = company
        .append(&stream, "payment.verified", json!({"amount": "much"}))
        .await;
    let unrelated = company.cancel(3).await;
    follow(models, &[500]).await;
    let payment = format!("payment:{stream}");
    assert_eq!(
        parked(models, list()).await,
        BTreeMap::from([(payment.clone(), (bad, vec![bad]))])
    );
    assert!(
        booking(models, 2, At::NOW).await.info.incomplete,
        "it could be for any row"
    );
    let told = company
        .append(&stream, "payment.verified", verified(2, 100))
        .await;
    let last = company.cancel(2).await;
    follow(models, &[500]).await;
    let all = parked(models, list()).await;
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(all[&payment], (bad, vec![bad, told]));
    let (_, row) = all
        .iter()
        .find(|(name, _)| name.contains(&id(2).to_string()))
        .expect("it waits");
    assert_eq!(*row, (told, vec![told, last]));
    let cancelled = booking(models, 3, At::NOW).await;
    assert_eq!(cancelled, booking(models, 3, At::AsOf(last)).await);
    assert!(unrelated < bad.next().next());
    assert_rebuilds_to_the_same(models).await;
}

/// A lead of so many adults and a child.
fn captured(adults: i32, at: &str) -> Value {
    json!({
        "contact": {
            "name": {"subject": id(1), "sealed": "n"}, "email": {"subject": id(1), "sealed": "e"}, "phone": null,
        },
        "station_id": SAN_JOSE, "zip": "95112", "wanted_start": "2026-12-05T18:00:00",
        "guests": {"adults": adults, "children": 1, "under6": 0}, "failure": "SLOT_UNAVAILABLE", "source": null,
        "captured_at": at,
    })
}

const NOVEMBER: &str = "2026-11-01T00:00:00Z";

#[tokio::test]
async fn a_fold_that_panics_holds_back_the_row_as_it_was_before() {
    let company = Company::busy(2).await;
    let models = &company.models;
    // The largest amount that a payload can name; a thousand and some of them are more than a sum holds.
    let (largest, payment) = (1_i64 << 53, id(91).to_string());
    let payments = (0..1_040).map(|_| company.append(&payment, "payment.verified", verified(2, largest)));
    let payments: Vec<Position> = stream::iter(payments).buffered(32).collect().await;
    let last = company.pay(1).await;
    follow(models, &[500]).await;
    let all = held(models, list()).await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].reason.contains("overflow"), "{all:?}");
    assert!(
        all[0].waiting > 1 && payments.contains(&all[0].position),
        "{all:?}"
    );
    let before = booking(models, 2, At::AsOf(Position(all[0].position.0 - 1))).await;
    for at in [At::NOW, At::AsOf(last)] {
        let row = booking(models, 2, at).await;
        assert!(row.info.incomplete);
        assert_eq!(row.value, before.value);
        assert!(!booking(models, 1, at).await.info.incomplete);
    }
    assert_rebuilds_to_the_same(models).await;
}

#[tokio::test]
async fn a_row_that_the_database_does_not_take_waits_and_comes_back_when_it_does() {
    let company = Company::busy(2).await;
    let models = &company.models;
    let mut superuser = company.database.superuser().await;
    superuser
        .execute("alter table booking_list add check (city <> 'Oakland')")
        .await
        .unwrap();
    company.request(4).await;
    let refused = company.request(6).await;
    company.request(7).await;
    company.pay(6).await;
    let last = company.cancel(6).await;
    follow(models, &[500]).await;
    let all = held(models, list()).await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((all[0].position, all[0].waiting), (refused, 3));
    assert!(all[0].reason.contains("23514"), "{all:?}");
    assert!(booking(models, 6, At::NOW).await.value.is_none());
    assert!(booking(models, 7, At::NOW).await.value.is_some());
    let checked = list().check(models, TENANT, &Unwatched).await.unwrap();
    assert_eq!(checked.differences, [], "what is held back is no drift");
    let rebuilt = list().rebuild(models, TENANT, &Unwatched).await.unwrap();
    assert_eq!(rebuilt.differences, Some(vec![]));
    assert_eq!(held(models, list()).await.len(), 1);
    let again = retry(models, Some(&id(6).to_string())).await;
    assert_eq!(
        (again.tried, again.applied, again.held.len(), again.freed.len()),
        (3, 0, 1, 0)
    );
    let tried = held(models, list()).await;
    assert_eq!((tried[0].tries, tried[0].waiting), (1, 3));
    assert!(retry(models, Some("another")).await.held.is_empty());
    superuser
        .execute("alter table booking_list drop constraint booking_list_city_check")
        .await
        .unwrap();
    let freed = retry(models, None).await;
    assert_eq!(
        (freed.tried, freed.applied, freed.held.len(), freed.freed.len()),
        (3, 3, 0, 1)
    );
    assert_eq!(held(models, list()).await, []);
    assert_eq!(
        booking(models, 6, At::NOW).await,
        booking(models, 6, At::AsOf(last)).await
    );
    assert!(!bookings(models, At::NOW).await.1);
    assert_rebuilds_to_the_same(models).await;
}

#[tokio::test]
async fn a_value_that_postgres_has_no_room_for_holds_back_its_row_as_well() {
    let company = Company::new().await;
    company.open().await;
    let models = &company.models;
    company
        .append(
            &id(1).to_string(),
            "lead.captured",
            captured(2, "+200000-01-01T00:00:00Z"),
        )
        .await;
    let last = company
        .append(&id(2).to_string(), "lead.captured", captured(2, NOVEMBER))
        .await;
    follow(models, &[500]).await;
    let leads = projection("lead_list").unwrap();
    let all = held(models, leads).await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].reason.contains("(22"), "{all:?}");
    assert_eq!(status(models, "lead_list").await.position, last);
    assert_rebuilds_to_the_same(models).await;
}

#[tokio::test]
async fn what_waits_is_applied_in_its_order_after_a_fix() {
    let company = Company::busy(3).await;
    let models = &company.models;
    let confirmed = json!({
        "payment_id": id(2), "captured_cents": 85_118, "confirmed_at": "2026-11-02T00:00:01Z",
    });
    let bad = company
        .append(&id(2).to_string(), "booking.confirmed", json!({"payment_id": 7}))
        .await;
    company.pay(2).await;
    company.complete(2).await;
    let last = company.cancel(2).await;
    follow(models, &[500]).await;
    rewrite(&company, bad, &confirmed).await;
    let elsewhere = ReadModels::new(company.database.log().await);
    let freed = retry(models, None).await;
    assert_eq!((freed.held.len(), freed.freed.len()), (0, 1), "{freed:?}");
    assert_eq!(freed.tried, freed.applied);
    // Folded afresh: what this process remembers was folded before the fix.
    assert_eq!(
        booking(&elsewhere, 2, At::NOW).await,
        booking(&elsewhere, 2, At::AsOf(last)).await
    );
    assert_list_rebuilds_to_the_same(&elsewhere).await;
}

#[tokio::test]
async fn an_event_that_tells_its_row_only_after_a_fix_is_not_applied_behind_later_ones() {
    let company = Company::busy(3).await;
    let models = &company.models;
    let stream = id(90).to_string();
    let bad = company.append(&stream, "booking.requested", json!({})).await;
    let payment = company
        .append(&stream, "payment.verified", json!({"amount": "much"}))
        .await;
    // Nobody knows yet that the payment before it was for this booking.
    company.cancel(2).await;
    company
        .append(&stream, "payment.verified", verified(1, 100))
        .await;
    let last = company.pay(3).await;
    follow(models, &[500]).await;
    assert!(bad < payment);
    rewrite(&company, payment, &verified(2, 5_000)).await;
    let freed = retry(models, Some("payment:")).await;
    assert_eq!(freed.held, Vec::<String>::new());
    let elsewhere = ReadModels::new(company.database.log().await);
    for n in [1, 2, 3] {
        assert_eq!(
            booking(&elsewhere, n, At::NOW).await.value,
            booking(&elsewhere, n, At::AsOf(last)).await.value
        );
    }
    // The other is held back as it was, and is tried by its own name.
    assert_eq!(held(models, list()).await.len(), 1);
    assert_list_rebuilds_to_the_same(&elsewhere).await;
}

#[tokio::test]
async fn payments_stand_still_rather_than_be_wrong() {
    let company = Company::busy(3).await;
    let models = &company.models;
    let bad = company
        .append(&id(90).to_string(), "payment.verified", json!({"amount": "much"}))
        .await;
    company.request(50).await;
    let last = company.pay(50).await;
    let stopped = models.catch_up(TENANT).await.unwrap_err();
    assert!(matches!(stopped, ProjectionError::Stopped { .. }), "{stopped:?}");
    let worker = Worker::start(models.clone());
    for name in ["booking_list", "audit_trail", "lead_list"] {
        let reached = models.wait_for(TENANT, name, last, Duration::from_secs(20)).await;
        assert_eq!(reached.unwrap(), Waited::Reached, "{name}");
    }
    worker.stop().await;
    follow(models, &[500]).await;
    for name in ["payment_list", "booking_ledger"] {
        let status = status(models, name).await;
        assert_eq!(
            (status.position, status.parked_keys),
            (Position(bad.0 - 1), 0),
            "{name}"
        );
        let said = status.state.to_string();
        assert!(
            said.starts_with(&format!("stopped: the event at position {bad} cannot be applied")),
            "{name}: {said}"
        );
    }
    assert_rebuilds_to_the_same(models).await;
    rewrite(&company, bad, &verified(2, 100)).await;
    models.catch_up(TENANT).await.unwrap();
    assert_eq!(status(models, "payment_list").await.position, last);
}

#[tokio::test]
async fn tax_stands_still_rather_than_be_wrong() {
    let company = Company::busy(3).await;
    let models = &company.models;
    let bad = company
        .append(
            &id(90).to_string(),
            "booking.tax_adjusted",
            json!({"amount": "much"}),
        )
        .await;
    company.request(50).await;
    let stopped = models.catch_up(TENANT).await.unwrap_err();
    assert!(matches!(stopped, ProjectionError::Stopped { .. }), "{stopped:?}");
    follow(models, &[500]).await;
    for name in ["tax_ledger", "tax_summary"] {
        let status = status(models, name).await;
        assert_eq!(
            (status.position, status.parked_keys),
            (Position(bad.0 - 1), 0),
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_event_of_an_unknown_type_stops_every_read_model() {
    let company = Company::busy(2).await;
    let unknown = company.append("x", "spaceship.landed", json!({})).await;
    company.request(50).await;
    follow(&company.models, &[500]).await;
    for projection in registry() {
        let status = status(&company.models, projection.name()).await;
        assert_eq!(status.position, Position(unknown.0 - 1), "{}", projection.name());
        assert!(
            matches!(status.state, ProjectionState::Stopped { .. }),
            "{status:?}"
        );
        assert!(
            projection
                .rebuild(&company.models, TENANT, &Unwatched)
                .await
                .is_err()
        );
    }
    assert!(bookings(&company.models, At::NOW).await.1);
}

#[tokio::test]
async fn an_event_of_a_newer_version_stops_whoever_wants_it() {
    let company = Company::busy(2).await;
    let newer = company
        .append_version(&id(2).to_string(), "booking.confirmed", 99, json!({}))
        .await;
    let last = company.request(50).await;
    follow(&company.models, &[500]).await;
    assert_eq!(
        status(&company.models, "booking_list").await.position,
        Position(newer.0 - 1)
    );
    assert_eq!(held(&company.models, list()).await, []);
    assert_eq!(status(&company.models, "lead_list").await.position, last);
}

/// What is appended to a random log.
#[derive(Debug, Clone, Copy)]
enum Step {
    Request(u64),
    Pay(u64),
    Cancel(u64),
    Complete(u64),
    UnreadableBooking(u64),
    UnreadablePayment(u64),
    PaymentOf(u64, u64),
    UnreadableCustomer,
}

fn any_step() -> impl Strategy<Value = Step> {
    let n = || 1_u64..6;
    prop_oneof![
        3 => n().prop_map(Step::Request),
        3 => n().prop_map(Step::Pay),
        2 => n().prop_map(Step::Cancel),
        1 => n().prop_map(Step::Complete),
        1 => n().prop_map(Step::UnreadableBooking),
        1 => n().prop_map(Step::UnreadablePayment),
        2 => (n(), n()).prop_map(|(stream, of)| Step::PaymentOf(stream, of)),
        1 => Just(Step::UnreadableCustomer),
    ]
}

async fn append(company: &Company, step: Step) {
    let payment = |n: u64| id(200 + n).to_string();
    match step {
        Step::Request(n) => company.request(n).await,
        Step::Pay(n) => company.pay(n).await,
        Step::Cancel(n) => company.cancel(n).await,
        Step::Complete(n) => company.complete(n).await,
        Step::UnreadableBooking(n) => {
            company
                .append(&id(n).to_string(), "booking.completed", json!({"n": n}))
                .await
        }
        Step::UnreadablePayment(n) => {
            company
                .append(&payment(n), "payment.verified", json!({"n": n}))
                .await
        }
        Step::PaymentOf(n, of) => {
            company
                .append(&payment(n), "payment.verified", verified(of, 100))
                .await
        }
        Step::UnreadableCustomer => company.append("nobody", "customer.registered", json!({})).await,
    };
}

/// Random logs with random poison.
const LOGS: u32 = 8;

#[tokio::test]
async fn live_rebuilt_and_as_of_agree_on_any_log_and_hold_back_the_same() {
    let mut runner = TestRunner::new(Config::default());
    remark(format_args!("seed: {:?}", runner.rng().clone()));
    for _ in 0..LOGS {
        let steps = prop::collection::vec(any_step(), 10..40);
        let sizes = prop::collection::vec(1_u32..30, 1..6);
        let (steps, sizes) = (steps, sizes).new_tree(&mut runner).unwrap().current();
        remark(format_args!("{steps:?} in batches of {sizes:?}"));
        let company = Company::new().await;
        company.open().await;
        let mut half = Position::START;
        for (index, step) in steps.iter().enumerate() {
            append(&company, *step).await;
            if index == steps.len() / 2 {
                follow(&company.models, &sizes).await;
                half = company.log.head(TENANT).await.unwrap().position;
            }
        }
        follow(&company.models, &sizes).await;
        let models = &company.models;
        let mut held_back = BTreeMap::new();
        for projection in registry() {
            held_back.insert(projection.name(), parked(models, *projection).await);
            let status = status(models, projection.name()).await;
            let checked = projection.check(models, TENANT, &Unwatched).await.unwrap();
            assert_eq!(checked.differences, [], "{}", projection.name());
            if matches!(status.state, ProjectionState::Stopped { .. }) {
                continue;
            }
            let folded = projection.as_of(models, TENANT, status.position).await.unwrap();
            let is_held = !held_back[projection.name()].is_empty();
            assert_eq!(folded.info.incomplete, is_held, "{}", projection.name());
            assert_eq!(
                u64::try_from(folded.value.len()).unwrap(),
                checked.rows,
                "{}",
                projection.name()
            );
        }
        let head = company.log.head(TENANT).await.unwrap().position;
        assert_eq!(
            bookings(models, At::NOW).await,
            bookings(models, At::AsOf(head)).await
        );
        let past = bookings(models, At::AsOf(half)).await;
        assert_eq!(
            past,
            bookings(&ReadModels::new(company.log.clone()), At::AsOf(half)).await
        );
        assert_rebuilds_to_the_same(models).await;
        // Nothing is mended: trying again changes nothing.
        for projection in registry() {
            if held_back[projection.name()].is_empty() {
                continue;
            }
            let retried = projection.retry(models, TENANT, None).await.unwrap();
            assert_eq!(retried.applied, 0, "{retried:?}");
            assert_eq!(parked(models, *projection).await, held_back[projection.name()]);
        }
        assert_rebuilds_to_the_same(models).await;
    }
}
