//! What an older program wrote is read as if it had been written today, and what a newer one wrote stops its reader.

use std::sync::Arc;
use std::time::Duration;

use commands::gateways::{SystemClock, SystemIds, ZipDirectory};
use commands::ports::Ports;
use commands::root::{LogStore, Root};
use commands::{Caller, CommandError, Commands, IdempotencyKey};
use cqrs_es::EventStore;
use domain::booking::Booking;
use domain::decider::DecodeError;
use domain::envelope::Position;
use domain::ids::BookingId;
use event_log::{MasterKey, SystemEntropy, Vault};
use projections::booking_list::{self, BookingFilter};
use projections::tax_rates::{self, TaxRateFilter};
use projections::{At, Fresh, Late, ProjectionError, ReadError, Unwatched, Waited, registry};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use super::company::{Company, SAN_JOSE, TENANT, auditor, id};

/// How a booking was called off: as version 1 said it, and as version 2 does.
struct CalledOff {
    booking: u64,
    by: &'static str,
    version_1: Value,
    version_2: Value,
    /// Of 866.18 paid with the tip, 851.18 towards the price, 100.00 of it the deposit.
    proposed_cents: i64,
}

fn called_off() -> [CalledOff; 4] {
    let tier = |hours_before, refund_ppm, deposit_back| json!({"hours_before": hours_before, "refund_ppm": refund_ppm, "deposit_back": deposit_back});
    let off = |booking, by, version_1, version_2, proposed_cents| CalledOff {
        booking,
        by,
        version_1,
        version_2,
        proposed_cents,
    };
    let half = tier(72, 500_000, "kept");
    let all = tier(168, 1_000_000, "returned");
    [
        off(
            1,
            "company",
            tier(200, 1_000_000, "returned"),
            json!("everything"),
            85_118,
        ),
        off(2, "customer", half.clone(), json!({"tier": half}), 37_559),
        off(4, "customer", all.clone(), json!({"tier": all}), 85_118),
        off(5, "customer", json!(null), json!("nothing"), 0),
    ]
}

/// A company whose bookings were called off by a program of that time.
async fn company(version: u16) -> Company {
    let company = Company::new().await;
    company.open().await;
    for off in called_off() {
        company.request(off.booking).await;
        let mut cancelled = json!({
            "station_id": SAN_JOSE, "by": off.by, "reason": "ill", "hours_before": 200,
            "cancelled_at": "2026-11-20T00:00:00Z",
        });
        match version {
            1 => cancelled["refund_tier"] = off.version_1,
            _ => cancelled["refund"] = off.version_2,
        }
        company
            .append_version(
                &id(off.booking).to_string(),
                "booking.cancelled",
                version,
                cancelled,
            )
            .await;
        // On its way when it was called off: the proposal follows.
        company.pay(off.booking).await;
    }
    company
}

/// Every row of every read model, without the instants at which the database recorded the events.
async fn rows(company: &Company) -> Vec<String> {
    let mut superuser = company.database.superuser().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.columns
         where table_schema = 'public' and column_name = 'generation' and table_name not like 'projection\\_%'
         order by table_name",
    )
    .fetch_all(&mut superuser)
    .await
    .expect("the test database answers");
    assert!(tables.len() > 8, "{tables:?}");
    let mut rows = Vec::new();
    for table in tables {
        let all =
            format!("select (to_jsonb(t) - 'recorded_at' - 'registered_at')::text from {table} t order by 1");
        let all: Vec<String> = sqlx::query_scalar(AssertSqlSafe(all))
            .fetch_all(&mut superuser)
            .await
            .expect("the test database answers");
        rows.extend(all.into_iter().map(|row| format!("{table} {row}")));
    }
    rows
}

fn commands(company: &Company) -> Commands {
    let ports = Ports {
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds::default()),
        places: Arc::new(ZipDirectory),
    };
    let vault = Vault::new(
        company.log.database().clone(),
        MasterKey::new([1; 32]),
        Arc::new(SystemEntropy),
    );
    Commands::new(company.log.clone(), Arc::new(vault), ports)
}

fn caller() -> Caller {
    Caller::system(TENANT, "test")
}

