//! A component that is loaded: which world it is of, linked and ready to be instantiated.

use std::fmt;

use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use super::bindings::{TransformPre, refract};
use super::host::Host;
use super::precompiled::{self, Verified};
use crate::catalog::WasmWorld as World;

/// A loaded component.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Linked, by its world.
    pub(super) pre: Pre,
    /// Bytes of its machine code.
    pub(super) bytes: usize,
}

/// A component that is linked.
pub(super) enum Pre {
    /// Of the world `refract:transform`.
    Transform(TransformPre<Host>),
    /// Of the world `wasi:http/proxy`.
    Http(ProxyPre<Host>),
}

impl fmt::Debug for Pre {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transform(_) => "refract:transform",
            Self::Http(_) => "wasi:http/proxy",
        })
    }
}

impl Loaded {
    /// Which world it is of.
    pub(super) fn world(&self) -> World {
        match self.pre {
            Pre::Transform(_) => World::Transform,
            Pre::Http(_) => World::Http,
        }
    }

    /// Loads machine code and links it.
    ///
    /// # Errors
    /// It is of neither world, or imports what there is not.
    pub(super) fn load(engine: &Engine, linker: &Linker<Host>, code: &Verified) -> Result<Self, String> {
        let shown = |error: wasmtime::Error| format!("{error:#}");
        let component = precompiled::load(engine, code).map_err(shown)?;
        let world = world(engine, &component).ok_or(
            "the component exports neither `transform` (world refract:transform) nor wasi:http/incoming-handler \
             0.2 (world wasi:http/proxy)",
        )?;
        let pre = linker
            .instantiate_pre(&component)
            .map_err(|error| format!("the component imports what Refract does not offer: {error:#}"))?;
        let pre = match world {
            World::Transform => TransformPre::new(pre).map(Pre::Transform),
            World::Http => ProxyPre::new(pre).map(Pre::Http),
        };
        Ok(Self { pre: pre.map_err(shown)?, bytes: code.len() })
    }
}

fn world(engine: &Engine, component: &Component) -> Option<World> {
    let exported = component.component_type();
    exported.exports(engine).find_map(|(name, _)| match name {
        "transform" => Some(World::Transform),
        name if name.starts_with("wasi:http/incoming-handler@0.2.") => Some(World::Http),
        _ => None,
    })
}

/// What components are linked to.
///
/// # Errors
/// A name is defined twice.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    refract::transform::head::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host)?;
    refract::transform::types::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host)?;
    Ok(linker)
}
