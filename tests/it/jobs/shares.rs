//! Companies and programs that share the work.

use super::*;

/// Messages of a company that has much to say.
const MANY: u128 = 300;

#[tokio::test]
async fn a_company_with_many_jobs_does_not_keep_anothers_waiting() {
    let double = Arc::new(Double::of(&ALL));
    double.takes(Duration::from_millis(50));
    let (server, _, customer) = open(&double, JobSettings::default()).await;
    let noisy = server.company.tenant;
    let party = booking(&server).await;
    ask(&server, noisy, customer, 1..MANY + 1, |asked| {
        asked.booking_id = party
    })
    .await;
    until("the noisy one has begun", async || !double.taken().is_empty()).await;
    let Company { tenant: quiet, .. } = server.neighbour().await;
    ask(&server, quiet, customer, 1..2, |asked| asked.preferred = None).await;
    // Its customer is none that it knows: the job ends as fast, and says so.
    until("the quiet one is done", async || {
        told(&server, quiet)
            .await
            .iter()
            .any(|name| *name != "message.requested")
    })
    .await;
    let taken = double.taken().len();
    assert!(
        taken < usize::try_from(MANY).expect("a few"),
        "{taken}: the quiet one came last"
    );
    assert!(double.most_at_once(noisy) <= usize::from(JobSettings::default().at_once));
    assert!(double.most_at_once(noisy) > 1);
}

#[tokio::test]
async fn two_nodes_share_the_jobs_and_no_message_goes_out_twice() {
    let double = Arc::new(Double::of(&ALL));
    let (server, _, customer) = open(&double, JobSettings::default()).await;
    let tenant = server.company.tenant;
    let party = booking(&server).await;
    double.takes(Duration::from_millis(5));
    let other = server.another_node().await;
    let other = other.commands.sending_through(double.clone());
    ask(&server, tenant, customer, 1..41, |asked| asked.booking_id = party).await;
    until("all are sent", async || {
        other.do_jobs(tenant).await.expect("the other node goes on");
        told(&server, tenant)
            .await
            .iter()
            .filter(|name| **name == "message.sent")
            .count()
            == 40
    })
    .await;
    assert_eq!(double.taken().len(), 40);
    assert!(double.most_at_once(tenant) <= usize::from(JobSettings::default().at_once));
    assert!(
        !told(&server, tenant)
            .await
            .iter()
            .any(|name| name.starts_with("job."))
    );
}

#[tokio::test]
async fn a_job_that_each_time_ends_its_program_is_given_up() {
    let double = Arc::new(Double::of(&ALL));
    let idle = JobSettings {
        at_once: 0,
        ..JobSettings::default()
    };
    let (server, admin, customer) = open(&double, idle).await;
    let tenant = server.company.tenant;
    ask(&server, tenant, customer, 1..2, |_| {}).await;
    let mut superuser = server.database().superuser().await;
    // As if ten programs had taken it up and ended.
    until("it is queued", async || {
        let queued = sqlx::query("update jobs set attempts = 10")
            .execute(&mut superuser)
            .await;
        queued.expect("the superuser may").rows_affected() == 1
    })
    .await;
    let working = server.app.commands.doing_jobs(JobSettings::default());
    assert_eq!(working.do_jobs(tenant).await.expect("it goes on"), 1);
    let died = job(&server, &admin).await;
    assert_eq!(
        (&died["status"], &died["code"]),
        (&json!("DEAD"), &json!("CRASHED"))
    );
    let events = events(&server, tenant).await;
    let attempts = events.iter().find_map(|event| {
        let DomainEvent::Job(JobEvent::Died(died)) = &event.event else {
            return None;
        };
        Some(died.attempts)
    });
    assert_eq!(attempts, Some(11));
}