async fn complete(company: &Company, booking: u64) -> CommandError {
    let key = IdempotencyKey::from_client("complete").expect("it is a key");
    let commands = commands(company);
    let done = commands.complete_booking(caller(), key, BookingId(id(booking)), None, None);
    done.await.expect_err("it is called off, or cannot be read")
}

#[tokio::test]
async fn what_version_1_wrote_is_read_and_decided_on_as_its_twin_of_version_2() {
    let (old, new) = (company(1).await, company(2).await);
    for company in [&old, &new] {
        company.models.catch_up(TENANT).await.unwrap();
        super::assert_rebuilds_to_the_same(&company.models).await;
    }
    let (in_old, in_new) = (rows(&old).await, rows(&new).await);
    assert_eq!(in_old.len(), in_new.len());
    for (old, new) in in_old.iter().zip(&in_new) {
        assert_eq!(old, new);
    }
    for off in called_off() {
        let booking = BookingId(id(off.booking));
        let row = booking_list::one(&old.models, &auditor(), booking, At::NOW)
            .await
            .unwrap();
        let proposal = row.value.unwrap().refund_proposal.unwrap();
        assert_eq!(
            proposal.proposed_refund_cents.0, off.proposed_cents,
            "{}",
            off.booking
        );
        let loaded = async |company: &Company| {
            let store = LogStore::new(commands(company), caller());
            let events = EventStore::<Root<Booking>>::load_events(&store, &booking.to_string()).await;
            let payloads = events.unwrap().into_iter().map(|event| event.payload);
            payloads.collect::<Vec<_>>()
        };
        assert_eq!(loaded(&old).await, loaded(&new).await);
        let (in_old, in_new) = (
            complete(&old, off.booking).await,
            complete(&new, off.booking).await,
        );
        assert_eq!(in_old.to_string(), in_new.to_string());
        assert_eq!(
            in_old.to_string(),
            "WRONG_STATE: a booking that is cancelled cannot be completed"
        );
    }
}

#[tokio::test]
async fn an_event_that_nobody_knows_stops_each_reader_with_its_name() {
    for (name, version, said) in [
        (
            "booking.teleported",
            1,
            "unknown event booking.teleported version 1",
        ),
        (
            "booking.cancelled",
            3,
            "unknown event booking.cancelled version 3",
        ),
        (
            "booking.cancelled",
            0,
            "unknown event booking.cancelled version 0",
        ),
    ] {
        let company = Company::busy(3).await;
        let at = company
            .append_version(&id(3).to_string(), name, version, json!({}))
            .await;
        let refused = complete(&company, 3).await;
        assert!(
            matches!(
                &refused,
                CommandError::Unreadable(unknown @ DecodeError::Unknown { .. }) if unknown.to_string() == said
            ),
            "{refused:?}"
        );
        let stopped = company.models.catch_up(TENANT).await.unwrap_err();
        let ProjectionError::Stopped { position, reason, .. } = stopped else {
            panic!("{stopped:?}")
        };
        assert_eq!(position, Position(at.0 - 1));
        assert_eq!(
            reason,
            format!("the event at position {at} cannot be applied: {said}")
        );
    }
}

