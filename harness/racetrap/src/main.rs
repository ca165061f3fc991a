//! The command `racetrap`.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The scripts that build racetrap set it. Only this small file is compiled again if it changes.
    racetrap::cli::main(option_env!("RACETRAP_COMMIT"))
}
