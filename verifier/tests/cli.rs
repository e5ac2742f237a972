//! The program `hibachi-verifier`, on an example that `hibachi replay prove` wrote.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const KEY: &str = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";
const OTHER: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

fn example(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    file.to_str().expect("a path of text").to_owned()
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_hibachi-verifier"))
        .args(arguments)
        .output()
        .expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("it writes text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn what_is_so_is_told_with_exit_code_0() {
    let (code, out, err) = run(&["proof", &example("proof.json"), "--public-key", KEY]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(
        out.starts_with("true: the event thing.happened 1 of thing:b, recorded at "),
        "{out}"
    );
    assert!(
        out.contains("is position 7 of the log of one, whose head of position 10 was signed at"),
        "{out}"
    );
    let (code, out, _) = run(&["--public-key", KEY, "head", &example("head.json")]);
    assert_eq!(code, Some(0));
    assert!(
        out.starts_with("true: the head of position 10, block 6, of one was signed at"),
        "{out}"
    );
}

#[test]
fn what_is_false_is_told_with_exit_code_1() {
    for what in ["proof", "head"] {
        let file = example(&format!("{what}.json"));
        let (code, out, _) = run(&[what, &file, "--public-key", OTHER]);
        assert_eq!(
            (code, out.as_str()),
            (
                Some(1),
                "false: the head was signed by another key than the given one\n"
            )
        );
    }
    let text = fs::read_to_string(example("proof.json")).expect("the example is there");
    for (from, to, why) in [
        (
            "thing.happened",
            "thing.forged",
            "the event's path does not lead to its block's root",
        ),
        (
            "\"leaf_index\": 1",
            "\"leaf_index\": 2",
            "the event's path is not that of its position in its block",
        ),
        (
            "\"block\": 6",
            "\"block\": 7",
            "the head's signature is not that of the given key over what it states",
        ),
        (
            "\"last\": 10",
            "\"last\": 11",
            "the event's path is not that of its position in its block",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let fault = verifier::check_proof(
            &text.replace(from, to),
            &verifier::public_key(KEY).expect("a key"),
        );
        assert_eq!(fault, Err(verifier::Fault::False(why.to_owned())), "{from}");
    }
}

#[test]
fn what_cannot_be_checked_is_told_with_exit_code_2() {
    for arguments in [
        &[][..],
        &["proof"],
        &["proof", "nowhere.json", "--public-key", KEY],
        &["proof", "nowhere.json", "--public-key", "nowhere"],
        &["head", &example("proof.json"), "--public-key", KEY],
    ] {
        let (code, out, err) = run(arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert_ne!(err, "", "{arguments:?}");
    }
    assert_eq!(run(&["--help"]).0, Some(0));
}
