//! Inclusion proofs, and the verifier that checks them with neither the database nor our code.

use domain::envelope::Expectation;
use event_log::proof::HeadSigner;
use replays::{Lie, ProveError, VerifyError, prove};
use serde_json::Value;
use verifier::{Fault, check_head, check_proof};

use super::super::{TENANT, World, append, at, event, one, write};
use super::{lie, lie_in, signed, signer, ten_events};

#[tokio::test]
async fn every_event_is_proved_and_the_proofs_outlive_the_database() {
    let world = ten_events().await;
    let head = signed(&world).await;
    let mut proofs = Vec::new();
    for position in 1..=10 {
        proofs.push(prove(&world.log, TENANT, at(position), &head).await.unwrap());
    }
    // The test's database is dropped with the world.
    drop(world);
    let key = signer().public_key().0;
    for (proof, position) in proofs.iter().zip(1..) {
        let checked = check_proof(proof, &key).unwrap();
        assert_eq!((checked.position, checked.head.position), (position, 10));
        assert_eq!(checked.event, "thing.happened 1");
        assert!(checked.payload.contains("寿司"), "{}", checked.payload);
    }
    assert_eq!(check_head(&head.to_json(), &key).unwrap().block, 6);
    let other = HeadSigner::new(&[2; 32]).public_key().0;
    assert!(matches!(check_proof(&proofs[0], &other), Err(Fault::False(_))));
    assert!(matches!(
        check_head(&head.to_json(), &other),
        Err(Fault::False(_))
    ));
}

#[tokio::test]
async fn an_event_of_a_block_of_any_size_is_proved() {
    let world = World::new().await;
    let mut next = 1;
    for size in [1, 2, 3, 7, 8, 33] {
        let events = (next..next + size).map(event).collect();
        let stream = format!("s{size}");
        world
            .appended(append(next, vec![write(&stream, Expectation::NoStream, events)]))
            .await;
        next += size;
    }
    let head = signed(&world).await;
    let key = signer().public_key().0;
    for position in 1..i64::try_from(next).unwrap() {
        let proof = prove(&world.log, TENANT, at(position), &head).await.unwrap();
        assert_eq!(check_proof(&proof, &key).unwrap().position, position);
    }
}

/// Every character of a proof that carries meaning, changed in several ways.
#[tokio::test]
async fn a_proof_with_any_character_changed_is_refused() {
    let world = ten_events().await;
    let head = signed(&world).await;
    let proof = prove(&world.log, TENANT, at(7), &head).await.unwrap();
    let key = signer().public_key().0;
    let mut refused = 0;
    for (index, old) in proof.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        for new in ['0', 'A', '"'].into_iter().filter(|new| *new != old) {
            let changed = format!("{}{new}{}", &proof[..index], &proof[index + old.len_utf8()..]);
            assert!(check_proof(&changed, &key).is_err(), "{changed}");
            refused += 1;
        }
    }
    assert!(refused > 4000, "only {refused}");
}

/// Parts of two honest proofs put together, or a part left out, prove nothing.
#[tokio::test]
async fn a_proof_put_together_from_two_is_refused() {
    let world = ten_events().await;
    let head = signed(&world).await;
    let proof = async |position| -> Value {
        let text = prove(&world.log, TENANT, at(position), &head).await.unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let (one, other, sibling) = (proof(7).await, proof(3).await, proof(8).await);
    let key = signer().public_key().0;
    for field in ["event", "path", "previous", "blocks", "head", "format"] {
        for donor in [&other, &sibling] {
            let mut mixed = one.clone();
            mixed[field] = donor[field].clone();
            assert_eq!(
                check_proof(&mixed.to_string(), &key).is_ok(),
                mixed == one,
                "{field} of another proof"
            );
        }
        let mut without = one.clone();
        without.as_object_mut().unwrap().remove(field);
        let refused = check_proof(&without.to_string(), &key);
        assert!(matches!(refused, Err(Fault::Malformed(_))), "without {field}");
    }
    for list in ["/blocks", "/path/hashes"] {
        for shorter in [&one, &other] {
            let mut cut = shorter.clone();
            let taken = cut.pointer_mut(list).unwrap().as_array_mut().unwrap().pop();
            assert_eq!(
                check_proof(&cut.to_string(), &key).is_ok(),
                taken.is_none(),
                "{list}"
            );
        }
    }
}

#[tokio::test]
async fn a_log_that_lies_is_not_proved() {
    let world = ten_events().await;
    let head = signed(&world).await;
    for position in [0, 11] {
        let none = prove(&world.log, TENANT, at(position), &head).await;
        assert!(matches!(none, Err(ProveError::NoEvent(_))), "{none:?}");
    }
    world.appended(one(11, "c", Expectation::NoStream)).await;
    let later = prove(&world.log, TENANT, at(11), &head).await;
    assert!(
        matches!(later, Err(ProveError::BeyondHead { position, head }) if (position, head) == (at(11), at(10))),
        "{later:?}"
    );
    lie(&world, "update events set payload = '{}' where position = 8").await;
    match prove(&world.log, TENANT, at(7), &head).await {
        Err(ProveError::Unverified(error)) => {
            assert_eq!(lie_in(Err(error)).position, at(8));
        }
        other => panic!("proved: {other:?}"),
    }
    lie(
        &world,
        "update log_blocks set block_hash = merkle_root where block = 4",
    )
    .await;
    match prove(&world.log, TENANT, at(2), &head).await {
        Err(ProveError::Unverified(VerifyError::Lie(finding))) => assert_eq!(finding.position, at(4)),
        other => panic!("proved: {other:?}"),
    }
}

#[tokio::test]
async fn a_cut_tail_is_no_missing_event_to_who_has_the_head() {
    let world = ten_events().await;
    let head = signed(&world).await;
    lie(
        &world,
        "delete from events where position > 8;
         delete from log_blocks where last_position > 8;
         update log_head h set position = b.last_position, block = b.block, block_hash = b.block_hash
         from log_blocks b where b.last_position = (select max(last_position) from log_blocks)",
    )
    .await;
    for position in [2, 9, 10] {
        match prove(&world.log, TENANT, at(position), &head).await {
            Err(ProveError::Unverified(VerifyError::Lie(finding))) => {
                assert_eq!(finding.what, Lie::CutTail { until: at(10) }, "{position}");
            }
            other => panic!("{position}: {other:?}"),
        }
    }
    let none = prove(&world.log, TENANT, at(11), &head).await;
    assert!(matches!(none, Err(ProveError::NoEvent(_))), "{none:?}");
}
