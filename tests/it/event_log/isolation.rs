//! Two companies with rows in every table: neither sees, changes, deletes or adds a row of the other's, in any.

use std::str::FromStr;

use domain::access::{Role, StationScope};
use domain::ids::TenantId;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use tests::http::{Client, Company, Server, party, with};

/// The tables of the schema with their columns that a row of another tenant would have from ours.
struct Table {
    name: String,
    columns: Vec<String>,
}

async fn tables(connection: &mut PgConnection) -> Vec<Table> {
    let tables: Vec<(String, Vec<String>)> = sqlx::query_as(
        "select c.oid::regclass::text, array_agg(quote_ident(a.attname) order by a.attnum)
         from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid
         where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^(pg_|information_schema)'
             and c.relname <> '_sqlx_migrations'
             and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attname <> 'tenant_id'
         group by c.oid
         order by c.oid",
    )
    .fetch_all(connection)
    .await
    .expect("the catalog can be read");
    tables
        .into_iter()
        .map(|(name, columns)| Table { name, columns })
        .collect()
}

/// A booking that is paid and held, one that was refused and left a lead, and a price that was changed.
async fn do_business(server: &Server, company: &Company, admin: &Client) {
    let booked = admin
        .done("bookingRequest", "booking { id }", party("first"))
        .await;
    let booking = &booked["booking"]["id"];
    let money = json!({
        "idempotencyKey": "money", "bookingId": booking, "kind": "DEPOSIT", "method": "VENMO",
        "amountMinor": 10_000,
    });
    let recorded = admin.done("paymentRecord", "payment { id }", money).await;
    let verify = json!({
        "idempotencyKey": "verify", "paymentId": recorded["payment"]["id"], "accept": true, "note": "seen",
    });
    admin.done("paymentVerify", "payment { id }", verify).await;
    let late = with(party("late"), json!({"start": tests::http::PARTY}));
    assert_eq!(admin.refused("bookingRequest", late).await, "SLOT_UNAVAILABLE");
    let price = json!({
        "idempotencyKey": "price", "item": "adult", "priceMinor": 6_500, "reason": "dearer",
        "stationId": tests::http::global_id("Station", company.san_jose),
    });
    admin.done("priceChange", "", price).await;
    server.caught_up(company).await;
}

/// Puts a row of a tenant into a table that its business left empty.
async fn fill(superuser: &mut PgConnection, table: &Table, tenant: TenantId) {
    let sql = match filler(&table.name) {
        Some(sql) => sql.to_owned(),
        None => return,
    };
    sqlx::query(AssertSqlSafe(sql))
        .bind(tenant.0)
        .execute(superuser)
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", table.name));
}

