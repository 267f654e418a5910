//! The built-in transforms as functions. `builtin-<name>` is reserved for each; a registered function is one of
//! them with a payload of its own.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use refract_transforms::{PayloadError, Transform, build, builtin_names, with_overrides};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::access_point::FunctionArn;
use crate::catalog::{FunctionKind, View, WasmComponent};
use crate::error::ApiError;

/// How the reserved names begin.
pub const PREFIX: &str = "builtin-";

/// What runs.
#[derive(Debug, Clone)]
pub enum Work {
    /// A built-in transform.
    Builtin(Arc<dyn Transform>),
    /// A Wasm component.
    Wasm(Arc<WasmTask>),
}

/// A Wasm component ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WasmTask {
    /// Name of the function: its share of the instances.
    pub name: String,
    /// SHA-256 of the component, in hex.
    pub digest: String,
    /// Linear memory that an instance may have, in bytes.
    pub memory: usize,
    /// Processor time of a run, and its time without output.
    pub timeout: Duration,
    /// Instances at a time; `None` for half of all.
    pub concurrency: Option<u32>,
    /// The payload: JSON.
    pub payload: String,
}

impl Work {
    /// Keys of objects that it reads besides.
    #[must_use]
    pub fn resources(&self) -> Vec<String> {
        match self {
            Self::Builtin(transform) => transform.resources(),
            Self::Wasm(_) => Vec::new(),
        }
    }

    /// Whether it always answers the object as it is.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        matches!(self, Self::Builtin(transform) if transform.is_identity())
    }

    /// Whether its result depends on who asks. A component is told, so it may.
    #[must_use]
    pub fn varies_by_caller(&self) -> bool {
        match self {
            Self::Builtin(transform) => transform.varies_by_caller(),
            Self::Wasm(_) => true,
        }
    }
}

/// A function ready to run.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What runs.
    pub work: Work,
    /// What it was prepared from.
    found: Lookup,
    /// The payload it was built from.
    pub payload: Value,
    /// SHA-256 of name and payload, in hex: equal digests do the same to the same object.
    pub digest: String,
}

/// Why a function cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PrepareError {
    /// There is no such function.
    #[error("there is no function {0}")]
    NotFound(String),
    /// It is no transform.
    #[error("the function {0} runs code and is no transform")]
    RunsCode(String),
    /// It has no listings.
    #[error("the function {0} is a webhook, which lists nothing")]
    Listing(String),
    /// Its payload is no JSON object.
    #[error("the payload is not a JSON object: {0}")]
    NotJson(String),
    /// Its payload was refused.
    #[error("{0}")]
    Payload(#[from] PayloadError),
}

impl Prepared {
    /// A function with its payload.
    ///
    /// # Errors
    /// [`PrepareError::Payload`].
    pub fn new(found: &Lookup, payload: Value) -> Result<Self, PrepareError> {
        let text = payload.to_string();
        let (work, code) = match &found.code {
            FunctionCode::Builtin(name) => (Work::Builtin(build(name, &payload)?), name.clone()),
            FunctionCode::Wasm(component) => {
                let task = WasmTask {
                    name: found.name.clone(),
                    digest: component.digest.clone(),
                    memory: (component.memory_mb as usize) << 20,
                    timeout: Duration::from_secs(component.timeout_seconds.into()),
                    concurrency: component.concurrency,
                    payload: text.clone(),
                };
                (Work::Wasm(Arc::new(task)), format!("wasm:{}", component.digest))
            }
        };
        let mut hash = Sha256::new();
        hash.update(code.as_bytes());
        hash.update([0]);
        hash.update(text.as_bytes());
        let digest = HEXLOWER.encode(&hash.finalize());
        Ok(Self { work, found: found.clone(), payload, digest })
    }

    /// A built-in with its payload.
    ///
    /// # Errors
    /// [`PrepareError::Payload`].
    pub fn builtin(transform: &str, payload: Value) -> Result<Self, PrepareError> {
        Self::new(&Lookup::reserved(transform), payload)
    }

