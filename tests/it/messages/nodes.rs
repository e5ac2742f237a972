//! Messages while another node still counts the money that they tell of.

use super::*;

#[tokio::test]
async fn what_is_due_is_told_when_all_that_has_come_is_counted() {
    let double = by_mail();
    let (server, admin) = open(&double).await;
    let words = json!({"subject": "See you", "text": "{{balance_due}} due"});
    admin
        .done("messageTemplateSave", TEMPLATE, saving("words", words))
        .await;
    let booking = book(&admin, "sam", json!({})).await;
    server.quiet(&server.company).await;
    // As another node does while it counts.
    let mut counting = server.database().superuser().await;
    sqlx::raw_sql(
        "begin; select from policy_checkpoints where policy = 'when_money_needs_a_person' for update",
    )
    .execute(&mut counting)
    .await
    .expect("the superuser may");
    pay(&admin, "sam", &booking, 10_000, "DEPOSIT").await;
    let mut superuser = server.database().superuser().await;
    let failed = async {
        let code = "select payload->>'code' from events where event_type = 'job.failed'";
        loop {
            let code: Option<String> = sqlx::query_scalar(code)
                .fetch_optional(&mut superuser)
                .await
                .expect("the database answers");
            if let Some(code) = code {
                return code;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let failed = tokio::time::timeout(PATIENCE, failed).await;
    assert_eq!(failed.as_deref(), Ok("UNAVAILABLE"));
    assert!(
        double
            .taken()
            .iter()
            .all(|letter| letter.kind != Some(MessageKind::BookingConfirmed)),
        "nobody is told of money that is not counted"
    );
    sqlx::raw_sql("rollback")
        .execute(&mut counting)
        .await
        .expect("it has a transaction");
    server.set_clock("2026-02-10T18:01:00Z");
    let told = taken(&double, MessageKind::BookingConfirmed, 1).await;
    assert_eq!(told[0].text, "$751.18 due");
    server.quiet(&server.company).await;
    server.assert_rebuild_changes_nothing(&server.company).await;
}
