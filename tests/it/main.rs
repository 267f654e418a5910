//! The integration tests: one binary, a module a behaviour.

mod heads;
mod process;
mod support;