    /// The function's name.
    #[must_use]
    pub fn function(&self) -> &str {
        &self.found.name
    }

    /// What runs it, and the memory that it may have, in MB; 0 where that is not counted.
    #[must_use]
    pub fn executor(&self) -> (&'static str, u64) {
        match &self.work {
            Work::Builtin(_) => ("builtin", 0),
            Work::Wasm(task) => ("wasm", (task.memory >> 20) as u64),
        }
    }

    /// The transform with what the request's query overrides; `None` when it overrides nothing.
    ///
    /// # Errors
    /// [`PrepareError::Payload`] for a value that the payload could not have.
    pub fn overridden(&self, query: &[(String, String)]) -> Result<Option<Self>, PrepareError> {
        with_overrides(&self.payload, query).map(|payload| Self::new(&self.found, payload)).transpose()
    }
}

/// A function in the catalog, or a reserved one.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// The function's name.
    pub name: String,
    /// What it runs.
    pub code: FunctionCode,
    /// The payload that it was registered with.
    pub payload: Value,
    /// Grows with each change; 0 for a reserved one.
    pub revision: u64,
}

/// What a function runs.
#[derive(Debug, Clone, PartialEq)]
pub enum FunctionCode {
    /// The built-in transform of this name.
    Builtin(String),
    /// A Wasm component.
    Wasm(Arc<WasmComponent>),
}

impl Lookup {
    fn reserved(transform: &str) -> Self {
        Self {
            name: format!("{PREFIX}{transform}"),
            code: FunctionCode::Builtin(transform.to_owned()),
            payload: Value::Object(serde_json::Map::new()),
            revision: 0,
        }
    }
}

/// Finds what runs in the server by its function's name.
///
/// # Errors
/// [`PrepareError::NotFound`], [`PrepareError::RunsCode`].
pub fn lookup(view: &View, name: &str) -> Result<Lookup, PrepareError> {
    let not_found = || PrepareError::NotFound(name.to_owned());
    if let Some(transform) = name.strip_prefix(PREFIX) {
        let known = builtin_names().contains(&transform);
        return known.then(|| Lookup::reserved(transform)).ok_or_else(not_found);
    }
    let function = view.functions.get(name).ok_or_else(not_found)?;
    let (code, payload) = match &function.kind {
        FunctionKind::Builtin { transform, payload } => {
            (FunctionCode::Builtin(transform.clone()), payload.clone())
        }
        FunctionKind::Wasm(component) => {
            (FunctionCode::Wasm(Arc::new(component.clone())), component.payload.clone())
        }
        FunctionKind::Lambda(_) | FunctionKind::Webhook(_) | FunctionKind::Aws(_) => {
            return Err(PrepareError::RunsCode(name.to_owned()));
        }
    };
    Ok(Lookup { name: name.to_owned(), code, payload, revision: function.revision })
}

/// Checks what an OLAP would run before it is stored.
///
/// # Errors
/// As [`Functions::prepare`].
pub fn check(view: &View, function: &str, payload: Option<&str>) -> Result<(), PrepareError> {
    prepare(view, function, payload).map(|_| ())
}

/// The payload of a function under that of an OLAP: the OLAP's top-level fields win.
fn merge(function: Value, lens: Option<&str>) -> Result<Value, PrepareError> {
    let text = lens.map(str::trim).filter(|text| !text.is_empty()).unwrap_or("{}");
    let over: Value = serde_json::from_str(text).map_err(|error| PrepareError::NotJson(error.to_string()))?;
    let over = match over {
        Value::Null => serde_json::Map::new(),
        Value::Object(fields) => fields,
        other => return Err(PrepareError::NotJson(format!("it is {other}"))),
    };
    let mut merged = match function {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    };
    merged.extend(over);
    Ok(Value::Object(merged))
}

fn prepare(view: &View, function: &str, payload: Option<&str>) -> Result<Prepared, PrepareError> {
    let found = lookup(view, function)?;
    Prepared::new(&found, merge(found.payload.clone(), payload)?)
}

