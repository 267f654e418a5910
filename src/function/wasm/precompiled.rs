//! The one place where machine code that was kept in a file becomes code that runs.
#![allow(
    unsafe_code,
    reason = "wasmtime trusts a precompiled component as it trusts itself; what comes here bears the server's own MAC"
)]

use wasmtime::Engine;
use wasmtime::component::Component;

/// Machine code of which [`artifacts`](super::artifacts) has checked that this server's compiler made it: nobody else
/// makes a value of this type.
#[derive(Debug)]
pub(super) struct Verified(Vec<u8>);

impl Verified {
    /// Vouches for bytes whose MAC was just checked, or that the compiler just answered.
    pub(super) fn vouch(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its size in bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Loads it. Wasmtime itself refuses what another version or configuration made.
///
/// # Errors
/// It was made for another engine.
pub(super) fn load(engine: &Engine, code: &Verified) -> wasmtime::Result<Component> {
    // SAFETY: `Verified` holds only what `Engine::precompile_component` put out, unchanged: the bytes are in our
    // memory, so that a file that changes later does not matter, and their MAC is keyed by the master key.
    unsafe { Component::deserialize(engine, &code.0) }
}
