//! Tables of a quarter of a million rows, of one company.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use super::super::company::{Company, TENANT};

/// As many as it takes for Postgres to prefer an index wherever there is one that fits: more only fill the disk.
pub(super) const ROWS: u64 = 250_000;

/// From one row to the next, in minutes: the rows are of nine years.
pub(super) const EVERY_MINUTES: u64 = 20;

/// An id of a kind of thing, as SQL has it over `n` and as Rust has it.
pub(super) fn id(kind: u64, n: u64) -> Uuid {
    Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0000 + (u128::from(kind) << 40) + u128::from(n))
}

fn id_sql(kind: u64, n: &str) -> String {
    format!("('01930000-0000-7000-8000-{kind:02x}' || lpad(to_hex({n}), 10, '0'))::uuid")
}

pub(super) fn booking(n: u64) -> Uuid {
    id(1, n)
}

pub(super) fn station(n: u64) -> Uuid {
    id(2, n)
}

pub(super) fn customer(n: u64) -> Uuid {
    id(3, n)
}

pub(super) fn user(n: u64) -> Uuid {
    id(4, n)
}

/// A company whose tables hold [`ROWS`] rows each, indexed and analysed.
pub(super) async fn fill(tables: &[&str]) -> Company {
    let company = Company::new().await;
    company.open().await;
    company
        .models
        .catch_up(TENANT)
        .await
        .expect("the read models answer");
    let mut superuser = company.database.superuser().await;
    superuser
        .execute("set maintenance_work_mem = '256MB'; set synchronous_commit = off")
        .await
        .expect("these are settings");
    for table in tables {
        fill_one(&mut superuser, table).await;
    }
    company
}