/// What goes into the tables that no command of the two companies fills. A new table that is empty fails the test
/// until it has its line here.
fn filler(table: &str) -> Option<&'static str> {
    match table {
        "tax_ledger" => Some(
            "insert into tax_ledger
             select $1, 1, 1, gen_random_uuid(), 'B-1', gen_random_uuid(), 'sale', '2026-03-14', 'CA', 'Santa Clara',
                 'San Jose', '95112', 'by_zip', 'confirmed', 91250, null, 109, 0, 0, 0, 100, 100, 9, 'cash'",
        ),
        "tax_summary" => Some(
            "insert into tax_summary
             select $1, 1, 'CA', 'Santa Clara', '', 91250, '2026-03-14', gen_random_uuid(), 1, 0, 109, 0, 100, 9",
        ),
        "tax_periods" => Some(
            "insert into tax_periods
             select $1, 1, 'CA', '2026-01-01', '2026-03-31', '2026-Q1', 'closed', 1, 'c', 9, now(), 'a', null, 2",
        ),
        "promo_list" => Some(
            "insert into promo_list select $1, 1, gen_random_uuid(), 1, 'SPRING', '{}', 0, now(), null",
        ),
        "document_list" => Some(
            "insert into document_list
             select $1, 1, 'INV-2026-000001', 'invoice', gen_random_uuid(), 'B-1', gen_random_uuid(), gen_random_uuid(),
                 null, 100, 100, null, 1, '2026-03-14', now(), 1",
        ),
        "review_list" => Some(
            "insert into review_list (tenant_id, generation, review_id, version, booking_id, number, customer_id, station_id,
                 chefs, event_on, status, moderation, rating, answered_through, reminders, clicks, escalated, respond_secs,
                 media, shown, clicked, issued_at, expires_at, listed_at)
             values ($1, 1, gen_random_uuid(), 1, gen_random_uuid(), 'B-1', gen_random_uuid(), gen_random_uuid(), '',
                 '2026-03-14', 'pending', 'awaiting', 0, 'nothing', 0, 0, 0, 0, '[]', '[]', '[]', now(), now(), now())",
        ),
        "work_list" => Some(
            "insert into work_list (tenant_id, generation, work_item_id, version, kind, status, detail, opened_at)
             values ($1, 1, gen_random_uuid(), 1, 'dispute', 'open', 'a bank wants money back', now())",
        ),
        "second_factors" => Some(
            "insert into second_factors (tenant_id, user_id, secret) values ($1, gen_random_uuid(), 'sealed')",
        ),
        "recovery_codes" => Some(
            "insert into recovery_codes select tenant_id, user_id, sha256('code') from second_factors
             where tenant_id = $1",
        ),
        "api_key_uses" => Some("insert into api_key_uses values ($1, gen_random_uuid(), now())"),
        "api_key_list" => Some(
            "insert into api_key_list select $1, 1, gen_random_uuid(), gen_random_uuid(), 'till', 'wxyz', '[]', null, null,
                 null, now()",
        ),
        "jobs" => Some(
            "insert into jobs (tenant_id, job_id, task, subject, caused_by, correlation, run_at)
             values ($1, gen_random_uuid(), 'send_message', gen_random_uuid(), gen_random_uuid(), 'c', now())",
        ),
        "job_schedules" => Some(
            "insert into job_schedules (tenant_id, task, rule, zone, next_at)
             values ($1, 'a_task', 'daily 03:00', 'UTC', now())",
        ),
        "message_template_list" => Some(
            "insert into message_template_list (tenant_id, generation, template_id, version, kind, channel, locale, number,
                 words, history, saved_at)
             values ($1, 1, gen_random_uuid(), 1, 'event_reminder', 'sms', 'en', 1, '{}', '[]', now())",
        ),
        "message_list" => Some(
            "insert into message_list (tenant_id, generation, message_id, version, kind, status, customer_id, due_at)
             values ($1, 1, gen_random_uuid(), 1, 'event_reminder', 'requested', gen_random_uuid(), now())",
        ),
        "job_list" => Some(
            "insert into job_list (tenant_id, generation, job_id, version, task, subject, status, attempts, code,
                 first_failed_at, changed_at)
             values ($1, 1, gen_random_uuid(), 1, 'send_message', gen_random_uuid(), 'dead', 10, 'UNREACHABLE', now(), now())",
        ),
        "escalation_list" => Some(
            "insert into escalation_list (tenant_id, generation, escalation_id, version, source, status, queue_rank,
                 severity, code, reason, subject, target_at, opened_at)
             values ($1, 1, gen_random_uuid(), 1, 'staff', 'open', 2, 2, 'staff', 'look', '{}', now(), now())",
        ),
        "escalation_stats" => Some(
            "insert into escalation_stats
             select $1, 1, '2026-03-14', 'opened', 0, gen_random_uuid(), 1",
        ),
        "conversation_list" => Some(
            "insert into conversation_list
             select $1, 1, gen_random_uuid(), 1, 'web', null, null, true, null, 0, now(), now()",
        ),
        "conversation_thread" => Some(
            "insert into conversation_thread
             select $1, 1, 1, gen_random_uuid(), 'customer', 'web', '{}', null, null, false, null, now()",
        ),
        "claims_interval" => Some(
            "insert into claims_interval select $1, 'chef', 'booking', 'a', '2026-03-14', '2026-03-15'",
        ),
        "command_sweeps" => Some("insert into command_sweeps (tenant_id, position) values ($1, 0)"),
        "log_imports" => Some(
            "insert into log_imports (tenant_id, slug, name, created_at, bundle, finished_at)
             select tenant_id, slug, name, created_at, sha256('manifest'), created_at from organisations
             where tenant_id = $1",
        ),
        "signed_heads" => Some(
            "insert into signed_heads
             select tenant_id, position, 'Company', block, block_hash, recorded_at, recorded_at, 0, block_hash,
                 block_hash, block_hash, block_hash, block_hash || block_hash
             from log_head where tenant_id = $1",
        ),
        "projection_parked" => Some(
            "insert into projection_parked
             select $1, projection, generation, 'stream', 'booking:a', 1, 'booking.requested', 'it cannot be read', 'unreadable'
             from projection_checkpoints where tenant_id = $1 limit 1",
        ),
        "projection_waiting" => Some(
            "insert into projection_waiting
             select $1, projection, generation, 1, 'booking.requested', 'booking:a', null
             from projection_checkpoints where tenant_id = $1 limit 1",
        ),
        "projection_checks" => Some(
            "insert into projection_checks
             select $1, projection, generation, now(), 1, null, 0, '{}'
             from projection_checkpoints where tenant_id = $1 limit 1",
        ),
        "policy_states" => Some(
            "insert into policy_states select $1, policy, 'a process', '{}', null from policy_checkpoints
             where tenant_id = $1 limit 1",
        ),
        "policy_waiting" => Some(
            "insert into policy_waiting select $1, policy, 'a process', 1, now(), gen_random_uuid()
             from policy_checkpoints where tenant_id = $1 limit 1",
        ),
        "snapshots" => Some(
            "insert into snapshots values ($1, 'thing', 'a', sha256('schema'), 1, '{}', sha256('digest'))",
        ),
        _ => None,
    }
}

async fn count(connection: &mut PgConnection, table: &str, condition: &str) -> i64 {
    let sql = format!("select count(*) from {table} where {condition}");
    sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(connection)
        .await
        .unwrap_or_else(|error| panic!("{table}: {error}"))
}

