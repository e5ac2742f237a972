//! Customers are written to in their own language, else in the company's, else in the program's.

use super::*;

#[tokio::test]
async fn a_customer_is_written_to_in_their_language_where_there_are_words_in_it() {
    let mail = by_mail();
    let (server, admin) = open(&mail).await;
    for (key, locale, subject) in [("es", "es", "Hasta {{event_date}}"), ("fil", "fil", "Kita tayo")] {
        let words = json!({"locale": locale, "subject": subject, "text": "{{booking_id}}"});
        admin
            .done("messageTemplateSave", TEMPLATE, saving(key, words))
            .await;
    }
    // What the company writes in by itself.
    let settings = json!({
        "idempotencyKey": "settings", "locale": "fil", "quietFrom": "21:00", "quietUntil": "08:00",
    });
    admin.done("messageSettingsChange", "", settings).await;
    let set = async |key: &str, booking: &Value, locale: Option<&str>| {
        let input = json!({"idempotencyKey": key, "customerId": booking["customer"]["id"], "locale": locale});
        let done = admin
            .done("customerLocaleSet", "customer { locale version }", input)
            .await;
        done["customer"]["locale"].clone()
    };
    let mut subjects = Vec::new();
    // The one chef of San Jose is taken by each on another day.
    for (number, key, locale) in [
        (1, "sam", Some("es-MX")),
        (2, "max", Some("fr")),
        (3, "eve", None),
    ] {
        let day = json!({"start": format!("2026-04-{:02}T18:00:00", number * 4)});
        let booking = book(&admin, key, day).await;
        if let Some(locale) = locale {
            assert_eq!(set(&format!("{key} says"), &booking, Some(locale)).await, locale);
            let again = json!({
                "idempotencyKey": format!("{key} again"), "customerId": booking["customer"]["id"], "locale": locale,
            });
            assert_eq!(admin.refused("customerLocaleSet", again).await, "UNCHANGED");
        }
        pay(&admin, key, &booking, 10_000, "DEPOSIT").await;
        let told = taken(&mail, MessageKind::BookingConfirmed, number).await;
        subjects.push(told[number - 1].subject_line.clone().unwrap_or_default());
        if key == "sam" {
            assert_eq!(set("back", &booking, None).await, Value::Null);
            let wrong = json!({
                "idempotencyKey": "wrong", "customerId": booking["customer"]["id"], "locale": "Spanish",
            });
            assert_eq!(admin.refused("customerLocaleSet", wrong).await, "INVALID_LOCALE");
        }
    }
    assert!(subjects[0].starts_with("Hasta "), "{subjects:?}");
    assert_eq!(subjects[1..], ["Kita tayo", "Kita tayo"]);
    server.assert_rebuild_changes_nothing(&server.company).await;
}
