//! The `refract` command: arguments → command → exit code.

use std::process::ExitCode;

// A small GET takes some ninety allocations: with glibc's, a tenth more of its time (docs/decisions/0005).
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything else: it must have one thread.
    refract::function::sandbox::inside::run().unwrap_or_else(refract::cli::run)
}