/// How many rows a statement touched; none where there is no right to it at all.
async fn touched(connection: &mut PgConnection, sql: String) -> Result<u64, String> {
    connection
        .execute("savepoint before")
        .await
        .expect("within a transaction");
    let done = connection.execute(AssertSqlSafe(sql)).await;
    let touched = match done {
        Ok(done) => Ok(done.rows_affected()),
        Err(error) => {
            let refusal = error.as_database_error().expect("the database refuses");
            Err(refusal.code().unwrap_or_default().into_owned())
        }
    };
    connection
        .execute("rollback to savepoint before")
        .await
        .expect("the savepoint is there");
    touched
}

/// As the application with our tenant set: none of their rows can be seen, changed, deleted, taken or given.
async fn assert_apart(connection: &mut PgConnection, table: &Table, ours: TenantId, theirs: TenantId) {
    let Table { name, columns } = table;
    let refused = Err("42501".to_owned());
    assert!(count(connection, name, "true").await > 0, "{name} is empty");
    assert_eq!(
        count(connection, name, &format!("tenant_id <> '{ours}'")).await,
        0,
        "{name}"
    );
    let column = columns.first().map_or("tenant_id", String::as_str);
    for change in [
        format!("update {name} set {column} = {column} where tenant_id = '{theirs}'"),
        format!("delete from {name} where tenant_id = '{theirs}'"),
    ] {
        let touched = touched(connection, change.clone()).await;
        assert!(touched == Ok(0) || touched == refused, "{change}: {touched:?}");
    }
    let columns = columns.join(", ");
    for change in [
        format!("update {name} set tenant_id = '{theirs}'"),
        format!("insert into {name} (tenant_id, {columns}) select '{theirs}', {columns} from {name} limit 1"),
        format!("truncate {name}"),
    ] {
        assert_eq!(touched(connection, change.clone()).await, refused, "{change}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_no_table_does_a_company_reach_a_row_of_anothers() {
    let server = Server::start().await;
    let neighbour = server.neighbour().await;
    for company in [&server.company, &neighbour] {
        let admin = server.sign_in_at(company, Role::Admin, StationScope::All).await;
        do_business(&server, company, &admin).await;
    }
    let mut superuser = superuser(&server).await;
    let tables = tables(&mut superuser).await;
    assert!(tables.len() > 20, "the schema is here");
    let companies = [server.company.tenant, neighbour.tenant];
    let mut empty = Vec::new();
    for tenant in companies {
        for table in &tables {
            let of_tenant = format!("tenant_id = '{tenant}'");
            if count(&mut superuser, &table.name, &of_tenant).await == 0 {
                fill(&mut superuser, table, tenant).await;
            }
            if count(&mut superuser, &table.name, &of_tenant).await == 0 {
                empty.push(&table.name);
            }
        }
    }
    assert!(
        empty.is_empty(),
        "these tables show nothing, being empty: {empty:?}"
    );
    for [ours, theirs] in [companies, [companies[1], companies[0]]] {
        let mut transaction = server.app.log.database().begin(ours).await.unwrap();
        for table in &tables {
            assert_apart(&mut transaction, table, ours, theirs).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_no_table_does_an_unset_tenant_get_an_answer() {
    let server = Server::start().await;
    let mut connection = superuser(&server).await;
    let tables = tables(&mut connection).await;
    connection.execute("set role hibachi_app").await.unwrap();
    // No such setting; or no such right, whoever's rows they are.
    assert_no_answer(&mut connection, &tables, &["42704", "42501"]).await;
    // What a transaction leaves of a setting that was made within it: no text that is a tenant.
    connection
        .execute("select set_config('hibachi.tenant', '', false)")
        .await
        .unwrap();
    assert_no_answer(&mut connection, &tables, &["22P02", "42501"]).await;
}

async fn assert_no_answer(connection: &mut PgConnection, tables: &[Table], codes: &[&str]) {
    for Table { name, columns } in tables {
        let column = columns.first().map_or("tenant_id", String::as_str);
        for sql in [
            format!("select from {name}"),
            format!("update {name} set {column} = {column}"),
            format!("delete from {name}"),
        ] {
            let error = connection
                .execute(AssertSqlSafe(sql.clone()))
                .await
                .expect_err("it does not know whose rows");
            let code = error.as_database_error().and_then(|refusal| refusal.code());
            assert!(
                codes.contains(&code.unwrap_or_default().as_ref()),
                "{sql}: {error}"
            );
        }
    }
}

/// Past the server's own gateway, into its database.
async fn superuser(server: &Server) -> PgConnection {
    let mut transaction = server
        .app
        .log
        .database()
        .begin(server.company.tenant)
        .await
        .expect("the log answers");
    let name: String = sqlx::query_scalar("select current_database()")
        .fetch_one(&mut *transaction)
        .await
        .expect("a database has a name");
    let url = std::env::var(tests::database::SERVER).expect("the server is up");
    PgConnectOptions::from_str(&url)
        .expect("it is a Postgres URL")
        .database(&name)
        .connect()
        .await
        .expect("the test database takes connections")
}
