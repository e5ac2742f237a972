//! A log against its signed heads.

use chrono::TimeDelta;
use domain::envelope::Expectation;
use event_log::proof::{HeadError, HeadSigner};
use event_log::{Head, Organisation};
use replays::{Lie, Part, SignError, VerifyError, sign_head, verify, verify_against};
use sqlx::Executor;

use super::super::{OTHER_TENANT, TENANT, at, one};
use super::{
    Finding, NEW_CHAIN, NEW_LEAVES, changed, company, finding, lie, lie_in, now, signed, signer, ten_events,
    trusting,
};

/// What is found after a lie in ten events whose head was signed and kept elsewhere.
async fn found_against(sql: &str) -> Finding {
    let world = ten_events().await;
    let trust = trusting(vec![signed(&world).await]);
    let honest = verify_against(&world.log, TENANT, &trust, &())
        .await
        .expect("it is honest");
    assert_eq!((honest.events, honest.signed_heads), (10, 1));
    lie(&world, sql).await;
    lie_in(verify_against(&world.log, TENANT, &trust, &()).await)
}

#[tokio::test]
async fn with_a_signed_head_it_is_told_which_part_of_an_event_was_changed() {
    let payload = found_against(
        "update events set payload = replace(payload::text, '\"number\":7', '\"number\":70')::json
         where position = 7",
    );
    assert_eq!(payload.await, finding(7, changed(Part::Payload)));
    let metadata =
        found_against("update events set metadata = '{\"channel\":\"elsewhere\"}' where position = 2").await;
    assert_eq!(metadata, finding(2, changed(Part::Metadata)));
    let column = found_against("update events set event_type = 'thing.forged' where position = 9").await;
    assert_eq!(column, finding(9, changed(Part::OtherColumn)));
    let names = [payload_name(), metadata.what.name(), column.what.name()];
    assert_eq!(names, ["changed_payload", "changed_metadata", "changed_column"]);
}

#[tokio::test]
async fn an_event_changed_with_its_hash_is_found_by_its_block_and_its_part_by_the_signed_head() {
    let sql = "update events set payload = '{}' where position = 8;".to_owned() + NEW_LEAVES;
    let expected = Lie::ChangedBlock {
        block: 6,
        part: Part::Payload,
    };
    assert_eq!(found_against(&sql).await, finding(6, expected));
}

