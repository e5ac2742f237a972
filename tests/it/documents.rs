//! Invoices, receipts and credit notes: numbered without gaps whatever happens, and read back by another library than
//! wrote them.

mod file;
mod killed;
mod numbers;

use domain::access::{Role, StationScope};
use lopdf::Document;
use reqwest::header;
use serde_json::{Value, json};
use tests::http::{Client, Server, global_id};

use crate::scheduling::{about, sacramento};

/// What a document shows in the API.
const DOCUMENT: &str =
    "document { id number kind total { amount minor } balanceDue { amount } replaces issuedOn asOf
    pdfPath booking { number } }";

/// A party in Sacramento, where three can be held at once.
pub(crate) async fn booked(server: &Server, admin: &Client, key: &str, fields: Value) -> Value {
    let object = "booking { id number customer { id } total { amount } }";
    let asked = sacramento(server, key, fields);
    admin.done("bookingRequest", object, asked).await["booking"].take()
}

/// Money that was found for a booking.
pub(crate) async fn paid(
    admin: &Client,
    booking: &Value,
    key: &str,
    kind: &str,
    amount: i64,
    tip: i64,
) -> Value {
    let input = json!({"kind": kind, "method": "CASH", "amountMinor": amount, "tipMinor": tip});
    let input = about(booking, key, input);
    let recorded = admin.done("paymentRecord", "payment { id }", input).await;
    let payment = recorded["payment"]["id"].clone();
    let verify = json!({
        "idempotencyKey": format!("{key} found"), "paymentId": payment, "accept": true, "note": "counted",
    });
    admin.done("paymentVerify", "", verify).await;
    payment
}

pub(crate) fn invoice(booking: &Value, key: &str) -> Value {
    json!({"idempotencyKey": key, "bookingId": booking["id"]})
}

pub(crate) fn receipt(payment: &Value, key: &str) -> Value {
    json!({"idempotencyKey": key, "paymentId": payment})
}

