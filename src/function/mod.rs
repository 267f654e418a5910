//! Functions and their runtimes.