#[tokio::test]
async fn a_chain_computed_anew_is_found_by_a_signed_head_alone() {
    let forge = "update events set payload = '{\"number\":0}' where position = 4;".to_owned()
        + NEW_LEAVES
        + NEW_CHAIN;
    let world = ten_events().await;
    let trust = trusting(vec![signed(&world).await]);
    lie(&world, &forge).await;
    assert_eq!(verify(&world.log, TENANT, &()).await.unwrap().events, 10);
    let found = lie_in(verify_against(&world.log, TENANT, &trust, &()).await);
    let rewritten = Lie::RewrittenChain {
        until: at(10),
        signed_at: now(),
    };
    assert_eq!(found, finding(1, rewritten.clone()));
    assert_eq!(rewritten.name(), "rewritten_chain");
    // And what was so forged is not signed over.
    let kept = ten_events().await;
    let head = signed(&kept).await;
    assert!(kept.log.keep_signed_head(&head).await.unwrap());
    kept.appended(one(11, "c", Expectation::NoStream)).await;
    lie(&kept, &forge).await;
    let refused = sign_head(&kept.log, &company(&kept).await, &signer(), now(), &()).await;
    assert!(
        matches!(refused, Err(SignError::Unverified(VerifyError::Lie(_)))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn of_several_signed_heads_the_first_that_differs_is_named_and_how_far_the_log_is_true() {
    let world = ten_events().await;
    let mut heads = vec![signed(&world).await];
    world.appended(one(11, "c", Expectation::NoStream)).await;
    heads.push(signed(&world).await);
    lie(
        &world,
        &("update events set payload = '{\"number\":0}' where position = 11;".to_owned()
            + NEW_LEAVES
            + NEW_CHAIN),
    )
    .await;
    let found = lie_in(verify_against(&world.log, TENANT, &trusting(heads), &()).await);
    let rewritten = Lie::RewrittenChain {
        until: at(11),
        signed_at: now(),
    };
    assert_eq!(found, finding(11, rewritten));
}

#[tokio::test]
async fn a_tail_cut_without_a_trace_is_found_by_a_signed_head_alone() {
    let cut = "delete from events where position > 5; delete from log_blocks where block > 5;
        delete from commands where last_position > 5;
        update log_head h set position = 5, block = 5, block_hash = b.block_hash
        from log_blocks b where b.tenant_id = h.tenant_id and b.block = 5";
    let world = ten_events().await;
    let trust = trusting(vec![signed(&world).await]);
    lie(&world, cut).await;
    assert_eq!(verify(&world.log, TENANT, &()).await.unwrap().events, 5);
    let found = lie_in(verify_against(&world.log, TENANT, &trust, &()).await);
    assert_eq!(found, finding(6, Lie::CutTail { until: at(10) }));
    assert_eq!(
        found.to_string(),
        "position 6: the tail was cut: the log went on to position 10"
    );
}

#[tokio::test]
async fn a_forged_signature_is_found_whether_the_head_was_altered_or_another_key_signed_it() {
    let world = ten_events().await;
    let head = signed(&world).await;
    let mut altered = head.clone();
    altered.statement.block_hash = [3; 32];
    let other = HeadSigner::new(&[2; 32]);
    let by_another = other.sign(head.statement.clone());
    let forged = Lie::ForgedSignature {
        why: HeadError::Forged(signer().public_key().fingerprint()),
    };
    for (head, what) in [
        (altered, forged),
        (
            by_another,
            Lie::ForgedSignature {
                why: HeadError::OtherKey(other.public_key().fingerprint()),
            },
        ),
    ] {
        assert_eq!(what.name(), "forged_signature");
        let found = lie_in(verify_against(&world.log, TENANT, &trusting(vec![head]), &()).await);
        assert_eq!(found, finding(10, what));
    }
    let elsewhere = verify_against(&world.log, OTHER_TENANT, &trusting(vec![head]), &()).await;
    assert!(
        matches!(elsewhere, Err(VerifyError::OtherLog { .. })),
        "{elsewhere:?}"
    );
}

#[tokio::test]
async fn kept_heads_are_checked_too_and_those_of_other_keys_left_aside() {
    let world = ten_events().await;
    let head = signed(&world).await;
    assert!(world.log.keep_signed_head(&head).await.unwrap());
    assert!(
        !world.log.keep_signed_head(&head).await.unwrap(),
        "another node's came first"
    );
    assert_eq!(
        world.log.signed_heads(TENANT).await.unwrap(),
        std::slice::from_ref(&head)
    );
    assert_eq!(
        world.log.last_signed_head(TENANT).await.unwrap(),
        Some(head.clone())
    );
    assert_eq!(
        world.log.signed_head_from(TENANT, at(3)).await.unwrap(),
        Some(head)
    );
    assert_eq!(world.log.signed_head_from(TENANT, at(11)).await.unwrap(), None);
    assert_eq!(world.log.signed_heads(OTHER_TENANT).await.unwrap(), []);

    let verified = verify_against(&world.log, TENANT, &trusting(vec![]), &())
        .await
        .unwrap();
    assert_eq!((verified.signed_heads, verified.heads_of_other_keys), (1, 0));
    let plain = verify(&world.log, TENANT, &()).await.unwrap();
    assert_eq!((plain.signed_heads, plain.heads_of_other_keys), (0, 1));

    lie(&world, "update signed_heads set block = 5").await;
    let found = lie_in(verify_against(&world.log, TENANT, &trusting(vec![]), &()).await);
    assert_eq!(found.what.name(), "forged_signature");
}

#[tokio::test]
async fn a_kept_head_is_never_changed() {
    let world = ten_events().await;
    let head = signed(&world).await;
    world.log.keep_signed_head(&head).await.unwrap();
    for sql in ["delete from signed_heads", "update signed_heads set block = 5"] {
        let mut transaction = world.log.database().begin(TENANT).await.unwrap();
        let refused = sqlx::query(sql).execute(&mut *transaction).await.unwrap_err();
        let code = refused.as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "42501", "{sql}");
        drop(transaction);
        let mut superuser = world.test.superuser().await;
        let refused = superuser.execute(sql).await.unwrap_err();
        let code = refused.as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "HB001", "{sql}");
    }
}

#[tokio::test]
async fn a_head_goes_on_from_the_one_before_it_and_an_empty_log_has_none() {
    let world = ten_events().await;
    let first = signed(&world).await;
    assert_eq!((first.statement.since, first.statement.position), (at(0), at(10)));
    world.log.keep_signed_head(&first).await.unwrap();
    let later = now() + TimeDelta::hours(1);
    let company = company(&world).await;
    let again = sign_head(&world.log, &company, &signer(), later, &())
        .await
        .unwrap();
    assert_eq!(
        (
            again.statement.since,
            again.statement.signed_at,
            again.statement.digests
        ),
        (at(0), later, first.statement.digests)
    );
    world.appended(one(11, "c", Expectation::NoStream)).await;
    let second = sign_head(&world.log, &company, &signer(), later, &())
        .await
        .unwrap();
    assert_eq!(
        (second.statement.since, second.statement.position),
        (at(10), at(11))
    );
    let head: Head = world.log.head(TENANT).await.unwrap();
    assert_eq!(second.statement.block_hash, head.block_hash);
    let empty = Organisation {
        tenant: OTHER_TENANT,
        ..company
    };
    let nothing = sign_head(&world.log, &empty, &signer(), later, &()).await;
    assert_eq!(nothing, Err(SignError::Empty));
}

/// Writes the examples that the verifier's own tests read, when asked to.
#[tokio::test]
async fn the_verifiers_examples_are_of_this_format() {
    let world = ten_events().await;
    let head = signed(&world).await;
    let proof = replays::prove(&world.log, TENANT, at(7), &head).await.unwrap();
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../verifier/tests");
    for (name, text) in [("proof.json", proof), ("head.json", head.to_json())] {
        let file = examples.join(name);
        if std::env::var_os("HIBACHI_UPDATE").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        let example: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let now: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(keys(&example), keys(&now), "{name}: run it with HIBACHI_UPDATE=1");
    }
}

fn payload_name() -> &'static str {
    changed(Part::Payload).name()
}

/// The names of everything in a file.
fn keys(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| std::iter::once(name.clone()).chain(keys(value)))
            .collect(),
        serde_json::Value::Array(values) => values.iter().flat_map(keys).collect(),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => Vec::new(),
    }
}
