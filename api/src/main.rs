//! The binary `hibachi`.

use std::process::ExitCode;

fn main() -> ExitCode {
    api::cli::main()
}
