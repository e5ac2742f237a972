//! `hibachi projections`: where the read models stand, whether they tell the truth, and building them anew.

use std::collections::BTreeMap;

use nix::sys::signal::Signal;
use tests::process::{Installation, SLUG};

/// The lines of a check or a rebuild by read model.
fn by_name(printed: &str) -> BTreeMap<&str, &str> {
    let lines = printed.lines().filter_map(|line| line.strip_prefix(SLUG));
    lines
        .filter_map(|line| line.trim_start().split_once(": "))
        .collect()
}

/// Generations of `projections list`.
fn generations(listed: &str) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    // Those beside the one that answers are indented.
    for line in listed.lines().skip(1).filter(|line| !line.starts_with(' ')) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        assert_eq!((fields.len(), fields[3], fields[5]), (6, "0", "live"), "{line}");
        found.insert(fields[0], fields[1]);
    }
    found
}

#[tokio::test]
async fn a_changed_row_is_found_by_its_key_and_a_rebuild_mends_it_beside_a_running_server() {
    let installation = Installation::demo();
    let alone = installation.well(&["projections", "check"]);
    assert!(
        by_name(&alone).values().all(|said| said.ends_with(", 0 differ")),
        "{alone}"
    );
    assert_eq!(
        installation.postmaster(),
        None,
        "what was started for the check is stopped"
    );

    let mut running = installation.up(&[]);
    let postgres = installation.postmaster();
    let listed = installation.well(&["projections", "list", "--org", SLUG]);
    let before = generations(&listed);
    assert!(
        before.contains_key("booking_list") && before.contains_key("tax_ledger"),
        "{listed}"
    );
    assert_eq!(
        by_name(&alone).keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );

    let mut superuser = installation.superuser().await;
    let lie = "update booking_list set paid_cents = paid_cents + 1
        where booking_id = (select booking_id from booking_list order by booking_id limit 1)
        returning booking_id::text";
    let key: String = sqlx::query_scalar(lie).fetch_one(&mut superuser).await.unwrap();
    let found = installation.run(&["projections", "check"]);
    assert_eq!(found.code, Some(1), "{found:?}");
    let wrong: Vec<_> = by_name(&found.out)
        .into_iter()
        .filter(|(_, said)| !said.ends_with(", 0 differ"))
        .collect();
    assert!(
        matches!(wrong.as_slice(), [("booking_list", said)] if said.ends_with(", 1 differ")),
        "{wrong:?}"
    );
    let named = found
        .out
        .lines()
        .skip_while(|line| !line.contains("booking_list"))
        .nth(1);
    assert!(
        named.is_some_and(|line| line.contains(&key)),
        "{key}: {}",
        found.out
    );
    let elsewhere = ["projections", "check", "--only", "tax_ledger"];
    assert_eq!(by_name(&installation.well(&elsewhere)).len(), 1);

    let rebuilt = installation.run(&["projections", "rebuild"]);
    assert_eq!(rebuilt.code, Some(1), "what it replaced was wrong: {rebuilt:?}");
    assert_eq!(
        rebuilt.err,
        "booking_list: the generation before differed in 1 rows\n"
    );
    let mended = installation.well(&["projections", "check"]);
    assert_eq!(by_name(&mended), by_name(&alone));
    let listed = installation.well(&["projections", "list"]);
    for (name, generation) in generations(&listed) {
        let generation: i64 = generation.parse().unwrap();
        assert_eq!(generation, before[name].parse::<i64>().unwrap() + 1, "{name}");
    }
    installation.well(&["projections", "rebuild"]);

    assert!(running.is_alive());
    assert_eq!(
        installation.postmaster(),
        postgres,
        "the running server was adopted and left running"
    );
    assert_eq!(
        running.sign_in("admin").await.get("/health/ready").await,
        "ready\n"
    );
    assert_eq!(running.stop(Signal::SIGTERM).status.code(), Some(0));
}

#[tokio::test]
async fn what_is_built_and_held_is_swapped_in_and_rolled_back_by_command() {
    let installation = Installation::demo();
    let server = installation.postgres();
    let of_list =
        |command: &'static str| vec!["projections", command, "--org", SLUG, "--only", "booking_list"];
    let refused = installation.run(&of_list("swap"));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused
            .err
            .contains("there is nothing built that waits to be swapped in"),
        "{refused:?}"
    );
    let refused = installation.run(&of_list("rollback"));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused
            .err
            .contains("no generation before the live one to go back to"),
        "{refused:?}"
    );

    let held = installation.well(&[&of_list("rebuild")[..], &["--hold", "--memory-mb", "1"]].concat());
    assert!(held.contains(", generation 2, held; "), "{held}");
    let listed = installation.well(&of_list("list"));
    assert_eq!(generations(&listed)["booking_list"], "1", "{listed}");
    assert!(listed.contains(", building: 100 %, "), "{listed}");
    let swapped = installation.well(&of_list("swap"));
    assert!(swapped.contains(", generation 2, taken up at "), "{swapped}");
    let listed = installation.well(&of_list("list"));
    assert_eq!(generations(&listed)["booking_list"], "2", "{listed}");
    assert!(listed.contains(", retired: "), "{listed}");
    let back = installation.well(&of_list("rollback"));
    assert!(
        back.contains("booking_list: generation 1 is live again at position "),
        "{back}"
    );
    assert!(by_name(&installation.well(&of_list("check")))["booking_list"].ends_with(", 0 differ"));

    let nothing = installation.well(&["projections", "rebuild", "--outdated"]);
    assert_eq!(nothing, "", "every fold is of this version");
    let mut superuser = installation.superuser().await;
    sqlx::query("update projection_checkpoints set fold_version = 0 where projection = 'lead_list'")
        .execute(&mut superuser)
        .await
        .unwrap();
    let one = installation.well(&["projections", "rebuild", "--outdated"]);
    assert_eq!(
        by_name(&one).into_keys().collect::<Vec<_>>(),
        ["lead_list"],
        "{one}"
    );
    drop(superuser);
    server.stop().unwrap();
}
