//! The engine: how components are compiled, where instances live, and the clock that interrupts them.

use std::fmt;
use std::hash::{Hash as _, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use wasmtime::{Config, Engine, PoolingAllocationConfig};

/// Time between two looks at a running function's deadline.
pub(super) const TICK: Duration = Duration::from_millis(2);

/// Linear memory that any function may ask for, in bytes.
pub(super) const MAX_MEMORY: usize = 1 << 30;

/// What the compiler and the server must agree on; all but the allocator.
fn config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.wasm_component_model(true);
    config.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16));
    config
}

/// An engine that compiles and runs nothing.
///
/// # Errors
/// The machine is not one that wasmtime knows.
pub(super) fn compiler() -> wasmtime::Result<Engine> {
    Engine::new(&config())
}

/// An engine that runs `instances` at a time. Address space for all of them is set aside at once, memory when it is
/// used.
///
/// # Errors
/// The address space cannot be had.
pub(super) fn runner(instances: u32) -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_stacks(instances)
        // A component may be linked from several modules: a Python one has some forty, of which two have a memory.
        .total_core_instances(instances.saturating_mul(4).max(200))
        .total_memories(instances.saturating_add(16))
        .total_tables(instances.saturating_mul(2).max(200))
        .max_core_instances_per_component(200)
        .max_memories_per_component(16)
        .max_tables_per_component(200)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .max_memory_size(MAX_MEMORY);
    let mut config = config();
    config.allocation_strategy(pool);
    Engine::new(&config)
}

/// A digest of all that a precompiled component depends on besides the component.
pub(super) fn compatibility(engine: &Engine) -> String {
    struct Feed(Sha256);
    impl Hasher for Feed {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut feed = Feed(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut feed);
    let digest = feed.0.finalize();
    HEXLOWER.encode(digest.get(..16).unwrap_or_default())
}

/// The thread that moves an engine's epoch on while anything runs.
pub(super) struct Ticker {
    running: Arc<AtomicUsize>,
    thread: Thread,
}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticker").field("running", &self.running).finish_non_exhaustive()
    }
}

/// Something runs, as long as this lives.
#[derive(Debug)]
pub(super) struct Running(Arc<AtomicUsize>);

impl Ticker {
    /// Starts the thread. It ends with the engine.
    ///
    /// # Errors
    /// No thread can be had.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let running = Arc::new(AtomicUsize::new(0));
        let (count, engine) = (Arc::clone(&running), engine.weak());
        let tick = move || {
            loop {
                if count.load(Ordering::SeqCst) == 0 {
                    // A timeout, so that the thread notices the end of the engine.
                    std::thread::park_timeout(Duration::from_secs(1));
                } else {
                    std::thread::sleep(TICK);
                }
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
            }
        };
        let handle = std::thread::Builder::new().name("refract-wasm-epoch".into()).spawn(tick)?;
        Ok(Self { running, thread: handle.thread().clone() })
    }

    /// Counts something that runs.
    pub(super) fn running(&self) -> Running {
        if self.running.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Running(Arc::clone(&self.running))
    }

    /// How many run.
    pub(super) fn count(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
