//! Functions that are Wasm components: what is said of one at its registration.

use std::sync::Arc;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::auth::Principal;
use crate::catalog::{Function, FunctionKind, WasmComponent, WasmWorld};
use crate::context::App;
use crate::error::ApiError;
use crate::function::wasm::{ComponentError, Registered};

/// Bytes of a component.
pub const MAX_COMPONENT: u64 = 64 << 20;

/// Where a component is: `base64`, or `bucket` and `key`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComponentSpec {
    /// The component itself, at most 64 MiB.
    #[serde(default)]
    pub base64: Option<String>,
    /// Bucket of the object that holds it.
    #[serde(default)]
    pub bucket: Option<String>,
    /// Key of the object.
    #[serde(default)]
    pub key: Option<String>,
}

/// A Wasm component.
#[derive(Debug, Serialize, ToSchema)]
pub struct WasmDocument {
    /// SHA-256 of the component, in hex.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// Which world it is of.
    pub world: WasmWorld,
    /// Linear memory of an instance, in MiB.
    pub memory_mb: u32,
    /// Processor time of a run, and its time without output.
    pub timeout_seconds: u32,
    /// Instances at a time; absent means half of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
}

impl From<&WasmComponent> for WasmDocument {
    fn from(component: &WasmComponent) -> Self {
        Self {
            sha256: component.digest.clone(),
            size: component.size,
            world: component.world,
            memory_mb: component.memory_mb,
            timeout_seconds: component.timeout_seconds,
            concurrency: component.concurrency,
        }
    }
}

/// What is asked of a component, checked.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) component: Option<ComponentSpec>,
    pub(super) memory_mb: Option<u32>,
    pub(super) timeout_seconds: Option<u32>,
    pub(super) concurrency: Option<u32>,
    pub(super) payload: Value,
}

/// What is on disk and what was asked of it, on the way into the catalog.
#[derive(Debug)]
pub(super) struct Ready {
    registered: Option<Registered>,
    asked: Asked,
}

impl Asked {
    fn check(&self) -> Result<(), ApiError> {
        let within = |name: &str, value: Option<u32>, low: u32, high: u32| match value {
            Some(value) if !(low..=high).contains(&value) => {
                Err(ApiError::invalid_request(format!("{name} must be {low} to {high}; it is {value}")))
            }
            _ => Ok(()),
        };
        within("memory_mb", self.memory_mb, 1, 1024)?;
        within("timeout_seconds", self.timeout_seconds, 1, 900)
    }

    /// Compiles the component and puts it on disk.
    pub(super) async fn ready(self, app: &Arc<App>, principal: &Principal) -> Result<Ready, ApiError> {
        self.check()?;
        let registered = match &self.component {
            None => None,
            Some(spec) => {
                let bytes = bytes(spec, app, principal).await?;
                Some(app.components.register(bytes).await?)
            }
        };
        Ok(Ready { registered, asked: self })
    }
}

async fn bytes(spec: &ComponentSpec, app: &Arc<App>, principal: &Principal) -> Result<Vec<u8>, ApiError> {
    match spec {
        ComponentSpec { base64: Some(text), bucket: None, key: None } => BASE64
            .decode(text.as_bytes())
            .map_err(|error| ApiError::invalid_request(format!("component.base64: {error}"))),
        ComponentSpec { base64: None, bucket: Some(bucket), key: Some(key) } => {
            let (_, bytes) = app.object_lambda.original(principal, bucket, key, MAX_COMPONENT).await?;
            Ok(bytes.to_vec())
        }
        _ => Err(ApiError::invalid_request("component must have either `base64`, or `bucket` and `key`")),
    }
}

impl Ready {
    /// The record; what is not said stays as `old` has it.
    pub(super) fn kind(&self, old: Option<&Function>) -> Result<FunctionKind, ApiError> {
        let old = old.and_then(|old| match &old.kind {
            FunctionKind::Wasm(component) => Some(component),
            FunctionKind::Builtin { .. }
            | FunctionKind::Lambda(_)
            | FunctionKind::Webhook(_)
            | FunctionKind::Aws(_) => None,
        });
        let (digest, size, world) = match (&self.registered, old) {
            (Some(new), _) => (new.digest.clone(), new.size, new.world),
            (None, Some(old)) => (old.digest.clone(), old.size, old.world),
            (None, None) => {
                return Err(ApiError::invalid_request("component is missing: this function has none yet"));
            }
        };
        let Asked { memory_mb, timeout_seconds, concurrency, payload, .. } = &self.asked;
        Ok(FunctionKind::Wasm(WasmComponent {
            digest,
            size,
            world,
            payload: payload.clone(),
            memory_mb: memory_mb.or(old.map(|old| old.memory_mb)).unwrap_or(WasmComponent::DEFAULT_MEMORY),
            timeout_seconds: timeout_seconds
                .or(old.map(|old| old.timeout_seconds))
                .unwrap_or(WasmComponent::DEFAULT_TIMEOUT),
            concurrency: concurrency.or(old.and_then(|old| old.concurrency)),
        }))
    }
}

impl From<ComponentError> for ApiError {
    fn from(error: ComponentError) -> Self {
        match error {
            ComponentError::Refused(why) => Self::invalid_request(format!("component: {why}")),
            ComponentError::Compiling => Self::new(
                http::StatusCode::SERVICE_UNAVAILABLE,
                "SlowDown",
                "Please reduce your request rate: the component is being compiled",
            ),
            ComponentError::Internal(why) => Self::internal(why),
        }
    }
}

/// Removes components that no function names any more, in the background.
pub(super) fn sweep(app: &Arc<App>) {
    let app = Arc::clone(app);
    tokio::spawn(async move { app.components.sweep(app.catalog.as_ref()).await });
}
