//! The command `racetrap`.

use std::process::ExitCode;

fn main() -> ExitCode {
    racetrap::cli::main()
}