/// Prepared transforms, kept while nothing changes.
#[derive(Debug)]
pub struct Functions {
    prepared: moka::sync::Cache<Key, Arc<Prepared>>,
}

/// Function name, its revision, and the OLAP's payload.
type Key = (String, u64, Option<String>);

impl Default for Functions {
    fn default() -> Self {
        Self { prepared: moka::sync::Cache::new(1_000) }
    }
}

impl Functions {
    /// The transform that an OLAP's function ARN and payload mean.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub fn prepare(
        &self,
        view: &View,
        function_arn: &str,
        payload: Option<&str>,
    ) -> Result<Arc<Prepared>, PrepareError> {
        let name = FunctionArn::parse(function_arn).map_or_else(|| function_arn.to_owned(), |arn| arn.name);
        let found = lookup(view, &name)?;
        let key = (name, found.revision, payload.map(str::to_owned));
        if let Some(prepared) = self.prepared.get(&key) {
            return Ok(prepared);
        }
        let prepared = Arc::new(Prepared::new(&found, merge(found.payload.clone(), payload)?)?);
        self.prepared.insert(key, Arc::clone(&prepared));
        Ok(prepared)
    }
}

impl From<PrepareError> for ApiError {
    /// As the answer to whoever configures a function; a GET through an OLAP words it otherwise.
    fn from(error: PrepareError) -> Self {
        match &error {
            PrepareError::NotFound(_) => Self::new(
                http::StatusCode::NOT_FOUND,
                "NoSuchFunction",
                format!("{error}. The built-in ones are {}.", {
                    let names: Vec<String> = builtin_names().iter().map(|n| format!("{PREFIX}{n}")).collect();
                    names.join(", ")
                }),
            ),
            PrepareError::NotJson(_)
            | PrepareError::Payload(_)
            | PrepareError::RunsCode(_)
            | PrepareError::Listing(_) => {
                Self::new(http::StatusCode::BAD_REQUEST, "InvalidRequest", error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::{Change, Function};

    fn view(revision: u64, payload: Value) -> View {
        let mut view = View::default();
        view.apply(Change::PutFunction(Function {
            name: "thumb".into(),
            kind: FunctionKind::Builtin { transform: "resize".into(), payload },
            created: jiff::Timestamp::UNIX_EPOCH,
            updated: jiff::Timestamp::UNIX_EPOCH,
            revision,
            description: String::new(),
            network: Arc::default(),
        }));
        view
    }

    #[test]
    fn reserved_and_registered_names_are_found_and_payloads_merge() {
        let functions = Functions::default();
        let arn = |name: &str| format!("arn:aws:lambda:us-east-1:000000000000:function:{name}");
        let first = view(1, json!({"width": 10, "fit": "cover", "height": 10}));
        let found = functions.prepare(&first, &arn("thumb"), Some(r#"{"width": 20}"#)).unwrap();
        assert_eq!(found.payload, json!({"width": 20, "fit": "cover", "height": 10}));
        let again = functions.prepare(&first, &arn("thumb:$LATEST"), Some(r#"{"width": 20}"#)).unwrap();
        assert!(Arc::ptr_eq(&found, &again));
        let changed = functions.prepare(&view(2, json!({"width": 30})), &arn("thumb"), None).unwrap();
        assert_eq!(changed.payload, json!({"width": 30}));
        assert_ne!(found.digest, changed.digest);
        assert_eq!(
            functions.prepare(&first, &arn("builtin-redact"), Some("")).unwrap().found,
            Lookup::reserved("redact")
        );
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let functions = Functions::default();
        let view = View::default();
        let why = |name: &str, payload| functions.prepare(&view, name, payload).unwrap_err().to_string();
        assert_eq!(why("builtin-nope", None), "there is no function builtin-nope");
        assert!(why("builtin-redact", Some("[1]")).starts_with("the payload is not a JSON object"));
        assert!(why("builtin-redact", Some("{")).starts_with("the payload is not a JSON object"));
        assert!(why("builtin-resize", Some(r#"{"widht": 1}"#)).contains("widht"));
    }
}
