//! `hibachi-verifier`. Exit code 0: it is so; 1: it is false; 2: it could not be checked.

use std::process::ExitCode;

use verifier::{Fault, check_head, check_proof, public_key};

const USAGE: &str = "usage: hibachi-verifier proof FILE --public-key KEY
       hibachi-verifier head FILE --public-key KEY

Checks, without database or network, that an event is in a log whose head was signed, or that a head was signed.
KEY is the signer's public key, from somebody whom you trust to know it: 64 hexadecimal digits, or a file that
holds them. Exit code 0: it is so; 1: it is false; 2: it could not be checked.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(line) => {
            say(&line);
            ExitCode::SUCCESS
        }
        Err(Fault::False(why)) => {
            say(&format!("false: {why}"));
            ExitCode::from(1)
        }
        Err(Fault::Malformed(why)) => {
            complain(&why);
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Result<String, Fault> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (what, file, key) = match arguments.as_slice() {
        [what @ ("proof" | "head"), file, "--public-key", key]
        | [what @ ("proof" | "head"), "--public-key", key, file]
        | ["--public-key", key, what @ ("proof" | "head"), file] => (*what, file, key),
        ["--help" | "-h"] => return Ok(USAGE.to_owned()),
        _ => return Err(Fault::Malformed(USAGE.to_owned())),
    };
    let key = match public_key(key) {
        Ok(key) => key,
        Err(_) => public_key(&read(key)?)?,
    };
    let text = read(file)?;
    if what == "head" {
        let head = check_head(&text, &key)?;
        return Ok(format!(
            "true: the head of position {}, block {}, of {} was signed at {} under the key {}",
            head.position,
            head.block,
            head.organisation,
            head.signed_at,
            hex::encode(head.key_id)
        ));
    }
    let proof = check_proof(&text, &key)?;
    Ok(format!(
        "true: the event {} of {}, recorded at {}, is position {} of the log of {}, whose head of position {} was \
         signed at {} under the key {}",
        proof.event,
        proof.stream,
        proof.recorded_at,
        proof.position,
        proof.head.organisation,
        proof.head.position,
        proof.head.signed_at,
        hex::encode(proof.head.key_id)
    ))
}

fn read(file: &str) -> Result<String, Fault> {
    std::fs::read_to_string(file).map_err(|error| Fault::Malformed(format!("cannot read {file}: {error}")))
}

#[expect(clippy::print_stdout, reason = "what the program answers")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "why the program cannot answer")]
fn complain(line: &str) {
    eprintln!("{line}");
}
