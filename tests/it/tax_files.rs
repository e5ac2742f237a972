//! What accountants take away: the report on screen and in every format says the same, a file proves itself, and one that
//! was changed is found out.

mod agree;
mod books;
mod changed;

use std::path::{Path, PathBuf};

use domain::access::{Role, StationScope};
use projections::tax_export::{Checked, check};
use projections::tax_report::TaxBasis;
use serde_json::{Value, json};
use tests::http::{Client, Server, party, with};

/// A company with two parties held in one county, a tip and a balance paid, and one party where no rate is known.
async fn held(server: &Server) -> Client {
    let mut admin = server.sign_in(Role::SuperAdmin).await;
    let sacramento = json!({
        "stationId": tests::http::global_id("Station", server.company.sacramento),
        "venue": {"street": "2 J St", "city": "Sacramento", "state": "CA", "zip": "95814"},
    });
    let parties = [
        party("one"),
        with(party("two"), json!({"start": "2026-03-15T18:00:00"})),
        with(party("three"), sacramento),
    ];
    let mut bookings = Vec::new();
    for input in parties {
        let booked = admin.done("bookingRequest", "booking { id }", input).await;
        bookings.push(booked["booking"]["id"].clone());
    }
    for (place, (booking, tip)) in bookings.iter().zip([1_500, 0, 700]).enumerate() {
        pay(&admin, &place.to_string(), booking, tip).await;
    }
    server.quiet(&server.company).await;
    server.set_clock("2026-03-16T05:00:00Z");
    admin.sign_in_again().await;
    for (place, booking) in bookings.iter().enumerate() {
        let complete = json!({"idempotencyKey": format!("held {place}"), "bookingId": booking});
        admin.done("bookingComplete", "", complete).await;
    }
    server.caught_up(&server.company).await;
    admin
}

/// Pays a booking in full, and a tip of which nobody wrote down how it was chosen.
async fn pay(admin: &Client, key: &str, booking: &Value, tip: i64) {
    let paid = json!({
        "idempotencyKey": format!("pay {key}"), "bookingId": booking, "kind": "BALANCE", "method": "ZELLE",
        "amountMinor": 85_118, "tipMinor": tip, "reference": format!("R-{key}"),
    });
    let recorded = admin.done("paymentRecord", "payment { id }", paid).await;
    let verify = json!({
        "idempotencyKey": format!("verify {key}"), "paymentId": recorded["payment"]["id"], "accept": true,
        "note": "seen on the account",
    });
    admin.done("paymentVerify", "", verify).await;
}

const PERIOD: &str = "2026-Q1";

/// A file as the program sends it, and the position that it names.
async fn export(client: &Client, format: &str, part: &str, as_of: Option<i64>) -> (Vec<u8>, i64) {
    export_on(client, TaxBasis::EventDate, [format, part], as_of).await
}

/// The same on a basis.
async fn export_on(
    client: &Client,
    basis: TaxBasis,
    [format, part]: [&str; 2],
    as_of: Option<i64>,
) -> (Vec<u8>, i64) {
    let mut path = format!("/exports/tax?state=CA&period={PERIOD}&format={format}&part={part}");
    let name = match basis {
        TaxBasis::EventDate => "tax-CA-2026-Q1",
        TaxBasis::PaymentDate => {
            path += "&basis=payment-date";
            "tax-CA-2026-Q1-by-payment-date"
        }
    };
    if let Some(position) = as_of {
        path += &format!("&asOf={position}");
    }
    let answer = authorised(client, &path)
        .send()
        .await
        .expect("the program answers");
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    let position = answer.headers()["x-log-position"]
        .to_str()
        .expect("the test's own world")
        .parse()
        .expect("the test's own world");
    let told = answer.headers()["content-disposition"]
        .to_str()
        .expect("the test's own world")
        .to_owned();
    let part = if part == "detail" { "-detail" } else { "" };
    assert_eq!(told, format!("attachment; filename=\"{name}{part}.{format}\""));
    (
        answer.bytes().await.expect("the file comes whole").to_vec(),
        position,
    )
}

fn authorised(client: &Client, path: &str) -> reqwest::RequestBuilder {
    let token = client.token.as_ref().expect("somebody has signed in");
    client.get(path).bearer_auth(token)
}

fn save(place: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = place.path().join(name);
    std::fs::write(&path, bytes).expect("the directory is ours");
    path
}

async fn checked(server: &Server, path: &Path) -> Checked {
    check(&server.app.views, server.company.tenant, path)
        .await
        .expect("the file is an export")
}

