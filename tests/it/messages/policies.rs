//! What customers are told by itself.

use super::*;

#[tokio::test]
async fn a_customer_is_reminded_of_the_deposit_and_of_the_party() {
    let double = by_mail();
    let (server, mut admin) = open(&double).await;
    let booking = book(&admin, "sam", json!({})).await;
    // Due a day after ten in the morning: six hours before, it is asked for.
    server.set_clock("2026-02-11T12:00:00Z");
    let told = taken(&double, MessageKind::DepositReminder, 1).await;
    assert!(told[0].text.contains("$100.00"), "{}", told[0].text);
    admin.sign_in_again().await;
    pay(&admin, "sam", &booking, 10_000, "DEPOSIT").await;
    taken(&double, MessageKind::BookingConfirmed, 1).await;
    // The day before, at the time of the party.
    server.set_clock("2026-03-14T01:00:00Z");
    let told = taken(&double, MessageKind::EventReminder, 1).await;
    assert!(
        told[0].text.contains("Saturday, March 14, 2026 at 6:00 PM"),
        "{}",
        told[0].text
    );
    assert_eq!(taken(&double, MessageKind::DepositReminder, 1).await.len(), 1);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_customer_hears_of_the_end_and_of_the_refund() {
    let double = by_mail();
    let (server, admin) = open(&double).await;
    let booking = book(&admin, "sam", json!({})).await;
    let paid = pay(&admin, "sam", &booking, 30_000, "DEPOSIT").await;
    taken(&double, MessageKind::BookingConfirmed, 1).await;
    let cancel = json!({"idempotencyKey": "c", "bookingId": booking["id"], "reason": "plans changed"});
    admin.done("bookingCancel", "", cancel).await;
    taken(&double, MessageKind::BookingCancelled, 1).await;
    let refund = json!({
        "idempotencyKey": "r", "paymentId": paid, "amountMinor": 20_000, "reason": "as the terms say",
    });
    admin.done("paymentRefund", "", refund).await;
    let told = taken(&double, MessageKind::RefundGiven, 1).await;
    assert!(told[0].text.contains("$200.00"), "{}", told[0].text);
    server.assert_rebuild_changes_nothing(&server.company).await;
}

#[tokio::test]
async fn a_change_of_prices_is_told_once_a_day_to_those_who_want_to_hear_of_it() {
    let double = by_mail();
    let (server, admin) = open(&double).await;
    let wants = book(&admin, "sam", json!({})).await;
    book(&admin, "kim", json!({"start": "2026-03-15T18:00:00"})).await;
    let consent = json!({
        "idempotencyKey": "consent", "customerId": wants["customer"]["id"], "channel": "EMAIL", "textVersion": "2026-01",
        "through": "phone",
    });
    admin.done("customerConsentSet", "", consent).await;
    for (key, item, price) in [("a", "adult", 6_500), ("c", "child", 3_300)] {
        let set = json!({
            "idempotencyKey": key, "stationId": global_id("Station", server.company.san_jose), "item": item,
            "priceMinor": price, "effectiveFrom": "2026-04-01T00:00:00Z", "reason": "everything is dearer",
        });
        admin.done("priceChange", "", set).await;
    }
    let told = taken(&double, MessageKind::PriceChanged, 1).await;
    server.quiet(&server.company).await;
    assert_eq!(taken(&double, MessageKind::PriceChanged, 1).await.len(), 1);
    assert_eq!(told[0].to, "sam@example.com");
    assert!(
        told[0].text.contains("keeps its price of $851.18"),
        "{}",
        told[0].text
    );
}
