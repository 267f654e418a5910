//! What `transforms/wit/transform.wit` says, as Rust.
#![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, reason = "made by a macro")]

wasmtime::component::bindgen!({
    path: "transforms/wit",
    world: "refract:transform/transform",
    exports: { default: async },
    with: { "wasi:io": wasmtime_wasi::p2::bindings::io },
});