/// The PDF of a document: its bytes, and every text of it.
async fn fetch(client: &Client, path: &str) -> (Vec<u8>, String) {
    let answer = get(client, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    for (name, value) in [
        (header::CONTENT_TYPE, "application/pdf"),
        (header::CACHE_CONTROL, "private, no-store"),
    ] {
        assert_eq!(answer.headers()[name], value);
    }
    let name = path.rsplit('/').next().expect("a path has a file");
    let disposition = format!("inline; filename=\"{name}\"");
    assert_eq!(
        answer.headers()[header::CONTENT_DISPOSITION],
        disposition.as_str()
    );
    let bytes = answer.bytes().await.expect("it is whole").to_vec();
    let document = Document::load_mem(&bytes).expect("it is a PDF");
    let pages: Vec<u32> = document.get_pages().into_keys().collect();
    let text = document.extract_text(&pages).expect("its text can be read");
    (bytes, text)
}

async fn get(client: &Client, path: &str) -> reqwest::Response {
    let request = client.get(path);
    let request = match &client.token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    request.send().await.expect("the program answers")
}

fn dollars(amount: &Value) -> String {
    let amount = amount.as_str().expect("an amount is a text");
    match amount.strip_prefix('-') {
        Some(amount) => format!("-${amount}"),
        None => format!("${amount}"),
    }
}

#[tokio::test]
async fn an_invoice_is_one_until_what_it_charges_changes() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&server, &admin, "one", json!({})).await;
    let first = admin
        .done("invoiceIssue", DOCUMENT, invoice(&booking, "first"))
        .await;
    let document = &first["document"];
    assert_eq!(document["number"], "INV-2026-000001");
    assert_eq!(first["replayed"], false);
    assert_eq!(document["total"]["amount"], booking["total"]["amount"]);
    assert_eq!(document["booking"]["number"], booking["number"]);

    // The same key, and another key while nothing has changed.
    for key in ["first", "again"] {
        let again = admin.done("invoiceIssue", DOCUMENT, invoice(&booking, key)).await;
        assert_eq!(
            (&again["document"]["number"], &again["replayed"]),
            (&document["number"], &json!(true))
        );
    }
    // Money that comes has a receipt and changes no invoice.
    let deposit = paid(&admin, &booking, "deposit", "DEPOSIT", 10_000, 500).await;
    let again = admin
        .done("invoiceIssue", DOCUMENT, invoice(&booking, "paid"))
        .await;
    assert_eq!(again["document"]["number"], document["number"]);
    let got = admin
        .done("receiptIssue", DOCUMENT, receipt(&deposit, "receipt"))
        .await;
    assert_eq!(got["document"]["number"], "REC-2026-000001");
    assert_eq!(got["document"]["total"]["minor"], 10_500);

    // A new price is a corrected invoice with a number of its own.
    let guests = about(
        &booking,
        "guests",
        json!({"guests": {"adults": 14, "children": 4}}),
    );
    admin.done("bookingGuestCountChange", "", guests).await;
    let corrected = admin
        .done("invoiceIssue", DOCUMENT, invoice(&booking, "corrected"))
        .await;
    assert_eq!(
        (
            &corrected["document"]["number"],
            &corrected["document"]["replaces"]
        ),
        (&json!("INV-2026-000002"), &document["number"])
    );
    // The first key still means the first invoice.
    let replayed = admin
        .done("invoiceIssue", DOCUMENT, invoice(&booking, "first"))
        .await;
    assert_eq!(replayed["document"]["number"], document["number"]);

    let listed = "query($id: ID!) { booking(id: $id) { documents(first: 10) { nodes { number kind } totalCount { value } } }
        documents(first: 10, filter: {kind: INVOICE, bookingId: $id}) { nodes { number } } }";
    let listed = admin.data(listed, json!({"id": booking["id"]})).await;
    let numbers: Vec<&Value> = listed["booking"]["documents"]["nodes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|node| &node["number"])
        .collect();
    assert_eq!(numbers, ["REC-2026-000001", "INV-2026-000002", "INV-2026-000001"]);
    assert_eq!(listed["documents"]["nodes"].as_array().map(Vec::len), Some(2));
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn nothing_is_issued_for_what_does_not_count_is_over_or_is_not_there() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&server, &admin, "one", json!({})).await;
    let claim = about(
        &booking,
        "claim",
        json!({"kind": "DEPOSIT", "method": "ZELLE", "amountMinor": 10_000}),
    );
    let claimed = admin.done("paymentRecord", "payment { id }", claim).await;
    let early = receipt(&claimed["payment"]["id"], "early");
    assert_eq!(admin.refused("receiptIssue", early.clone()).await, "WRONG_STATE");
    let unknown = json!({
        "idempotencyKey": "u", "paymentId": claimed["payment"]["id"],
        "refundId": global_id("Refund", "01930000-0000-7000-8000-000000000001"),
    });
    assert_eq!(admin.refused("creditNoteIssue", unknown).await, "NOT_FOUND");
    let cancel = about(&booking, "cancel", json!({"reason": "plans changed"}));
    admin.done("bookingCancel", "", cancel).await;
    assert_eq!(
        admin.refused("invoiceIssue", invoice(&booking, "late")).await,
        "WRONG_STATE"
    );
    let neighbour = server.neighbour().await;
    let stranger = server
        .sign_in_at(&neighbour, Role::Admin, StationScope::All)
        .await;
    assert_eq!(
        stranger
            .refused("invoiceIssue", invoice(&booking, "theirs"))
            .await,
        "NOT_FOUND"
    );
    assert_eq!(stranger.refused("receiptIssue", early).await, "NOT_FOUND");
    let listed = admin
        .data("{ documents(first: 1) { totalCount { value } } }", json!({}))
        .await;
    assert_eq!(listed["documents"]["totalCount"]["value"], 0);
}

