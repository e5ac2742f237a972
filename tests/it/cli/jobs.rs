//! `hibachi jobs`: what went wrong, on a terminal.

use tests::process::{Installation, SLUG};

/// A job that there is not.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

#[test]
fn jobs_are_listed_and_of_one_that_there_is_not_it_is_said_so() {
    let installation = Installation::demo();
    let listed = installation.well(&["jobs", "list", "--org", SLUG, "--status", "dead"]);
    assert!(listed.starts_with("job "), "{listed}");
    assert_eq!(listed.lines().count(), 1, "{listed}");
    installation.well(&["jobs", "schedules", "--org", SLUG]);
    for (command, told) in [
        (vec!["show"], "there is no job"),
        (vec!["retry"], "NOT_FOUND: there is no such job"),
        (
            vec!["drop", "--reason", "nobody's number"],
            "NOT_FOUND: there is no such job",
        ),
    ] {
        let run = installation.run(&[&["jobs"][..], &command, &["--org", SLUG, NOBODY]].concat());
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.err.contains(told), "{run:?}");
    }
}
