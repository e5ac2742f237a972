//! The audit trail over one company: whoever looks finds what is there, live and as of a position, and nobody more than is
//! in reach.

use std::collections::BTreeSet;

use domain::access::Viewer;
use domain::envelope::Position;
use projections::audit_trail::{self, AuditFilter, AuditRow, AuditSort, SEARCH_REACH};
use projections::{At, Cursor, Page, Slice};
use serde_json::json;

use super::company::{Company, OAKLAND, TENANT, auditor, id, number};
use super::views::{december, kept_to};

async fn trail(
    company: &Company,
    viewer: &Viewer,
    filter: AuditFilter,
    slice: Slice,
    at: At,
) -> Page<AuditRow> {
    let found = audit_trail::page(&company.models, viewer, filter, AuditSort::NewestFirst, slice, at).await;
    found.expect("the trail answers")
}

#[tokio::test]
async fn whoever_is_kept_to_a_station_sees_its_entries_of_the_trail_and_none_of_the_company() {
    let (company, _) = december().await;
    let confirmed = json!({
        "payment_id": id(40), "station_id": OAKLAND, "captured_cents": 85_118, "confirmed_at": "2026-11-02T00:00:01Z",
    });
    company
        .append(&id(40).to_string(), "booking.confirmed", confirmed)
        .await;
    company.models.catch_up(TENANT).await.unwrap();
    let all = || Slice::first(1_000);
    let everything = trail(&company, &auditor(), AuditFilter::default(), all(), At::NOW).await;
    let seen = trail(
        &company,
        &kept_to(OAKLAND),
        AuditFilter::default(),
        all(),
        At::NOW,
    )
    .await;
    let oakland: Vec<_> = everything
        .rows
        .iter()
        .filter(|listed| listed.row.station_id == Some(OAKLAND))
        .collect();
    assert_eq!(seen.rows.iter().collect::<Vec<_>>(), oakland);
    let types: BTreeSet<&str> = seen
        .rows
        .iter()
        .map(|listed| listed.row.event_type.as_str())
        .collect();
    for kind in [
        "booking.requested",
        "booking.confirmed",
        "payment.verified",
        "price_list.item_added",
        "station.created",
    ] {
        assert!(types.contains(kind), "{types:?}");
    }
    for kind in ["customer.registered", "tax_rate.set", "organisation.created"] {
        assert!(!types.contains(kind), "{types:?}");
    }
    let hidden = everything
        .rows
        .iter()
        .find(|listed| listed.row.station_id.is_none())
        .expect("some are the company's");
    let one = |viewer: Viewer| {
        let (models, position) = (company.models.clone(), hidden.row.position);
        async move {
            audit_trail::one(&models, &viewer, position, At::NOW)
                .await
                .unwrap()
                .value
        }
    };
    assert!(one(auditor()).await.is_some());
    assert_eq!(one(kept_to(OAKLAND)).await, None);
    let counted = audit_trail::count(
        &company.models,
        &kept_to(OAKLAND),
        AuditFilter::default(),
        At::NOW,
    )
    .await;
    assert_eq!(counted.unwrap().value, u64::try_from(seen.rows.len()).unwrap());
}