#[tokio::test]
async fn a_pdf_shows_the_figures_of_the_api_to_the_cent_and_is_the_same_for_ever() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let whom = json!({"customer": {"name": "Zoë Quintanilla-Sørensen", "email": "zoe@example.com"}});
    let booking = booked(&server, &admin, "one", whom).await;
    let deposit = paid(&admin, &booking, "deposit", "DEPOSIT", 10_000, 0).await;
    let issued = admin.done("invoiceIssue", DOCUMENT, invoice(&booking, "i")).await;
    let path = issued["document"]["pdfPath"].as_str().expect("a path").to_owned();
    let query = "query($id: ID!) { booking(id: $id) { total { amount } paid { amount } balanceDue { amount }
        lines { label quantity unit { amount } total { amount } } } }";
    let shown = admin.data(query, json!({"id": booking["id"]})).await["booking"].take();
    let (bytes, text) = fetch(&admin, &path).await;
    let mut figures = vec![
        dollars(&shown["total"]["amount"]),
        dollars(&shown["balanceDue"]["amount"]),
    ];
    figures.push(format!("-{}", dollars(&shown["paid"]["amount"])));
    for line in shown["lines"].as_array().expect("lines") {
        figures.push(dollars(&line["unit"]["amount"]));
        figures.push(dollars(&line["total"]["amount"]));
        figures.push(line["label"].as_str().expect("a label").to_owned());
    }
    for figure in figures {
        assert!(text.contains(&figure), "{figure} is not in\n{text}");
    }
    for told in [
        "Zoë Quintanilla-Sørensen",
        "1 Main St",
        "INV-2026-000001",
        "Company our-hibachi",
    ] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
    let got = admin.done("receiptIssue", DOCUMENT, receipt(&deposit, "r")).await;
    let (_, text) = fetch(&admin, got["document"]["pdfPath"].as_str().expect("a path")).await;
    for told in [
        "REC-2026-000001",
        "$100.00",
        "in cash",
        &dollars(&shown["balanceDue"]["amount"]),
    ] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }

    // Whatever has happened since.
    let guests = about(
        &booking,
        "guests",
        json!({"guests": {"adults": 14, "children": 4}}),
    );
    admin.done("bookingGuestCountChange", "", guests).await;
    paid(&admin, &booking, "more", "BALANCE", 20_000, 0).await;
    assert_eq!(fetch(&admin, &path).await.0, bytes);
}

#[tokio::test]
async fn a_pdf_is_for_whoever_may_see_payments_and_the_name_for_whoever_may_see_customers() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&server, &admin, "one", json!({})).await;
    let issued = admin.done("invoiceIssue", DOCUMENT, invoice(&booking, "i")).await;
    let path = issued["document"]["pdfPath"].as_str().expect("a path");
    let accountant = server.sign_in(Role::Accountant).await;
    let (_, text) = fetch(&accountant, path).await;
    assert!(
        text.contains("[not shown]") && !text.contains("Guest one"),
        "{text}"
    );
    let (_, text) = fetch(&admin, path).await;
    assert!(text.contains("Guest one"), "{text}");

    let chef = server.sign_in(Role::Chef).await;
    let neighbour = server.neighbour().await;
    let stranger = server
        .sign_in_at(&neighbour, Role::Admin, StationScope::All)
        .await;
    for (client, path, status) in [
        (&server.nobody(), path, 401),
        (&admin.with_token("nonsense"), path, 401),
        (&chef, path, 403),
        (&stranger, path, 404),
        (&admin, "/documents/INV-2026-000002.pdf", 404),
        (&admin, "/documents/INV-2026-1.pdf", 404),
        (&admin, "/documents/INV-2026-000001", 404),
    ] {
        let answer = get(client, path).await;
        assert_eq!(answer.status(), status, "{path}");
    }
}