#[tokio::test]
async fn a_report_as_of_a_position_is_the_same_file_for_ever() {
    let server = Server::start().await;
    let mut admin = held(&server).await;
    let mut before = Vec::new();
    for (format, part) in [
        ("csv", "summary"),
        ("csv", "detail"),
        ("json", "detail"),
        ("xlsx", "detail"),
        ("pdf", "summary"),
    ] {
        for basis in [TaxBasis::EventDate, TaxBasis::PaymentDate] {
            let (bytes, position) = export_on(&admin, basis, [format, part], None).await;
            before.push((basis, [format, part], bytes, position));
        }
    }
    server.set_clock("2026-03-20T05:00:00Z");
    admin.sign_in_again().await;
    let later = with(party("later"), json!({"start": "2026-03-28T18:00:00"}));
    let booked = admin.done("bookingRequest", "booking { id }", later).await;
    pay(&admin, "later", &booked["booking"]["id"], 0).await;
    // A policy confirms it.
    server.quiet(&server.company).await;
    server.set_clock("2026-03-30T05:00:00Z");
    admin.sign_in_again().await;
    let complete = json!({"idempotencyKey": "later held", "bookingId": booked["booking"]["id"]});
    admin.done("bookingComplete", "", complete).await;
    // The tax of a party that was in the files is owed elsewhere after all.
    let lines = "{ taxLines(first: 100, state: \"CA\", period: \"2026-Q1\") { nodes { bookingId county } } }";
    let lines = admin.data(lines, json!({})).await["taxLines"]["nodes"].take();
    let moved = json!({
        "idempotencyKey": "elsewhere", "bookingId": lines[0]["bookingId"], "state": "NV", "county": "Clark",
        "reason": "looked up",
    });
    admin.done("bookingTaxPlaceSet", "", moved).await;
    server.caught_up(&server.company).await;
    let place = tempfile::tempdir().unwrap();
    for (basis, file, bytes, position) in before {
        let again = export_on(&admin, basis, file, Some(position)).await;
        assert!(again == (bytes.clone(), position), "{basis:?} {file:?}");
        if file[0] != "pdf" {
            let checked = checked(&server, &save(&place, "before", &bytes)).await;
            assert_eq!((checked.count, checked.differences), (0, Vec::new()), "{file:?}");
        }
        let (now, _) = export_on(&admin, basis, file, None).await;
        assert!(now != bytes, "{basis:?} {file:?}");
    }
}

#[tokio::test]
async fn who_may_not_export_and_what_cannot_be_exported_is_told_why() {
    let server = Server::start().await;
    let support = server.sign_in(Role::CustomerSupport).await;
    let auditor = server.sign_in(Role::Auditor).await;
    let accountant = server.sign_in(Role::Accountant).await;
    let nobody = server.nobody();
    let good = "/exports/tax?state=CA&period=2026-Q1&format=csv";
    let said = async |request: reqwest::RequestBuilder| {
        let answer = request.send().await.expect("the program answers");
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.expect("a refusal is JSON");
        (
            status,
            body["errors"][0]["extensions"]["code"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    assert_eq!(said(nobody.get(good)).await, (401, "UNAUTHENTICATED".to_owned()));
    assert_eq!(
        said(nobody.get(good).bearer_auth("x")).await,
        (401, "UNAUTHENTICATED".to_owned())
    );
    for client in [&support, &auditor] {
        assert_eq!(
            said(authorised(client, good)).await,
            (403, "FORBIDDEN".to_owned())
        );
    }
    let refused = [
        (
            "/exports/tax?state=CA&period=2026-Q5&format=csv",
            "INVALID_PERIOD",
        ),
        ("/exports/tax?state=XX&period=2026-Q1&format=csv", "INVALID_STATE"),
        (
            "/exports/tax?state=CA&period=2026-Q1&format=doc",
            "BAD_USER_INPUT",
        ),
        (
            "/exports/tax?state=CA&period=2026-Q1&format=csv&part=some",
            "BAD_USER_INPUT",
        ),
        (
            "/exports/tax?state=CA&period=2026-Q1&format=csv&asOf=yesterday",
            "BAD_USER_INPUT",
        ),
        (
            "/exports/tax?state=CA&period=2026-Q1&format=csv&asOf=99999999",
            "AS_OF_IN_FUTURE",
        ),
        (
            "/exports/tax?state=CA&period=2026-Q1&format=pdf&part=detail",
            "BAD_USER_INPUT",
        ),
        ("/exports/tax?state=CA&format=csv", "BAD_USER_INPUT"),
        (
            "/exports/tax?state=CA&period=2026-Q1&format=csv&basis=CASH",
            "BAD_USER_INPUT",
        ),
    ];
    for (path, code) in refused {
        assert_eq!(
            said(authorised(&accountant, path)).await,
            (400, code.to_owned()),
            "{path}"
        );
    }
    let answer = authorised(&accountant, good).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.headers()["cache-control"], "private, no-store");
    // What lacks events is not filed, and does not come right by itself.
    let park = "insert into projection_parked (tenant_id, projection, generation, kind, name, position, event_type, reason, cause)
        select tenant_id, projection, generation, 'stream', 'booking:x', 1, 'booking.requested', 'a test', 'unreadable'
        from projection_checkpoints where projection in ('tax_summary', 'tax_ledger') and tenant_id = $1";
    let mut superuser = server.database().superuser().await;
    let parked = sqlx::query(park).bind(server.company.tenant.0);
    parked.execute(&mut superuser).await.expect("it is parked");
    for format in ["csv", "pdf"] {
        let lacking = format!("/exports/tax?state=CA&period=2026-Q1&format={format}");
        assert_eq!(
            said(authorised(&accountant, &lacking)).await,
            (500, "INTERNAL".to_owned())
        );
    }
    let elsewhere = server.neighbour().await;
    let stranger = server
        .sign_in_at(&elsewhere, Role::Accountant, StationScope::All)
        .await;
    let (file, _) = export(&stranger, "csv", "summary", None).await;
    let place = tempfile::tempdir().unwrap();
    let foreign = checked(&server, &save(&place, "foreign.csv", &file)).await;
    assert_eq!(foreign.differences[0].column, "COMPANY", "{foreign:?}");
}
