//! What appends take from each other: unique keys and capacity.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use domain::envelope::{Claim, Expectation};
use event_log::{Append, LogError, Outcome};
use futures::future::join_all;

use super::{TENANT, World, append, claiming, event, stream, take_unique, write};

fn instant(hour: u32) -> DateTime<Utc> {
    format!("2027-03-01T{hour:02}:00:00Z")
        .parse()
        .expect("an hour of the day")
}

fn take(from: u32, until: u32, units: i32, limit: i32) -> Claim {
    Claim::TakeCapacity {
        resource: "station:1".to_owned(),
        from: instant(from),
        until: instant(until),
        units,
        limit,
    }
}

fn claim(command: u128, id: &str, claims: Vec<Claim>) -> Append {
    append(
        command,
        vec![write(id, Expectation::Any, vec![claiming(command, claims)])],
    )
}

fn release_unique(key: &str) -> Claim {
    Claim::ReleaseUnique {
        scope: Cow::Borrowed("thing.key"),
        key: key.to_owned(),
    }
}

#[tokio::test]
async fn of_ten_takers_of_the_last_unit_exactly_one_wins() {
    let world = World::new().await;
    world.appended(claim(1, "first", vec![take(10, 14, 2, 3)])).await;
    let second_node = world.test.log().await;
    let ids: Vec<String> = (0..10).map(|taker| format!("taker {taker}")).collect();
    let outcomes = join_all((10..).zip(&ids).map(|(command, id)| {
        let log = if command % 2 == 0 {
            &world.log
        } else {
            &second_node
        };
        log.append(claim(command, id, vec![take(12, 16, 1, 3)]))
    }))
    .await;
    let won = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Ok(Outcome::Appended(_))))
        .count();
    let refused = Ok(Outcome::ClaimRefused {
        claim: take(12, 16, 1, 3),
    });
    assert_eq!(won, 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == refused).count(), 9);
}

#[tokio::test]
async fn capacity_is_counted_at_its_peak_over_half_open_intervals() {
    let world = World::new().await;
    world.appended(claim(1, "a", vec![take(10, 12, 2, 3)])).await;
    world.appended(claim(2, "b", vec![take(12, 14, 2, 3)])).await;
    world.appended(claim(3, "c", vec![take(11, 13, 1, 3)])).await;
    let refused = world
        .log
        .append(claim(4, "d", vec![take(9, 12, 1, 3)]))
        .await
        .unwrap();
    assert!(matches!(refused, Outcome::ClaimRefused { .. }));
    world.appended(claim(5, "e", vec![take(9, 11, 1, 3)])).await;
    world.appended(claim(6, "f", vec![take(14, 15, 3, 3)])).await;
}

#[tokio::test]
async fn a_stream_may_move_what_it_holds() {
    let world = World::new().await;
    world.appended(claim(1, "a", vec![take(10, 14, 3, 3)])).await;
    let release = Claim::ReleaseCapacity {
        resource: "station:1".to_owned(),
    };
    world
        .appended(claim(2, "a", vec![release.clone(), take(12, 16, 3, 3)]))
        .await;
    world.appended(claim(3, "b", vec![take(10, 12, 3, 3)])).await;
    assert!(matches!(
        world
            .log
            .append(claim(4, "b", vec![take(12, 13, 1, 3)]))
            .await
            .unwrap(),
        Outcome::ClaimRefused { .. }
    ));
    world.appended(claim(5, "a", vec![release])).await;
    world.appended(claim(6, "b", vec![take(12, 13, 1, 3)])).await;
}

#[tokio::test]
async fn a_unique_key_is_held_until_it_is_released() {
    let world = World::new().await;
    let holder = async || world.log.unique_holder(TENANT, "thing.key", "k").await.unwrap();
    assert_eq!(holder().await, None);
    world.appended(claim(1, "a", vec![take_unique("k")])).await;
    assert_eq!(holder().await, Some(stream("a")));
    let refused = world
        .log
        .append(claim(2, "b", vec![take_unique("k")]))
        .await
        .unwrap();
    assert_eq!(
        refused,
        Outcome::ClaimRefused {
            claim: take_unique("k")
        }
    );
    world.appended(claim(3, "a", vec![take_unique("k")])).await;
    world.appended(claim(4, "b", vec![release_unique("k")])).await;
    assert_eq!(holder().await, Some(stream("a")), "only the holder gives back");
    world.appended(claim(5, "a", vec![release_unique("k")])).await;
    assert_eq!(holder().await, None);
    world.appended(claim(6, "b", vec![take_unique("k")])).await;
    assert_eq!(holder().await, Some(stream("b")));
}

