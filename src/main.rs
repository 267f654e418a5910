//! The `refract` command: arguments → command → exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything else: it must have one thread.
    refract::function::sandbox::inside::run().unwrap_or_else(refract::cli::run)
}
