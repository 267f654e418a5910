//! The `refract` command: arguments → command → exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    refract::cli::run()
}