#[tokio::test]
async fn a_refused_claim_undoes_its_append_and_nothing_beside_it() {
    let world = World::new().await;
    let outcomes = join_all([
        world
            .log
            .append(claim(1, "a", vec![take_unique("k"), take(10, 12, 1, 1)])),
        world
            .log
            .append(claim(2, "b", vec![take_unique("free"), take(11, 12, 1, 1)])),
        world.log.append(claim(3, "c", vec![take_unique("free")])),
    ])
    .await;
    assert!(matches!(outcomes[0], Ok(Outcome::Appended(_))));
    assert_eq!(
        outcomes[1],
        Ok(Outcome::ClaimRefused {
            claim: take(11, 12, 1, 1)
        })
    );
    assert!(
        matches!(outcomes[2], Ok(Outcome::Appended(_))),
        "the loser's key is free again"
    );
    assert_eq!(world.log.read_stream(TENANT, &stream("b")).await.unwrap(), []);
}

#[tokio::test]
async fn an_append_in_conflict_claims_nothing() {
    let world = World::new().await;
    let late = append(
        1,
        vec![write(
            "a",
            Expectation::Exists,
            vec![claiming(1, vec![take_unique("k")])],
        )],
    );
    assert!(matches!(
        world.log.append(late).await.unwrap(),
        Outcome::Conflict { .. }
    ));
    assert_eq!(
        world.log.unique_holder(TENANT, "thing.key", "k").await.unwrap(),
        None
    );
    let empty = append(2, vec![write("a", Expectation::Any, vec![event(2)])]);
    world.appended(empty).await;
    let backwards = claim(3, "a", vec![take(12, 10, 1, 1)]);
    assert!(matches!(
        world.log.append(backwards).await,
        Err(LogError::Malformed(_))
    ));
}

fn take_chef(from: u32, until: u32) -> Claim {
    Claim::TakeInterval {
        resource: "chef:1".to_owned(),
        from: instant(from),
        until: instant(until),
    }
}

fn release_chef() -> Claim {
    Claim::ReleaseInterval {
        resource: "chef:1".to_owned(),
    }
}

#[tokio::test]
async fn an_interval_is_one_streams_alone_and_half_open() {
    let world = World::new().await;
    world.appended(claim(1, "a", vec![take_chef(10, 12)])).await;
    world.appended(claim(2, "b", vec![take_chef(12, 14)])).await;
    let refused = world
        .log
        .append(claim(3, "c", vec![take_unique("k"), take_chef(11, 13)]))
        .await;
    assert_eq!(
        refused,
        Ok(Outcome::ClaimRefused {
            claim: take_chef(11, 13)
        })
    );
    let holder = world.log.unique_holder(TENANT, "thing.key", "k").await.unwrap();
    assert_eq!(holder, None, "what the refused append took beside it is free");
    // A stream may stretch what it holds, but not over another's.
    world.appended(claim(4, "a", vec![take_chef(10, 11)])).await;
    world.appended(claim(5, "c", vec![take_chef(11, 12)])).await;
    assert!(matches!(
        world.log.append(claim(6, "a", vec![take_chef(10, 12)])).await,
        Ok(Outcome::ClaimRefused { .. })
    ));
    world
        .appended(claim(7, "b", vec![release_chef(), take_chef(15, 16)]))
        .await;
    world.appended(claim(8, "c", vec![take_chef(12, 15)])).await;
    assert!(matches!(
        world.log.append(claim(9, "c", vec![take_chef(16, 15)])).await,
        Err(LogError::Malformed(_))
    ));
}

#[tokio::test]
async fn of_many_who_want_one_interval_on_two_nodes_exactly_one_wins() {
    let world = World::new().await;
    let second_node = world.test.log().await;
    let ids: Vec<String> = (0..64).map(|taker| format!("taker {taker}")).collect();
    let outcomes = join_all((1..).zip(&ids).map(|(command, id)| {
        let log = if command % 2 == 0 {
            &world.log
        } else {
            &second_node
        };
        let hour = 10 + u32::try_from(command % 3).expect("less than three");
        log.append(claim(command, id, vec![take_chef(hour, hour + 4)]))
    }))
    .await;
    let won = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Ok(Outcome::Appended(_))))
        .count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn the_database_itself_keeps_intervals_apart() {
    let world = World::new().await;
    world.appended(claim(1, "a", vec![take_chef(10, 12)])).await;
    let mut superuser = world.test.superuser().await;
    let doubled = sqlx::query(
        "insert into claims_interval
         select tenant_id, resource, holder_kind, 'b', from_at + interval '1 hour', until_at from claims_interval",
    )
    .execute(&mut superuser)
    .await
    .unwrap_err();
    let constraint = doubled
        .as_database_error()
        .and_then(|error| error.constraint().map(str::to_owned));
    assert_eq!(constraint.as_deref(), Some("claims_interval_alone"));
}
