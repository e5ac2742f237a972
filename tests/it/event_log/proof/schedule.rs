//! Heads signed on schedule.

use std::time::Duration;

use api::signing::HeadSchedule;
use chrono::TimeDelta;
use commands::gateways::SimulatedClock;
use domain::envelope::Expectation;
use event_log::proof::HeadSigner;
use replays::{SignError, VerifyError, verify_against};

use super::super::{TENANT, at, one};
use super::{company, lie, now, ten_events, trusting};

fn hourly() -> HeadSchedule {
    HeadSchedule::new(HeadSigner::new(&[1; 32]), Duration::from_secs(3600))
}

#[tokio::test]
async fn a_head_is_signed_when_the_log_has_moved_and_the_interval_has_passed() {
    let world = ten_events().await;
    let company = company(&world).await;
    let clock = SimulatedClock::at(now());
    let signed = async || hourly().sign_if_due(&world.log, &clock, &company).await.unwrap();
    assert!(signed().await, "the first at once");
    clock.set(now() + TimeDelta::hours(2));
    assert!(!signed().await, "the log has not moved");
    world.appended(one(11, "c", Expectation::NoStream)).await;
    assert!(signed().await);
    world.appended(one(12, "d", Expectation::NoStream)).await;
    clock.set(now() + TimeDelta::minutes(179));
    assert!(!signed().await, "the hour has not passed");
    clock.set(now() + TimeDelta::hours(3));
    assert!(signed().await);
    let kept = world.log.signed_heads(TENANT).await.unwrap();
    let spans: Vec<_> = kept
        .iter()
        .map(|head| (head.statement.since, head.statement.position))
        .collect();
    assert_eq!(spans, [(at(0), at(10)), (at(10), at(11)), (at(11), at(12))]);
    let verified = verify_against(&world.log, TENANT, &trusting(vec![]), &()).await;
    assert_eq!(verified.unwrap().signed_heads, 3);
}

#[tokio::test]
async fn of_several_programs_that_sign_at_once_one_keeps_the_head() {
    let world = ten_events().await;
    let company = company(&world).await;
    let clock = SimulatedClock::at(now());
    let programs =
        (0..8).map(|_| async { hourly().sign_if_due(&world.log, &clock, &company).await.unwrap() });
    let signed = futures::future::join_all(programs).await;
    assert_eq!(signed.iter().filter(|signed| **signed).count(), 1);
    assert_eq!(world.log.signed_heads(TENANT).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_log_that_lies_is_not_signed_on_schedule() {
    let world = ten_events().await;
    let company = company(&world).await;
    let clock = SimulatedClock::at(now());
    lie(&world, "update events set payload = '{}' where position = 4").await;
    let refused = hourly().sign_if_due(&world.log, &clock, &company).await;
    assert!(
        matches!(refused, Err(SignError::Unverified(VerifyError::Lie(_)))),
        "{refused:?}"
    );
    assert_eq!(world.log.signed_heads(TENANT).await.unwrap(), []);
}
