//! Rows held against the log: whatever somebody changed by hand is found and named, by a full check, by a sample that
//! draws it and by the check that never ends.

use std::time::{Duration, Instant};

use domain::access::Role;
use domain::ids::TenantId;
use projections::{
    Checked, Extent, Projection, ProjectionError, ProjectionState, ReadModels, Sample, Unwatched, projection,
    registry,
};
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use tests::http::{Client, Server, party};

use super::company::{Company, TENANT, id};

fn sample(keys: u32, seed: u64) -> Extent {
    Extent::Sample(Sample {
        keys,
        seed,
        pause: Duration::ZERO,
    })
}

async fn check(models: &ReadModels, projection: &dyn Projection, extent: Extent) -> Checked {
    projection
        .check_as(models, TENANT, extent, &Unwatched)
        .await
        .expect("the read models answer")
}

async fn state(models: &ReadModels, name: &str) -> ProjectionState {
    let all = models.status(TENANT).await.expect("the read models answer");
    all.into_iter()
        .find(|status| status.name == name)
        .expect("it is registered")
        .state
}

async fn lie(superuser: &mut PgConnection, sql: String) -> u64 {
    superuser
        .execute(AssertSqlSafe(sql))
        .await
        .expect("a superuser may lie")
        .rows_affected()
}

/// The table of a read model, and one of its columns that is text, a number or an instant and not of the key, with
/// something else in it.
async fn lies(superuser: &mut PgConnection, name: &str) -> [(&'static str, String); 3] {
    let (column, kind): (String, String) = sqlx::query_as(
        "select a.attname::text, a.atttypid::regtype::text from pg_attribute a
         where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
             and a.atttypid::regtype::text in ('bigint', 'integer', 'timestamp with time zone')
             and a.attname not in ('tenant_id', 'generation') and not exists (
                 select from pg_index i where i.indrelid = a.attrelid and i.indisprimary and a.attnum = any(i.indkey)
             )
         order by a.attnum desc limit 1",
    )
    .bind(name)
    .fetch_one(&mut *superuser)
    .await
    .unwrap_or_else(|error| panic!("{name}: {error}"));
    let other = if kind.starts_with("timestamp") {
        format!("coalesce({column}, now()) + interval '1 second'")
    } else {
        format!("coalesce({column}, 0) + 1")
    };
    let key: String = sqlx::query_scalar(
        "select a.attname::text from pg_attribute a join pg_index i on i.indrelid = a.attrelid and i.indisprimary
         where a.attrelid = $1::regclass and a.attnum = any(i.indkey) and a.attname not in ('tenant_id', 'generation')
         order by a.attnum desc limit 1",
    )
    .bind(name)
    .fetch_one(&mut *superuser)
    .await
    .expect("a table has a key");
    let one = format!(
        "ctid = (
             select r.ctid from {name} r join projection_checkpoints c using (tenant_id, generation)
             where c.projection = '{name}' and c.status = 'live' order by r.ctid limit 1
         )"
    );
    let moved = format!(
        "update {name} set {key} = case when pg_typeof({key})::text = 'uuid' then gen_random_uuid()::text
             when pg_typeof({key})::text = 'date' then '1999-01-01'
             when pg_typeof({key})::text in ('bigint', 'integer') then '999999' else 'nowhere' end::{{}}
         where {one}"
    );
    let key_kind: String = sqlx::query_scalar(
        "select atttypid::regtype::text from pg_attribute where attrelid = $1::regclass and attname = $2",
    )
    .bind(name)
    .bind(&key)
    .fetch_one(superuser)
    .await
    .expect("a column has a type");
    [
        (
            "changed",
            format!("update {name} set {column} = {other} where {one}"),
        ),
        ("deleted", format!("delete from {name} where {one}")),
        // The row that it was is missing then, and one is there that should not be.
        ("moved", moved.replace("{}", &key_kind)),
    ]
}

#[tokio::test]
async fn a_row_changed_deleted_or_added_by_hand_is_found_in_each_read_model() {
    let company = Company::busy(8).await;
    let models = &company.models;
    models.catch_up(TENANT).await.unwrap();
    let mut superuser = company.database.superuser().await;
    // Lies that the tables would not take.
    let unconstrained = "do $$ declare v record; begin
         for v in select conrelid::regclass as t, conname from pg_constraint
             where contype = 'c' and conrelid <> 0 and connamespace = 'public'::regnamespace
         loop execute format('alter table %s drop constraint %I', v.t, v.conname); end loop; end $$";
    lie(&mut superuser, unconstrained.to_owned()).await;
    for projection in registry() {
        let name = projection.name();
        assert_eq!(
            check(models, *projection, Extent::default()).await.differing,
            0,
            "{name}"
        );
        for (what, sql) in lies(&mut superuser, name).await {
            let expected = if what == "moved" { 2 } else { 1 };
            assert_eq!(lie(&mut superuser, sql).await, 1, "{name} {what}");
            let found = check(models, *projection, Extent::default()).await;
            assert_eq!(found.differing, expected, "{name} {what}: {found:?}");
            assert_eq!(
                state(models, name).await,
                ProjectionState::Drift {
                    rows: i64::try_from(expected).unwrap()
                }
            );
            // In passes of few rows each, the same.
            let in_passes = check(models, *projection, Extent::Whole { rows_at_once: 2 }).await;
            assert_eq!(in_passes, found, "{name} {what}");
            // As many keys as there are rows: each is drawn.
            let drawn = check(models, *projection, sample(1_000, 7)).await;
            assert_eq!(drawn.differences, found.differences, "{name} {what}");
            projection.rebuild(models, TENANT, &Unwatched).await.unwrap();
            assert_eq!(state(models, name).await, ProjectionState::Live, "{name} {what}");
        }
    }
}