async fn fill_one(superuser: &mut PgConnection, table: &str) {
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "select i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) from pg_index i
         where i.indrelid = $1::regclass and not i.indisprimary",
    )
    .bind(table)
    .fetch_all(&mut *superuser)
    .await
    .expect("the catalog can be read");
    let mut script = format!("truncate {table}; alter table {table} set unlogged;");
    for (name, _) in &indexes {
        script.push_str(&format!("drop index {name};"));
    }
    script.push_str(&rows(table));
    for (_, definition) in &indexes {
        script.push_str(&format!(";{definition}"));
    }
    script.push_str(&format!(";vacuum analyze {table}"));
    for statement in script.split(';') {
        superuser
            .execute(AssertSqlSafe(statement.to_owned()))
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

/// What of a statement's rows is of few and what of many: one in a hundred bookings waits for its deposit, a customer has
/// ten bookings, a company forty stations.
fn rows(table: &str) -> String {
    let (booking, customer) = (id_sql(1, "n"), id_sql(3, "n % 100000"));
    let (station, user) = (id_sql(2, "n % 40"), id_sql(4, "n % 500"));
    let of_booking = id_sql(1, "n / 4");
    let instant = format!("timestamptz '2016-01-01T00:00:00Z' + n * interval '{EVERY_MINUTES} minutes'");
    let columns = match table {
        "booking_list" => format!(
            "booking_id, number, version, status, customer_id, station_id, street, city, county, state, zip, start_utc,
             start_local, event_on, zone, offset_secs, blocked_from, blocked_until, adults, children, under6,
             chefs_needed, lines, total_cents, tip_cents, paid_cents, deposit_cents, deposit_due_at, tax_state,
             tax_county, tax_method, tax_confirmation, requested_at)
             select '{TENANT}', 1, {booking}, 'B' || n, 3,
             case when n % 100 = 0 then 'requested' when n % 33 = 0 then 'confirmed' when n % 5 = 0 then 'cancelled'
                  when n % 17 = 0 then 'expired' else 'completed' end,
             {customer}, {station}, '{{\"subject\": \"00000000-0000-0000-0000-000000000000\", \"sealed\": \"\"}}',
             'San Jose', 'Santa Clara', 'CA', '95112', {instant}, (({instant}) at time zone 'UTC')::timestamp,
             (({instant}) at time zone 'UTC')::date, 'America/Los_Angeles', -28800, {instant}, {instant}, 10, 2, 1, 1,
             '[]', 85118, 0, 85118, 10000, {instant}, 'CA', 'Santa Clara', 'zip_only', 'needed',
             {instant} - interval '30 days'"
        ),
        "payment_list" => format!(
            "payment_id, version, booking_id, booking_number, station_id, kind, method, status, amount_cents, tip_cents,
             fee_cents, recorded_at)
             select '{TENANT}', 1, {payment}, 2, {of_booking}, 'B' || n / 4, {station}, 'balance',
             (array['zelle', 'venmo', 'cash'])[1 + n % 3], case when n % 500 = 0 then 'claimed' else 'verified' end,
             50000, 1000, 0, {instant}",
            payment = id_sql(5, "n"),
        ),
        "document_list" => format!(
            "number, kind, booking_id, booking_number, customer_id, station_id, total_cents, balance_cents, as_of,
             issued_on, issued_at, position)
             select '{TENANT}', 1, 'INV-2026-' || lpad(n::text, greatest(6, length(n::text)), '0'),
             (array['invoice', 'receipt', 'credit_note'])[1 + n % 3], {of_booking}, 'B' || n / 4, {customer}, {station},
             85118, 75118, n, ({instant})::date, {instant}, n",
            customer = id_sql(3, "n"),
        ),
        "booking_ledger" => format!(
            "position, booking_id, station_id, kind, amount_cents, tip_cents, deposit_cents, recorded_at)
             select '{TENANT}', 1, n, {of_booking}, {station},
             case when n % 4 = 0 then 'charge' else 'payment_verified' end, 20000, 0, null, {instant}"
        ),
        "book_entries" => format!(
            "booking_id, booking_number, station_id, zone, stage, deposit_cents, first_on, last_on, entries)
             select '{TENANT}', 1, {booking}, 'B' || n, {station}, 'America/Los_Angeles', 'held', 10000, day, day,
             jsonb_build_array(jsonb_build_object('position', 1, 'on', day, 'narration', 'cash received', 'postings',
                 jsonb_build_array(jsonb_build_object('account', 'Assets:Clearing:Cash', 'cents', 100),
                     jsonb_build_object('account', 'Liabilities:Deposits-Held', 'cents', -100))))"
        ),
        "audit_trail" => format!(
            "position, recorded_at, event_type, summary, entity_type, entity_id, actor_kind, actor_id, channel, changes,
             correlation_id, event_id, redacted, station_id)
             select '{TENANT}', 1, n, {instant}, k.type, 'Something happened to ' || n || ' at San Jose',
             split_part(k.type, '.', 1), ({of_booking})::text, 'user', ({user})::text, 'graphql', '[]', 'c',
             {event}, false, {station}",
            event = id_sql(6, "n"),
        ),
        "tax_ledger" => format!(
            "position, recorded_at, booking_id, booking_number, station_id, kind, event_on, tax_on, state, county, city,
             venue_zip, method, confirmation, rate_ppm, gross_cents, travel_cents, gratuity_cents, tip_cents, taxable_cents, net_cents, tax_cents)
             select '{TENANT}', 1, n, {instant}, {of_booking}, 'B' || n / 4, {station},
             case when n % 4 = 0 then 'tip' else 'sale' end, (({instant}) at time zone 'UTC')::date,
             (({instant}) at time zone 'UTC')::date, 'CA', 'County ' || n % 58, '', '95112', 'city_zip', case when n % 50 = 0 then 'needed' else 'not_needed' end, 91250, 109, 0, 0, 0,
             100, 100, 9"
        ),
        "customer_list" => format!(
            "customer_id, version, name, email_key, phone_key, registered_at, booking_count)
             select '{TENANT}', 1, {customer}, 1,
             '{{\"subject\": \"00000000-0000-0000-0000-000000000000\", \"sealed\": \"\"}}',
             'e' || n, 'p' || n, {instant}, 1",
            customer = id_sql(3, "n"),
        ),
        "lead_list" => format!(
            "lead_id, version, name, station_id, zip, wanted_start, guests, failure, status, captured_at, follow_up_at)
             select '{TENANT}', 1, {lead}, 1,
             '{{\"subject\": \"00000000-0000-0000-0000-000000000000\", \"sealed\": \"\"}}', {station}, '95112',
             (({instant}) at time zone 'UTC')::timestamp, 10, 'SLOT_UNAVAILABLE',
             case when n % 300 = 0 then 'lost' else 'won' end, {instant}, case when n % 200 = 0 then {instant} end",
            lead = id_sql(7, "n"),
        ),
        "work_list" => format!(
            "work_item_id, version, kind, status, station_id, booking_id, detail, opened_at)
             select '{TENANT}', 1, {item}, 1, (array['dispute', 'overpayment'])[1 + n % 2],
             case when n % 500 = 0 then 'open' else 'resolved' end, {station}, {of_booking}, 'look', {instant}",
            item = id_sql(9, "n"),
        ),
        "message_list" => format!(
            "message_id, version, kind, status, customer_id, booking_id, station_id, due_at, channel, carrier)
             select '{TENANT}', 1, {message}, 2, 'event_reminder', case when n % 500 = 0 then 'failed' else 'sent' end,
             {customer}, {of_booking}, {station}, {instant}, 'sms', 'log'",
            message = id_sql(14, "n"),
        ),
        "message_template_list" => format!(
            "template_id, version, kind, channel, locale, number, words, history, saved_at)
             select '{TENANT}', 1, {template}, 1, (array['booking_confirmed', 'event_reminder'])[1 + n % 2],
             (array['email', 'sms', 'whatsapp'])[1 + n % 3], 'l' || n, 1, '{{\"text\": \"x\"}}', '[]', {instant}",
            template = id_sql(15, "n"),
        ),
        "job_list" => format!(
            "job_id, version, task, subject, status, station_id, attempts, code, first_failed_at, changed_at)
             select '{TENANT}', 1, {job}, 1, 'send_message', {job}, case when n % 500 = 0 then 'dead' else 'completed' end,
             {station}, 3, 'UNREACHABLE', {instant}, {instant}",
            job = id_sql(13, "n"),
        ),
        "escalation_list" => format!(
            "escalation_id, version, source, status, queue_rank, severity, code, reason, subject, conversation_id,
             station_id, target_at, opened_at)
             select '{TENANT}', 1, {escalation}, 1, (array['keyword', 'rating'])[1 + n % 2],
             case when n % 500 = 0 then 'open' else 'resolved' end, case when n % 500 = 0 then 1 + n % 3 else 9 end,
             1 + n % 3, 'code', 'look', '{{}}', {conversation}, {station}, {instant}, {instant}",
            escalation = id_sql(10, "n"),
            conversation = id_sql(11, "n / 4"),
        ),
        "conversation_list" => format!(
            "conversation_id, version, channel, assistant_active, messages, started_at, last_at)
             select '{TENANT}', 1, {conversation}, 3, 'web', true, 2, {instant}, {instant}",
            conversation = id_sql(11, "n"),
        ),
        "conversation_thread" => format!(
            "position, conversation_id, author, channel, text, human_only, posted_at)
             select '{TENANT}', 1, n, {conversation}, 'customer', 'web',
             '{{\"subject\": \"00000000-0000-0000-0000-000000000000\", \"sealed\": \"\"}}', false, {instant}",
            conversation = id_sql(11, "n / 4"),
        ),
        "review_list" => format!(
            "review_id, version, booking_id, number, customer_id, station_id, chefs, event_on, status, moderation, rating,
             answered_through, reminders, clicks, escalated, respond_secs, media, shown, clicked, issued_at, expires_at,
             listed_at)
             select '{TENANT}', 1, {review}, 1, {booking}, 'B' || n, {customer}, {station}, '', ({instant})::date,
             case when n % 300 = 0 then 'opened' when n % 3 = 0 then 'expired' else 'submitted' end,
             case when n % 200 = 1 then 'awaiting' else 'approved' end, case when n % 100 = 1 then 1 else 5 end,
             'request', 0, 0, 0, 3600, '[]', '[]', '[]', {instant}, {instant}, {instant}",
            review = id_sql(12, "n"),
        ),
        "price_history" => format!(
            "position, station_id, item, old_cents, new_cents, effective_from, actor_id, reason, recorded_at)
             select '{TENANT}', 1, n, {station}, 'item ' || n / 40 % 300, 100, 110, {instant}, 'a', 'dearer', {instant}"
        ),
        "promo_list" => format!(
            "promo_id, version, code, terms, uses, created_at)
             select '{TENANT}', 1, {promo}, 1, 'CODE' || n, '{{\"discount\": {{\"percent\": {{\"rate_ppm\": 100000}}}},
             \"starts_at\": \"2026-01-01T00:00:00Z\", \"ends_at\": null, \"minimum_cents\": 0, \"limit_total\": null,
             \"limit_per_customer\": null, \"audience\": \"everybody\", \"stations\": []}}', 3, {instant}",
            promo = id_sql(8, "n"),
        ),
        _ => panic!("nobody knows how to fill {table}"),
    };
    let kinds = "cross join lateral (select case when n % 20000 = 0 then 'station.created'
        else (array['booking.requested', 'payment.claimed', 'payment.verified', 'booking.confirmed'])[1 + n % 4] end) k(type)";
    let days = format!("cross join lateral (select (({instant}) at time zone 'UTC')::date) d(day)");
    let kinds = match table {
        "audit_trail" => kinds,
        "book_entries" => &days,
        _ => "",
    };
    format!("insert into {table} (tenant_id, generation, {columns} from generate_series(1, {ROWS}) n {kinds}")
}

/// The stations of the company in their list.
pub(super) async fn stations(superuser: &mut PgConnection) {
    let insert = format!(
        "insert into station_list (tenant_id, generation, station_id, version, name, zone, zip, state, chef_count, settings)
         select '{TENANT}', 1, {station}, 1, 'Station ' || n, 'America/Los_Angeles', '95112', 'CA', 3, settings
         from generate_series(1, 39) n, (select settings from station_list limit 1) s",
        station = id_sql(2, "n"),
    );
    superuser
        .execute(AssertSqlSafe(insert))
        .await
        .expect("stations can be added");
}
