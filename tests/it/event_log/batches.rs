//! Who loses within a batch, and what its neighbours come to.

use domain::envelope::{Claim, Expectation, Version};
use event_log::{Append, Outcome};
use futures::future::join_all;
use tests::writer::hour;

use super::{TENANT, World, append, claiming, one, stream, take_unique, write};

/// Appends that the log takes into one batch.
const BATCH: u128 = 256;

/// A claim of each kind that only one stream gets.
fn contested(name: &str) -> [Claim; 3] {
    let (from, until) = (hour(1), hour(2));
    let resource = name.to_owned();
    let units = Claim::TakeCapacity {
        resource: resource.clone(),
        from,
        until,
        units: 2,
        limit: 3,
    };
    let time = Claim::TakeInterval {
        resource,
        from,
        until,
    };
    [take_unique(name), units, time]
}

#[tokio::test]
async fn a_refused_claim_does_not_break_its_batch_apart() {
    let world = World::new().await;
    let log = &world.log;
    let mut base = 0;
    for kind in 0..3 {
        for expected in [Expectation::NoStream, Expectation::Any] {
            // The claim is taken by an append of the same batch, or by one before it.
            for taker in [None, Some(10)] {
                base += 1_000;
                let of = |n: u128| (base + n).to_string();
                let mut appends: Vec<Append> = (0..BATCH).map(|n| one(base + n, &of(n), expected)).collect();
                let claim = contested(&base.to_string())[kind].clone();
                let mut first = one(base + 999, &of(999), Expectation::NoStream);
                match taker {
                    Some(taker) => appends[taker].streams[0].events[0].claims = vec![claim.clone()],
                    None => first.streams[0].events[0].claims = vec![claim.clone()],
                }
                world.appended(first).await;
                appends[100].streams[0].events[0].claims = vec![claim.clone()];
                let before = log.head(TENANT).await.unwrap();
                let said = join_all(appends.iter().map(|append| log.append(append.clone()))).await;
                let mut last = before.position.0;
                for (n, said) in said.into_iter().enumerate() {
                    if n == 100 {
                        let refused = Outcome::ClaimRefused { claim: claim.clone() };
                        assert_eq!(said, Ok(refused));
                        continue;
                    }
                    last += 1;
                    let Ok(Outcome::Appended(receipt)) = said else {
                        panic!("{claim:?}: the neighbour {n} came to {said:?}");
                    };
                    assert_eq!((receipt.first.0, receipt.last.0), (last, last));
                }
                assert_eq!(
                    log.head(TENANT).await.unwrap().block,
                    before.block + 1,
                    "{claim:?}, {expected:?}, taken by {taker:?}: one batch, one block"
                );
            }
        }
    }
    replays::verify(log, TENANT, &()).await.unwrap();
}

/// The least that was wrong once: where another loses its claim, a write without events had no version kept.
#[tokio::test]
async fn beside_a_refused_claim_a_write_without_events_keeps_its_version() {
    let world = World::new().await;
    let claims = |id, command| {
        let events = vec![claiming(command, vec![take_unique("key")])];
        append(command, vec![write(id, Expectation::NoStream, events)])
    };
    world.appended(claims("holder", 1)).await;
    let empty = append(2, vec![write("empty", Expectation::NoStream, Vec::new())]);
    let loser = claims("loser", 3);
    let said = join_all([empty.clone(), loser].map(|append| world.log.append(append))).await;
    let Ok(Outcome::Appended(receipt)) = &said[0] else {
        panic!("{said:?}");
    };
    assert_eq!(receipt.streams, [(stream("empty"), Version(0))]);
    assert!(matches!(said[1], Ok(Outcome::ClaimRefused { .. })), "{said:?}");
    let again = world.log.append(empty).await;
    assert_eq!(again, Ok(Outcome::Replayed(receipt.clone())));
}

/// Else one would always be on its way while the other waits: a batch, and a flush, for each append.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_again_at_once_comes_into_the_next_batch() {
    let world = World::new().await;
    let clients = [1_000, 2_000].map(|first| {
        let log = world.log.clone();
        // A task of its own, as a request is.
        tokio::spawn(async move {
            for command in first..first + 100 {
                let append = one(command, &command.to_string(), Expectation::NoStream);
                let said = log.append(append).await;
                assert!(matches!(said, Ok(Outcome::Appended(_))), "{said:?}");
            }
        })
    });
    for client in join_all(clients).await {
        client.unwrap();
    }
    let head = world.log.head(TENANT).await.unwrap();
    assert_eq!(head.position.0, 200);
    assert!(
        head.block < 180,
        "200 appends of two came in {} batches",
        head.block
    );
}
