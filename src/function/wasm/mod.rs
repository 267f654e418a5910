//! Functions that are Wasm components, by wasmtime. One request, one instance: nothing of a run is left for the next.
//!
//! - [`compile`]: the compiler, in a process of its own; [`artifacts`]: what it made, on disk; [`precompiled`]: back
//!   into code.
//! - [`engine`]: instances' memory and the clock that interrupts them; [`lanes`]: the threads they run on;
//!   [`pace`]: what a function's last runs say of the next.
//! - [`component`]: a loaded component; [`host`]: what an instance sees; [`printed`]: what it prints.
//! - [`outgoing`]: requests to what a function was granted.
//! - [`transform`], [`http`]: a run of either world; [`streams`], [`pipe`]: its bytes; [`stop`]: why it ended.
//! - [`run`]: from a request to a run and back.

mod artifacts;
mod bindings;
pub mod compile;
mod component;
mod engine;
mod host;
mod http;
mod lanes;
mod outgoing;
mod pace;
mod pipe;
mod precompiled;
mod printed;
pub mod run;
mod stop;
mod streams;
#[cfg(test)]
mod tests;
mod transform;

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, OnceLock};

use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};
use wasmtime::Engine;
use wasmtime::component::Linker;

pub use super::components::{ComponentError, Options};
use crate::catalog::{Catalog, FunctionKind, View, WasmWorld};
use artifacts::Artifacts;
use compile::{CompileError, Compiler};
use component::Loaded;
use host::Host;
use lanes::Lanes;
use precompiled::Verified;

/// Bytes of machine code that stay loaded.
const LOADED_BYTES: u64 = 1 << 30;

impl From<io::Error> for ComponentError {
    fn from(error: io::Error) -> Self {
        Self::Internal(format!("components on disk: {error}"))
    }
}

impl From<CompileError> for ComponentError {
    fn from(error: CompileError) -> Self {
        match error {
            // What makes the compiler fail is the component.
            CompileError::Refused(_) | CompileError::Timeout(_) | CompileError::Failed(_) => {
                Self::Refused(error.to_string())
            }
            CompileError::Unavailable(why) => Self::Internal(why),
        }
    }
}

/// A component that is on disk. It stays there at least until this is dropped; by then a function must name it.
#[derive(Debug)]
pub struct Registered {
    /// SHA-256 of the component, in hex.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its world.
    pub world: WasmWorld,
    _held: OwnedMutexGuard<()>,
}

/// All components, and what runs them.
#[derive(Debug, Clone)]
pub struct Components(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: Options,
    artifacts: Artifacts,
    compiler: Compiler,
    /// One compiler at a time.
    compiling: Semaphore,
    /// Held while components come and go on disk.
    changing: Arc<Mutex<()>>,
    machine: OnceLock<Result<Machine, String>>,
    loaded: moka::future::Cache<String, Arc<Loaded>>,
    shares: run::Shares,
}

/// What is set up when the first component is used.
struct Machine {
    engine: Engine,
    compatibility: String,
    linker: Linker<Host>,
    ticker: engine::Ticker,
    lanes: Lanes,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("ticker", &self.ticker).finish_non_exhaustive()
    }
}

impl Machine {
    fn start(options: &Options) -> Result<Self, String> {
        let shown = |error: wasmtime::Error| format!("wasmtime: {error:#}");
        let engine = engine::runner(options.instances).map_err(shown)?;
        Ok(Self {
            compatibility: engine::compatibility(&engine),
            linker: component::linker(&engine).map_err(shown)?,
            ticker: engine::Ticker::start(&engine).map_err(|error| error.to_string())?,
            lanes: Lanes::start(options.threads, options.long_threads).map_err(|error| error.to_string())?,
            engine,
        })
    }
}