#[tokio::test]
async fn an_event_that_nobody_knows_is_passed_over_by_no_rebuild_and_no_answer_as_of_a_position() {
    let company = Company::busy(3).await;
    let at = company
        .append_version(&id(3).to_string(), "booking.teleported", 1, json!({}))
        .await;
    company.request(20).await;
    let before = Position(at.0 - 1);
    let said =
        format!("the event at position {at} cannot be applied: unknown event booking.teleported version 1");
    for projection in registry() {
        let rebuilt = projection.rebuild(&company.models, TENANT, &Unwatched).await;
        let Err(ProjectionError::Stopped { position, reason, .. }) = rebuilt else {
            panic!("{}: {rebuilt:?}", projection.name())
        };
        assert_eq!((position, &reason), (before, &said), "{}", projection.name());
    }
    // Of the two, one looks at bookings.
    let viewer = auditor();
    let booking =
        async |at| booking_list::one(&company.models, &viewer, BookingId(id(3)), At::AsOf(at)).await;
    let rates = async |at| {
        let all = TaxRateFilter::default();
        tax_rates::count(&company.models, &viewer, all, At::AsOf(at)).await
    };
    assert!(booking(before).await.unwrap().value.is_some());
    assert!(rates(before).await.unwrap().value > 0);
    for refused in [booking(at).await.unwrap_err(), rates(at).await.unwrap_err()] {
        assert!(
            matches!(&refused, ReadError::Unreadable { table: "events", reason } if reason.ends_with(&said)),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn rows_that_an_older_fold_made_are_no_answer_until_they_are_built_anew() {
    let company = company(1).await;
    company.models.catch_up(TENANT).await.unwrap();
    let head = company.log.head(TENANT).await.unwrap().position;
    let booking = BookingId(id(called_off()[0].booking));
    let viewer = auditor();
    let one = async |at| booking_list::one(&company.models, &viewer, booking, at).await;
    let right = one(At::NOW).await.unwrap().value;
    // As version 1 of the fold wrote it.
    let mut superuser = company.database.superuser().await;
    for old in [
        "update booking_list set refund_proposal = refund_proposal - 'rule' || '{\"tier\": null}'
         where refund_proposal is not null",
        "update projection_checkpoints set fold_version = 1 where projection = 'booking_list'",
    ] {
        let done = sqlx::query(old).execute(&mut superuser).await.unwrap();
        assert!(done.rows_affected() > 0, "{old}");
    }

    let filter = BookingFilter::default();
    for refused in [
        one(At::NOW).await.unwrap_err(),
        booking_list::count(&company.models, &viewer, filter, At::NOW)
            .await
            .unwrap_err(),
    ] {
        let ReadError::StaleRead {
            projection,
            asked,
            position,
            ..
        } = refused
        else {
            panic!("{refused:?}")
        };
        assert_eq!(
            (projection, asked, position),
            ("booking_list", head, Position::START)
        );
    }
    let wait = Duration::from_millis(60);
    let waited = company.models.wait_for(TENANT, "booking_list", head, wait).await;
    assert_eq!(waited.unwrap(), Waited::Stale(Position::START));
    assert_eq!(one(At::AsOf(head)).await.unwrap().value, right);

    let fresh = Fresh {
        at_least: head,
        wait: Duration::from_secs(20),
        then: Late::Refuse,
    };
    let (found, built) = tokio::join!(
        one(At::Live { fresh: Some(fresh) }),
        company.models.catch_up(TENANT)
    );
    built.unwrap();
    assert_eq!(found.unwrap().value, right);
    super::assert_rebuilds_to_the_same(&company.models).await;
}

#[tokio::test]
async fn a_hole_is_passed_over_by_no_rebuild_and_no_answer_as_of_a_position() {
    let company = Company::busy(3).await;
    let head = company.log.head(TENANT).await.unwrap().position;
    let mut superuser = company.database.superuser().await;
    superuser
        .execute("set session_replication_role = replica")
        .await
        .unwrap();
    let viewer = auditor();
    let as_of = async |at| {
        let all = TaxRateFilter::default();
        tax_rates::count(&company.models, &viewer, all, At::AsOf(at)).await
    };
    // The last, one amid the others, and the first.
    for missing in [head, Position(head.0 / 2), Position(1)] {
        let deleted = sqlx::query("delete from events where position = $1").bind(missing.0);
        assert_eq!(deleted.execute(&mut superuser).await.unwrap().rows_affected(), 1);
        let before = Position(missing.0 - 1);
        let said = format!("the event at position {missing} cannot be applied: it is missing");
        for projection in registry() {
            let rebuilt = projection.rebuild(&company.models, TENANT, &Unwatched).await;
            let Err(ProjectionError::Stopped { position, reason, .. }) = rebuilt else {
                panic!("{}: {rebuilt:?}", projection.name())
            };
            assert_eq!((position, &reason), (before, &said), "{}", projection.name());
        }
        let refused = as_of(missing).await.unwrap_err();
        assert!(
            matches!(&refused, ReadError::Unreadable { table: "events", reason } if reason.ends_with(&said)),
            "{refused:?}"
        );
        assert!(as_of(before).await.is_ok());
    }
}
