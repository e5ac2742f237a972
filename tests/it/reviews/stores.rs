//! Where pictures and videos are kept: the same of a directory, of memory and of a bucket, and nothing by half.

use commands::gateways::ObjectMedia;
use commands::ports::MediaStore;
use tests::bucket::{BucketDouble, Fault};

async fn keeps_and_forgets(store: ObjectMedia) {
    let here = "company/reviews/one";
    assert_eq!(store.list(here).await.expect("the store answers"), []);
    store.delete(here).await.expect("the store answers");
    for (name, bytes) in [
        ("a.jpg", vec![1, 2]),
        ("b.png", vec![3]),
        ("c.mp4", vec![0; 3 << 20]),
    ] {
        store
            .put(&format!("{here}/{name}"), bytes)
            .await
            .expect("the store answers");
    }
    let elsewhere = ["company/reviews/one-more/c.jpg", "company/reviews/two/c.jpg"];
    for name in elsewhere {
        store.put(name, vec![4]).await.expect("the store answers");
    }
    let mut listed = store.list(here).await.expect("the store answers");
    listed.sort();
    let expected = [("a.jpg", 2), ("b.png", 1), ("c.mp4", 3 << 20)];
    assert_eq!(
        listed,
        expected.map(|(name, bytes)| (format!("{here}/{name}"), bytes))
    );
    let first = format!("{here}/a.jpg");
    assert_eq!(
        store.get(&first).await.expect("the store answers"),
        Some(vec![1, 2])
    );
    store.put(&first, vec![5]).await.expect("the store answers");
    assert_eq!(store.get(&first).await.expect("the store answers"), Some(vec![5]));
    // One file goes alone, and is gone however often that is asked for.
    for _ in 0..2 {
        store
            .remove(&format!("{here}/b.png"))
            .await
            .expect("the store answers");
    }
    assert_eq!(store.list(here).await.expect("the store answers").len(), 2);
    store.delete(here).await.expect("the store answers");
    assert_eq!(store.get(&first).await.expect("the store answers"), None);
    assert_eq!(store.list(here).await.expect("the store answers"), []);
    for name in elsewhere {
        assert_eq!(store.get(name).await.expect("the store answers"), Some(vec![4]));
    }
    assert!(store.put("../outside.jpg", vec![1]).await.is_err());
}

#[tokio::test]
async fn files_are_kept_by_name_and_forgotten_by_folder() {
    keeps_and_forgets(ObjectMedia::in_memory()).await;
    let directory = tempfile::tempdir().expect("it is there");
    keeps_and_forgets(ObjectMedia::directory(directory.path()).expect("it is there")).await;
    let bucket = BucketDouble::start().await;
    keeps_and_forgets(bucket.store("")).await;
    keeps_and_forgets(bucket.store("hibachi/media")).await;
    let left = bucket.names();
    assert_eq!(left.len(), 4, "{left:?}");
    assert_eq!(
        left.iter()
            .filter(|name| name.starts_with("hibachi/media/"))
            .count(),
        2
    );
}

#[tokio::test]
async fn a_bucket_that_is_out_of_order_for_a_moment_is_asked_again() {
    let bucket = BucketDouble::start().await;
    let store = bucket.store("");
    bucket.fail(&[Fault::Status(503)]);
    store
        .put("one/a.jpg", vec![7; 1_000])
        .await
        .expect("the store answers");
    for fault in [Fault::Status(500), Fault::Late, Fault::Cut] {
        bucket.fail(&[fault]);
        assert_eq!(
            store.get("one/a.jpg").await.expect("the store answers"),
            Some(vec![7; 1_000]),
            "{fault:?}"
        );
    }
    let asked = bucket.requests();
    assert_eq!(asked.iter().filter(|asked| asked.starts_with("PUT")).count(), 2);
    assert_eq!(asked.iter().filter(|asked| asked.starts_with("GET")).count(), 6);
}

#[tokio::test]
async fn a_bucket_that_fails_says_so_and_nothing_is_answered_by_half() {
    let bucket = BucketDouble::start().await;
    let store = bucket.store("");
    for name in ["one/a.jpg", "one/b.jpg", "one/c.jpg"] {
        store.put(name, vec![7; 1_000]).await.expect("the store answers");
    }
    for fault in [Fault::Status(403), Fault::Status(400)] {
        bucket.fail(&[fault; 4]);
        assert!(store.put("one/d.jpg", vec![8]).await.is_err());
        assert!(store.get("one/a.jpg").await.is_err());
        assert!(store.list("one").await.is_err());
        assert!(store.delete("one").await.is_err());
    }
    bucket.fail(&[Fault::Cut; 4]);
    assert!(store.get("one/a.jpg").await.is_err());
    bucket.fail(&[Fault::OneStays]);
    assert!(store.delete("one").await.is_err());
    assert_eq!(bucket.names(), ["one/a.jpg"]);
    store.delete("one").await.expect("the store answers");
    assert_eq!(bucket.names(), Vec::<String>::new());
    let stranger = bucket.store_of_a_stranger();
    let told = stranger.put("one/d.jpg", vec![8]).await.unwrap_err().to_string();
    assert!(
        told.contains("does not let us in") && !told.contains("secret"),
        "{told}"
    );
    assert_eq!(bucket.names(), Vec::<String>::new());
}
