//! What people ask of the API, many at a time, and how long they wait for it: `load CASE` measures once and prints JSON
//! lines, `load table` reads such lines and prints medians over the rounds. `make load` starts what is measured.

mod api;
mod cases;
mod company;
mod samples;
mod table;

use std::env;
use std::io::{self, Read};

use goose::prelude::GooseError;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    match env::args().nth(1).as_deref() {
        Some("set-up") => company::set_up().await?,
        Some("table") => {
            let mut lines = String::new();
            io::stdin().read_to_string(&mut lines)?;
            print!("{}", table::of(&lines)?);
        }
        Some(case) => measure(case).await?,
        None => return Err("load set-up, load CASE or load table".into()),
    }
    Ok(())
}

async fn measure(name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let case = cases::named(name).ok_or_else(|| format!("there is no case {name}"))?;
    company::learn().await?;
    let attacked: Result<_, GooseError> = case.run().await;
    attacked?;
    for line in samples::lines(name, case.seconds) {
        println!("{line}");
    }
    Ok(())
}

/// A setting of this run.
///
/// # Panics
/// When it is neither set nor has anything to stand in for it.
fn setting(name: &str, otherwise: Option<&str>) -> String {
    let told = env::var(name).ok().filter(|text| !text.is_empty());
    told.or_else(|| otherwise.map(str::to_owned))
        .unwrap_or_else(|| panic!("{name} is not set"))
}

/// A setting that is a whole number.
///
/// # Panics
/// When it is none.
fn number(name: &str, otherwise: &str) -> u64 {
    let text = setting(name, Some(otherwise));
    text.parse()
        .unwrap_or_else(|_| panic!("{name} is a whole number, and not {text}"))
}