#[tokio::test]
async fn a_row_whose_key_nobody_can_read_is_named_by_every_check_that_comes_upon_it() {
    let company = Company::busy(40).await;
    let models = &company.models;
    models.catch_up(TENANT).await.unwrap();
    let mut superuser = company.database.superuser().await;
    let documents = projection("document_list").unwrap();
    let copies = "insert into document_list
        select (jsonb_populate_record(one, jsonb_build_object('number', 'copy ' || n))).*
        from document_list one, generate_series(1, 5) n";
    assert_eq!(lie(&mut superuser, copies.to_owned()).await, 5);
    let named = |checked: &Checked| {
        let mut found = checked.differences.iter();
        found.any(|found| found.key.starts_with(r#"{"number":"copy "#) && found.live.is_some())
    };
    let drawn = (0..200_u64).map(|seed| sample(2, seed));
    let mut found = false;
    for extent in drawn {
        let checked = check(models, documents, extent).await;
        found = named(&checked);
        if found {
            break;
        }
    }
    assert!(found, "of two hundred samples of two one draws it");
    // Whatever the next one draws, it is looked at again.
    assert!(named(&check(models, documents, sample(2, 1_000)).await));
    let whole = check(models, documents, Extent::default()).await;
    assert!(named(&whole) && whole.differing == 5, "{whole:?}");
    documents.rebuild(models, TENANT, &Unwatched).await.unwrap();
    let mended = check(models, documents, sample(2, 1)).await;
    assert_eq!(mended.differing, 0, "{mended:?}");
}

#[tokio::test]
async fn a_sample_finds_what_it_draws_and_does_not_forget_what_was_found_before() {
    let company = Company::busy(40).await;
    let models = &company.models;
    models.catch_up(TENANT).await.unwrap();
    let mut superuser = company.database.superuser().await;
    for (name, key) in [
        ("booking_list", "booking_id"),
        ("payment_list", "payment_id"),
        ("audit_trail", "position"),
    ] {
        let projection = projection(name).unwrap();
        let same = [
            check(models, projection, sample(10, 5)).await,
            check(models, projection, sample(10, 5)).await,
        ];
        assert_eq!(same[0], same[1], "the same seed draws the same");
        assert!(
            same[0].is_sample && same[0].rows > 4 && same[0].rows <= 10,
            "{same:?}"
        );
        let column = if name == "audit_trail" {
            "recorded_at = recorded_at + interval '1 s'"
        } else {
            "version = version + 1"
        };
        let one = format!(
            "update {name} set {column} where {key} = (select min({key}::text)::{} from {name})",
            if name == "audit_trail" { "bigint" } else { "uuid" }
        );
        assert_eq!(lie(&mut superuser, one).await, 1);
        let found = (0..200_u64).map(|seed| sample(10, seed));
        let mut drawn = None;
        for extent in found {
            let checked = check(models, projection, extent).await;
            if checked.differing > 0 {
                drawn = Some(checked);
                break;
            }
        }
        let drawn = drawn.expect("of two hundred samples of ten one draws it");
        // Whatever the next ones draw, the row is looked at again, until it is well.
        for seed in 1_000..1_003 {
            let again = check(models, projection, sample(5, seed)).await;
            assert_eq!(again.differences, drawn.differences, "{name}");
        }
        assert_eq!(state(models, name).await, ProjectionState::Drift { rows: 1 });
        let column = column.replace('+', "-");
        let mended = format!(
            "update {name} set {column} where {key} = (select min({key}::text)::{} from {name})",
            if name == "audit_trail" { "bigint" } else { "uuid" }
        );
        assert_eq!(lie(&mut superuser, mended).await, 1);
        assert_eq!(check(models, projection, sample(5, 1)).await.differing, 0);
        assert_eq!(state(models, name).await, ProjectionState::Live);
    }
}

#[tokio::test]
async fn a_large_table_is_sampled_by_the_page() {
    let company = Company::busy(4).await;
    let models = &company.models;
    models.catch_up(TENANT).await.unwrap();
    let mut superuser = company.database.superuser().await;
    let columns: String = sqlx::query_scalar(
        "select string_agg(quote_ident(attname), ', ') from pg_attribute
         where attrelid = 'payment_list'::regclass and attnum > 0 and not attisdropped and attgenerated = ''
             and attname <> 'payment_id'",
    )
    .fetch_one(&mut superuser)
    .await
    .unwrap();
    // Rows that the log knows nothing of.
    let added = format!(
        "insert into payment_list (payment_id, {columns}) select gen_random_uuid(), {columns}
         from (select * from payment_list limit 1) one, generate_series(1, 12000)"
    );
    assert_eq!(lie(&mut superuser, added).await, 12_000);
    lie(&mut superuser, "analyze payment_list".to_owned()).await;
    let payments = projection("payment_list").unwrap();
    let found = check(models, payments, sample(20, 3)).await;
    assert!(found.is_sample && found.differing >= 5, "{found:?}");
    let all = check(models, payments, Extent::default()).await;
    assert_eq!((all.differing, all.differences.len()), (12_000, 1_000));
    assert_eq!(
        state(models, "payment_list").await,
        ProjectionState::Drift { rows: 12_000 }
    );
}

#[tokio::test]
async fn a_row_that_this_program_cannot_read_is_named() {
    let company = Company::busy(4).await;
    let models = &company.models;
    models.catch_up(TENANT).await.unwrap();
    let mut superuser = company.database.superuser().await;
    let bad = format!(
        "update booking_list set status = 'vanished' where booking_id = '{}'",
        id(2)
    );
    let dropped = "alter table booking_list drop constraint if exists booking_list_status_check".to_owned();
    lie(&mut superuser, dropped).await;
    assert_eq!(lie(&mut superuser, bad).await, 1);
    for extent in [Extent::default(), sample(100, 1)] {
        let found = check(models, projection("booking_list").unwrap(), extent).await;
        assert_eq!(found.differing, 1);
        assert!(found.differences[0].key.contains(&id(2).to_string()));
        assert_eq!(found.differences[0].live.as_ref().unwrap()["status"], "vanished");
    }
}

#[tokio::test]
async fn rows_of_another_version_are_not_judged() {
    let company = Company::busy(2).await;
    company.models.catch_up(TENANT).await.unwrap();
    let mut superuser = company.database.superuser().await;
    lie(
        &mut superuser,
        "update projection_checkpoints set fold_version = 99 where projection = 'lead_list'".to_owned(),
    )
    .await;
    let refused = projection("lead_list")
        .unwrap()
        .check(&company.models, TENANT, &Unwatched)
        .await;
    assert!(
        matches!(refused, Err(ProjectionError::NewerFold { stored: 99, .. })),
        "{refused:?}"
    );
    let nobody = TenantId(uuid::Uuid::from_u128(0xdead));
    let nothing = projection("lead_list")
        .unwrap()
        .check(&company.models, nobody, &Unwatched)
        .await
        .unwrap();
    assert_eq!((nothing.rows, nothing.differing), (0, 0));
}

/// What `projections` says of a read model.
async fn shown(admin: &Client, name: &str) -> (String, i64) {
    let answer = admin
        .data(
            "{ projections { name state parkedKeys } }",
            serde_json::Value::Null,
        )
        .await;
    let all = answer["projections"].as_array().expect("a list").clone();
    let one = all
        .iter()
        .find(|one| one["name"] == name)
        .expect("it is registered")
        .clone();
    let parked = one["parkedKeys"].as_i64().expect("a number");
    (one["state"].as_str().expect("a text").to_owned(), parked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_finds_drift_by_itself_and_says_so_in_the_api_and_in_its_metrics() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    admin.done("bookingRequest", "booking { id }", party("one")).await;
    server.caught_up(&server.company).await;
    assert_eq!(shown(&admin, "booking_list").await, ("live".to_owned(), 0));
    let mut superuser = server.database().superuser().await;
    let lies = "update booking_list set version = version + 1".to_owned();
    assert_eq!(lie(&mut superuser, lies).await, 1);
    let mut node = server.another_node().await;
    node.check_every = Some(Duration::from_millis(20));
    let workers = node.start_workers();
    let begun = Instant::now();
    while !shown(&admin, "booking_list").await.0.starts_with("drift: 1 rows") {
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody has found it");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let metrics = server.figures().await;
    for line in [
        "hibachi_projection_drifted_rows{projection=\"booking_list\"} 1",
        "hibachi_projection_drifted_rows{projection=\"customer_list\"} 0",
        "hibachi_projection_companies{projection=\"booking_list\"} 1",
        "hibachi_projection_lag_events{projection=\"booking_list\"} 0",
        "hibachi_projection_parked_keys{projection=\"booking_list\"} 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
    }
    assert_eq!(
        lie(
            &mut superuser,
            "update booking_list set version = version - 1".to_owned()
        )
        .await,
        1
    );
    while shown(&admin, "booking_list").await.0 != "live" {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "it is well again and nobody has seen it"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    workers.stop().await;
}