impl Components {
    /// Nothing is set up before the first component is used.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let weigh = |_: &String, loaded: &Arc<Loaded>| u32::try_from(loaded.bytes >> 10).unwrap_or(u32::MAX);
        Self(Arc::new(Inner {
            artifacts: Artifacts::new(&options.data_dir, options.key),
            compiler: Compiler::new(options.compile_timeout),
            compiling: Semaphore::new(1),
            changing: Arc::default(),
            machine: OnceLock::new(),
            loaded: moka::future::Cache::builder().max_capacity(LOADED_BYTES >> 10).weigher(weigh).build(),
            shares: run::Shares::new(options.instances),
            options,
        }))
    }

    fn machine(&self) -> Result<&Machine, ComponentError> {
        let machine = self.0.machine.get_or_init(|| Machine::start(&self.0.options));
        machine.as_ref().map_err(|why| ComponentError::Internal(why.clone()))
    }

    /// Instances that live now.
    #[must_use]
    pub fn live(&self) -> usize {
        self.0
            .machine
            .get()
            .and_then(|machine| machine.as_ref().ok())
            .map_or(0, |machine| machine.ticker.count())
    }

    /// Compiles a component and keeps it.
    ///
    /// # Errors
    /// [`ComponentError`].
    pub async fn register(&self, component: Vec<u8>) -> Result<Registered, ComponentError> {
        check_header(&component)?;
        let one = self.0.compiling.acquire().await.map_err(|_| ComponentError::Compiling)?;
        let this = self.clone();
        let compile = move || {
            let machine = this.machine()?;
            let digest = artifacts::digest(&component);
            let code = match this.0.artifacts.compiled(&digest, &machine.compatibility)? {
                Some(code) => code,
                None => Verified::vouch(this.0.compiler.compile(component.clone())?),
            };
            let loaded = Loaded::load(&machine.engine, &machine.linker, &code);
            Ok((digest, component, code, Arc::new(loaded.map_err(ComponentError::Refused)?)))
        };
        let (digest, component, code, loaded) = blocking(compile).await?;
        drop(one);
        let held = Arc::clone(&self.0.changing).lock_owned().await;
        let (this, name, size) = (self.clone(), digest.clone(), component.len() as u64);
        let keep = move || {
            let (machine, artifacts) = (this.machine()?, &this.0.artifacts);
            artifacts.keep_component(&name, &component)?;
            Ok(artifacts.keep_compiled(&name, &machine.compatibility, &code)?)
        };
        blocking(keep).await?;
        self.0.loaded.insert(digest.clone(), Arc::clone(&loaded)).await;
        Ok(Registered { digest, size, world: loaded.world(), _held: held })
    }

    /// A component that can run. It is loaded from what was compiled at registration; where that does not fit this
    /// server's version, the compiler starts in the background.
    async fn load(&self, digest: &str) -> Result<Arc<Loaded>, ComponentError> {
        if let Some(loaded) = self.0.loaded.get(digest).await {
            return Ok(loaded);
        }
        let (this, name) = (self.clone(), digest.to_owned());
        let load = blocking(move || {
            let machine = this.machine()?;
            let Some(code) = this.0.artifacts.compiled(&name, &machine.compatibility)? else {
                return Err(ComponentError::Compiling);
            };
            tracing::debug!(digest = name, bytes = code.len(), "a component was loaded");
            let loaded = Loaded::load(&machine.engine, &machine.linker, &code);
            loaded.map(Arc::new).map_err(ComponentError::Internal)
        });
        match self.0.loaded.try_get_with(digest.to_owned(), load).await {
            Ok(loaded) => Ok(loaded),
            Err(error) => {
                if matches!(*error, ComponentError::Compiling) {
                    self.recompile(digest.to_owned());
                }
                Err(ComponentError::clone(&error))
            }
        }
    }

    /// Sees to it, in the background, that these components are compiled for this version of the server.
    pub fn prepare(&self, digests: HashSet<String>) {
        for digest in digests {
            self.recompile(digest);
        }
    }

    fn recompile(&self, digest: String) {
        let this = self.clone();
        tokio::spawn(async move {
            let Ok(_one) = this.0.compiling.acquire().await else { return };
            let (inner, name) = (this.clone(), digest.clone());
            let work = move || {
                let machine = inner.machine()?;
                let Inner { artifacts, compiler, .. } = &*inner.0;
                if artifacts.compiled(&name, &machine.compatibility)?.is_none() {
                    let code = Verified::vouch(compiler.compile(artifacts.component(&name)?)?);
                    artifacts.keep_compiled(&name, &machine.compatibility, &code)?;
                }
                Ok(())
            };
            match blocking(work).await {
                Ok(()) => tracing::info!(digest, "a component was compiled for this version of the server"),
                Err(error) => tracing::error!(digest, %error, "a component cannot be compiled"),
            }
        });
    }

    /// Removes the components that no function names, while none is registered.
    pub async fn sweep(&self, catalog: &dyn Catalog) {
        let _alone = self.0.changing.lock().await;
        let (this, used) = (self.clone(), digests(&catalog.snapshot()));
        let work = move || {
            for digest in this.0.artifacts.components()? {
                if !used.contains(&digest) {
                    this.0.artifacts.remove(&digest)?;
                }
            }
            Ok(())
        };
        if let Err(error) = blocking(work).await {
            tracing::warn!(%error, "components that no function uses cannot be removed");
        }
    }
}

/// Digests of the components of all functions.
#[must_use]
pub fn digests(view: &View) -> HashSet<String> {
    let kinds = view.functions.values().map(|function| &function.kind);
    kinds
        .filter_map(|kind| match kind {
            FunctionKind::Wasm(component) => Some(component.digest.clone()),
            FunctionKind::Builtin { .. }
            | FunctionKind::Lambda(_)
            | FunctionKind::Webhook(_)
            | FunctionKind::Aws(_) => None,
        })
        .collect()
}

/// Says what is wrong with bytes that are plainly no component.
fn check_header(component: &[u8]) -> Result<(), ComponentError> {
    let refused = |why: String| Err(ComponentError::Refused(why));
    if component.len() as u64 > compile::MAX_COMPONENT {
        return refused(format!(
            "the component has {} bytes; the limit is {}",
            component.len(),
            compile::MAX_COMPONENT
        ));
    }
    match component.get(..8) {
        Some([0, b'a', b's', b'm', 0x0d, 0, 1, 0]) => Ok(()),
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => refused(
            "this is a core Wasm module, not a component: make a component of it, for example with `jco new`"
                .into(),
        ),
        _ => refused("this is not a Wasm component".into()),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ComponentError> + Send + 'static,
) -> Result<T, ComponentError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(ComponentError::Internal(format!("a task did not end: {error}"))),
    }
}
