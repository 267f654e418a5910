//! The `refract` command: arguments → command → exit code.

use std::process::ExitCode;

// A small GET takes some seventy allocations (docs/decisions/0005-allocator.md).
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    // Before anything else: it must have one thread.
    refract::function::sandbox::inside::run().unwrap_or_else(refract::cli::run)
}
