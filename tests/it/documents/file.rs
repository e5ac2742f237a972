//! `hibachi documents pdf`: the document that the API shows, as a file.

use lopdf::Document;
use nix::sys::signal::Signal;
use serde_json::json;
use tests::process::{Installation, SLUG};

#[tokio::test]
async fn a_document_of_the_demo_is_written_to_a_file_that_is_the_same_each_time() {
    let installation = Installation::demo();
    let running = installation.up(&[]);
    let admin = running.sign_in("admin").await;
    let query = "{ bookings(first: 1, filter: {status: [CONFIRMED]}) { nodes { id total { amount } } } }";
    let booking = admin.data(query, json!({})).await["bookings"]["nodes"][0].take();
    let issue = "mutation($input: InvoiceIssueInput!) { invoiceIssue(input: $input) {
        document { number } userErrors { code message } } }";
    let input = json!({"input": {"idempotencyKey": "first", "bookingId": booking["id"]}});
    let issued = admin.data(issue, input).await["invoiceIssue"].take();
    let number = issued["document"]["number"].as_str().expect("it is issued");

    let file = installation.place().join("invoice.pdf");
    let write = |number: &str, file: &std::path::Path| {
        let out = file.to_str().expect("a path is text");
        installation.run(&["documents", "pdf", "--org", SLUG, number, "--out", out])
    };
    assert_eq!(write(number, &file).code, Some(0));
    let bytes = std::fs::read(&file).expect("the file is there");
    let document = Document::load_mem(&bytes).expect("it is a PDF");
    let text = document.extract_text(&[1]).expect("its text can be read");
    let total = booking["total"]["amount"]
        .as_str()
        .expect("an amount")
        .replace(',', "");
    assert!(
        text.replace(',', "").contains(&total),
        "{total} is not in\n{text}"
    );
    assert!(text.contains(number), "{text}");
    assert_eq!(write(number, &file).code, Some(0));
    assert_eq!(std::fs::read(&file).expect("the file is there"), bytes);

    let other = installation.place().join("other.pdf");
    let unknown = write("INV-1999-000001", &other);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(unknown.err.contains("INV-1999-000001"), "{unknown:?}");
    let misspelt = write("invoice", &other);
    assert_eq!(misspelt.code, Some(2), "{misspelt:?}");
    let nowhere = write(number, &installation.place().join("nowhere/invoice.pdf"));
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
    assert!(!other.exists());
    assert_eq!(running.stop(Signal::SIGTERM).status.code(), Some(0));
}
