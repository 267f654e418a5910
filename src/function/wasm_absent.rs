//! What stands for Wasm components in a build without the feature `wasm`: it refuses them.

use std::collections::HashSet;

use refract_transforms::Context;

use super::builtin::WasmTask;
pub use super::components::{ComponentError, Options};
use super::metering::Cpu;
use super::run::{Output, RunError};
use crate::catalog::{Catalog, View, WasmWorld};
use crate::store::Payload;

/// A component that was registered: there is none.
#[derive(Debug)]
pub struct Registered {
    /// SHA-256 of the component, in hex.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its world.
    pub world: WasmWorld,
}

/// No components.
#[derive(Debug, Clone)]
pub struct Components;

const WHY: &str = "this binary was built without the feature `wasm`";

impl Components {
    /// Nothing.
    #[must_use]
    pub fn new(_: Options) -> Self {
        Self
    }

    /// Refuses.
    ///
    /// # Errors
    /// Always.
    #[allow(clippy::unused_async, reason = "as with the feature")]
    pub async fn register(&self, _: Vec<u8>) -> Result<Registered, ComponentError> {
        Err(ComponentError::Refused(WHY.into()))
    }

    /// Refuses.
    ///
    /// # Errors
    /// Always.
    #[allow(clippy::unused_async, reason = "as with the feature")]
    pub async fn run(&self, _: &WasmTask, _: &Context, _: Payload) -> Result<Output, RunError> {
        Err(RunError::Failed { message: "The function cannot run here".into(), internal: WHY.into() })
    }

    /// Refuses.
    ///
    /// # Errors
    /// Always.
    #[allow(clippy::unused_async, reason = "as with the feature")]
    pub async fn run_counted(
        &self,
        _: &WasmTask,
        _: &Context,
        _: Payload,
        _: &Cpu,
    ) -> Result<Output, RunError> {
        Err(RunError::Failed { message: "The function cannot run here".into(), internal: WHY.into() })
    }

    /// Nothing to do.
    pub fn prepare(&self, _: HashSet<String>) {}

    /// Nothing to do.
    #[allow(clippy::unused_async, reason = "as with the feature")]
    pub async fn sweep(&self, _: &dyn Catalog) {}
}

/// None.
#[must_use]
pub fn digests(_: &View) -> HashSet<String> {
    HashSet::new()
}
