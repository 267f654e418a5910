//! What an instance sees of the world: its streams, clocks, random numbers, a tail of what it printed,
//! requests to what its function was granted, and nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderName;
use refract_transforms::Head;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::bindings::refract::transform::head;
use super::bindings::refract::transform::types;
use super::outgoing::Outgoing;
use super::printed::Printed;

/// Elements of any table.
const MAX_TABLE: usize = 100_000;
/// Bytes of a result's head: more of them is more than clients take.
const MAX_HEAD: usize = 64 << 10;

/// The head of the result while the function works on it.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedHead(Arc<Mutex<HeadState>>);

#[derive(Debug, Default)]
struct HeadState {
    head: Head,
    sent: bool,
}

impl SharedHead {
    fn lock(&self) -> MutexGuard<'_, HeadState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The head; from now on it does not change.
    pub(super) fn close(&self) -> Head {
        let mut state = self.lock();
        state.sent = true;
        state.head.clone()
    }

    /// Changes the head, unless it is sent.
    pub(super) fn set(&self, change: impl FnOnce(&mut Head)) -> Result<(), String> {
        let mut state = self.lock();
        if state.sent {
            return Err("the head of the result is sent: set it before the first byte".into());
        }
        let mut head = state.head.clone();
        change(&mut head);
        if size(&head) > MAX_HEAD {
            return Err(format!("the head of the result has more than {MAX_HEAD} bytes"));
        }
        state.head = head;
        Ok(())
    }
}

/// Bytes of what a head says.
fn size(head: &Head) -> usize {
    let metadata = head.metadata.iter().flatten().map(|(name, value)| name.len() + value.len());
    let texts = [head.content_type.as_ref(), head.content_encoding.as_ref().and_then(Option::as_ref)];
    metadata.chain(texts.into_iter().flatten().map(String::len)).sum()
}

/// What the store of an instance holds.
pub(super) struct Host {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Outgoing,
    printed: Printed,
    memory: MemoryLimit,
    pub(super) head: SharedHead,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("memory", &self.memory).finish_non_exhaustive()
    }
}

impl Host {
    /// A host for one run, whose memories may have `memory` bytes together.
    pub(super) fn new(memory: usize, head: SharedHead, outgoing: Outgoing) -> Self {
        let printed = Printed::default();
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(printed.clone()).stderr(printed.clone()).allow_tcp(false).allow_udp(false);
        Self {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            hooks: outgoing,
            printed,
            memory: MemoryLimit { limit: memory, used: 0, denied: false },
            head,
        }
    }

    /// A store for it.
    pub(super) fn into_store(self, engine: &wasmtime::Engine) -> Store<Self> {
        let mut store = Store::new(engine, self);
        store.limiter(|host| &mut host.memory);
        store
    }

    /// Where resources live.
    pub(super) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// What the function printed, as far as it was kept.
    pub(super) fn printed(&self) -> String {
        self.printed.tail()
    }

    /// Whether it asked for more memory than it may have.
    pub(super) fn is_out_of_memory(&self) -> bool {
        self.memory.denied
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

/// One limit on all memories of an instance together.
#[derive(Debug)]
struct MemoryLimit {
    limit: usize,
    used: usize,
    denied: bool,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.used.saturating_sub(current).saturating_add(desired);
        if used > self.limit {
            self.denied = true;
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE)
    }
}

/// What may stand in a header.
fn check(value: &str) -> Result<(), String> {
    http::HeaderValue::from_str(value).map(drop).map_err(|_| format!("{value:?} cannot be in a header"))
}

impl head::Host for Host {
    fn set_content_type(&mut self, value: String) -> Result<(), String> {
        check(&value)?;
        self.head.set(|head| head.content_type = Some(value))
    }

    fn set_content_encoding(&mut self, value: Option<String>) -> Result<(), String> {
        value.as_deref().map_or(Ok(()), check)?;
        self.head.set(|head| {
            head.content_encoding = Some(value);
            head.vary = vec!["Accept-Encoding"];
        })
    }

    fn set_metadata(&mut self, entries: Vec<(String, String)>) -> Result<(), String> {
        let mut metadata = BTreeMap::new();
        for (name, value) in entries {
            let name = name.to_ascii_lowercase();
            if HeaderName::from_bytes(name.as_bytes()).is_err() {
                return Err(format!("{name:?} cannot be the name of a header"));
            }
            check(&value)?;
            metadata.insert(name, value);
        }
        self.head.set(|head| head.metadata = Some(metadata))
    }
}

impl types::Host for Host {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_a_limit_and_keeps_what_it_had() {
        let head = SharedHead::default();
        head.set(|head| head.content_type = Some("text/plain".into())).unwrap();
        let many = (0..100_000).map(|n| (n.to_string(), String::new())).collect();
        assert!(head.set(|head| head.metadata = Some(many)).is_err());
        assert!(head.set(|head| head.content_encoding = Some(Some("x".repeat(MAX_HEAD)))).is_err());
        let head = head.close();
        assert_eq!((head.content_type.as_deref(), head.metadata), (Some("text/plain"), None));
    }
}