#[tokio::test]
async fn the_trail_is_searched_by_entity_actor_type_period_and_text_alike_live_and_as_of() {
    let (company, positions) = december().await;
    let head = company.log.head(TENANT).await.unwrap().position;
    let all = || Slice::first(1_000);
    let everything = trail(&company, &auditor(), AuditFilter::default(), all(), At::NOW).await;
    let middle = everything.rows[everything.rows.len() / 2].row.recorded_at;
    let called = number(5);
    let filters = [
        AuditFilter {
            entity_id: Some(id(5).to_string()),
            ..AuditFilter::default()
        },
        AuditFilter {
            entity_type: Some("payment".to_owned()),
            ..AuditFilter::default()
        },
        AuditFilter {
            actor_id: Some("test".to_owned()),
            from: Some(middle),
            ..AuditFilter::default()
        },
        AuditFilter {
            types: vec!["booking.cancelled".to_owned(), "payment.claimed".to_owned()],
            ..AuditFilter::default()
        },
        AuditFilter {
            from: Some(middle),
            ..AuditFilter::default()
        },
        AuditFilter {
            to: Some(middle),
            ..AuditFilter::default()
        },
        AuditFilter {
            to: Some("2199-01-01T00:00:00Z".parse().unwrap()),
            ..AuditFilter::default()
        },
        AuditFilter {
            search: Some(called.to_lowercase()),
            ..AuditFilter::default()
        },
        AuditFilter {
            search: Some("ILL".to_owned()),
            types: vec!["booking.cancelled".to_owned()],
            ..AuditFilter::default()
        },
        AuditFilter {
            search: Some("nothing says this".to_owned()),
            ..AuditFilter::default()
        },
    ];
    let meets = |filter: &AuditFilter, row: &AuditRow| {
        let said = |text: &str| {
            let wanted = text.to_lowercase();
            let reason = row.reason.clone().unwrap_or_default().to_lowercase();
            row.summary.to_lowercase().contains(&wanted) || reason.contains(&wanted)
        };
        filter.entity_id.as_ref().is_none_or(|id| *id == row.entity_id)
            && filter
                .entity_type
                .as_ref()
                .is_none_or(|kind| *kind == row.entity_type)
            && filter.actor_id.as_ref().is_none_or(|id| *id == row.actor_id)
            && (filter.types.is_empty() || filter.types.contains(&row.event_type))
            && filter.from.is_none_or(|from| row.recorded_at >= from)
            && filter.to.is_none_or(|to| row.recorded_at < to)
            && filter.search.as_ref().is_none_or(|text| said(text))
    };
    for (number, filter) in filters.into_iter().enumerate() {
        for at in [At::NOW, At::AsOf(head), At::AsOf(positions[15])] {
            let last = if let At::AsOf(position) = at {
                position
            } else {
                head
            };
            let found = trail(&company, &auditor(), filter.clone(), all(), at).await;
            let expected: Vec<_> = everything
                .rows
                .iter()
                .filter(|listed| listed.row.position <= last && meets(&filter, &listed.row))
                .collect();
            assert_eq!(
                found.rows.iter().collect::<Vec<_>>(),
                expected,
                "filter {number} {at:?}"
            );
            assert!(!found.has_next);
            assert_eq!(expected.is_empty(), number == 9, "filter {number}");
            let counted = audit_trail::count(&company.models, &auditor(), filter.clone(), at)
                .await
                .unwrap();
            assert_eq!(counted.value, u64::try_from(expected.len()).unwrap());
        }
    }
}

#[tokio::test]
async fn a_search_goes_on_where_it_has_looked_until_the_period_ends() {
    let company = Company::new().await;
    company.open().await;
    company.models.catch_up(TENANT).await.unwrap();
    let found = company.log.head(TENANT).await.unwrap().position.0;
    // A long log, of which the read model and the head are all that a search looks at.
    let more = 2 * SEARCH_REACH + 500;
    let mut superuser = company.database.superuser().await;
    let long = format!(
        "insert into audit_trail (tenant_id, generation, position, recorded_at, event_type, summary, entity_type,
             entity_id, actor_kind, actor_id, channel, changes, correlation_id, event_id, redacted)
         select tenant_id, generation, {found} + n, recorded_at, event_type, 'Nothing of note', entity_type, entity_id,
             actor_kind, actor_id, channel, changes, correlation_id, gen_random_uuid(), redacted
         from audit_trail, generate_series(1, {more}) n where position = 1"
    );
    let ahead = format!("update log_head set position = {found} + {more}");
    let followed = format!("update projection_checkpoints set position = {found} + {more}");
    for lie in [long, ahead, followed] {
        sqlx::query("set session_replication_role = replica")
            .execute(&mut superuser)
            .await
            .unwrap();
        sqlx::query(sqlx::AssertSqlSafe(lie))
            .execute(&mut superuser)
            .await
            .unwrap();
    }
    let filter = || AuditFilter {
        search: Some("organisation ours CREATED".to_owned()),
        ..AuditFilter::default()
    };
    let (mut after, mut pages, mut rows): (Option<Cursor>, Vec<usize>, Vec<_>) =
        (None, Vec::new(), Vec::new());
    loop {
        let page = trail(
            &company,
            &auditor(),
            filter(),
            Slice { after, first: 10 },
            At::NOW,
        )
        .await;
        pages.push(page.rows.len());
        rows.extend(page.rows.into_iter().map(|listed| listed.row.position));
        if !page.has_next {
            break;
        }
        after = page.end;
    }
    assert_eq!((pages, rows), (vec![0, 0, 1], vec![Position(1)]));
}