#[tokio::test]
async fn an_erased_customer_is_gone_from_documents_and_their_figures_stay() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&server, &admin, "one", json!({})).await;
    let issued = admin.done("invoiceIssue", DOCUMENT, invoice(&booking, "i")).await;
    let path = issued["document"]["pdfPath"].as_str().expect("a path");
    let (_, known) = fetch(&admin, path).await;
    let cancel = about(&booking, "cancel", json!({"reason": "plans changed"}));
    admin.done("bookingCancel", "", cancel).await;
    let erase = json!({
        "idempotencyKey": "erase", "customerId": booking["customer"]["id"], "reason": "asked for it",
    });
    admin.done("customerErase", "", erase).await;
    let (bytes, text) = fetch(&admin, path).await;
    assert_eq!(
        known
            .replace("Guest one", "[erased]")
            .replace("1 Main St", "[erased]"),
        text
    );
    assert_eq!(fetch(&admin, path).await.0, bytes);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

/// A customer whose party was called off owes nothing, whatever the party would have cost.
#[tokio::test]
async fn nothing_is_left_to_pay_on_what_is_issued_for_a_party_that_was_called_off() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&server, &admin, "one", json!({})).await;
    let payment = paid(&admin, &booking, "deposit", "DEPOSIT", 10_000, 0).await;
    let cancel = about(&booking, "cancel", json!({"reason": "plans changed"}));
    admin.done("bookingCancel", "", cancel).await;
    let got = admin.done("receiptIssue", DOCUMENT, receipt(&payment, "r")).await;
    let refund = json!({
        "idempotencyKey": "back", "paymentId": payment, "amountMinor": 10_000, "reason": "called off in time",
        "kind": "CANCELLED_BEFORE_SERVICE", "handedOver": true,
    });
    let refunded = admin
        .done("paymentRefund", "payment { refunds { id } }", refund)
        .await;
    let ask = json!({
        "idempotencyKey": "c", "paymentId": payment, "refundId": refunded["payment"]["refunds"][0]["id"],
    });
    let note = admin.done("creditNoteIssue", DOCUMENT, ask).await;
    for issued in [&got, &note] {
        assert_eq!(issued["document"]["balanceDue"]["amount"], "0.00", "{issued}");
        let path = issued["document"]["pdfPath"].as_str().expect("a path");
        let (_, text) = fetch(&admin, path).await;
        assert!(
            text.contains("Not owed any more") && text.contains("$0.00"),
            "{text}"
        );
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_refund_that_came_through_has_a_credit_note() {
    let server = Server::start().await;
    let admin = server.sign_in(Role::Admin).await;
    let booking = booked(&server, &admin, "one", json!({})).await;
    let payment = paid(&admin, &booking, "deposit", "DEPOSIT", 10_000, 0).await;
    admin.done("receiptIssue", DOCUMENT, receipt(&payment, "r")).await;
    let refund = json!({
        "idempotencyKey": "back", "paymentId": payment, "amountMinor": 4_000, "reason": "the sauce ran out",
        "kind": "PRICE_ADJUSTMENT", "handedOver": true,
    });
    let refunded = admin
        .done("paymentRefund", "payment { refunds { id } }", refund)
        .await;
    let refund = refunded["payment"]["refunds"][0]["id"].clone();
    let ask = |key: &str| json!({"idempotencyKey": key, "paymentId": payment, "refundId": refund});
    let note = admin.done("creditNoteIssue", DOCUMENT, ask("c")).await;
    assert_eq!(note["document"]["number"], "CRN-2026-000001");
    assert_eq!(note["document"]["total"]["minor"], 4_000);
    let again = admin.done("creditNoteIssue", DOCUMENT, ask("c2")).await;
    assert_eq!(again["document"]["number"], "CRN-2026-000001");
    let (_, text) = fetch(&admin, note["document"]["pdfPath"].as_str().expect("a path")).await;
    for told in [
        "Credit note",
        "$40.00",
        "in cash",
        "receipt REC-2026-000001",
        "the price was lowered",
    ] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
    server.assert_rebuild_changes_nothing(&server.company).await;
}
