//! From a function's name and qualifier to the version that runs.

use std::sync::Arc;

use crate::catalog::lambda::{LATEST, Version};
use crate::catalog::{FunctionKind, LambdaFunction, NetworkGrant, View};

/// A version of a function that runs code.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The function's name.
    pub name: String,
    /// What was asked for: a version, an alias or nothing.
    pub qualifier: Option<String>,
    /// The version.
    pub version: Arc<Version>,
    /// Invocations at a time that are the function's own.
    pub reserved_concurrency: Option<u32>,
    /// Of its invocations at a time, those for which workers are kept ready.
    pub provisioned: u32,
    /// What it may connect to.
    pub network: Arc<NetworkGrant>,
}

/// Why there is nothing to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No function of this name.
    #[error("there is no such function")]
    NoFunction,
    /// A built-in, which is not invoked by itself.
    #[error("it is a built-in transform, which runs through an Object Lambda access point alone")]
    Builtin,
    /// The function has neither such a version nor such an alias.
    #[error("it has no such version or alias")]
    NoQualifier,
}

/// The function of this name that runs code.
///
/// # Errors
/// [`ResolveError`].
pub fn lambda<'v>(view: &'v View, name: &str) -> Result<&'v LambdaFunction, ResolveError> {
    match view.functions.get(name).map(|function| &function.kind) {
        Some(FunctionKind::Lambda(lambda)) => Ok(lambda),
        Some(
            FunctionKind::Builtin { .. }
            | FunctionKind::Wasm(_)
            | FunctionKind::Webhook(_)
            | FunctionKind::Aws(_),
        ) => Err(ResolveError::Builtin),
        None if name.starts_with(super::builtin::PREFIX) => Err(ResolveError::Builtin),
        None => Err(ResolveError::NoFunction),
    }
}

/// The version that an invocation of `name` with `qualifier` runs. `draw` is a random number from 0 to 1, which
/// decides where an alias has weights.
///
/// # Errors
/// [`ResolveError`].
pub fn resolve(
    view: &View,
    name: &str,
    qualifier: Option<&str>,
    draw: f64,
) -> Result<Resolved, ResolveError> {
    let function = lambda(view, name)?;
    let asked = qualifier.unwrap_or(LATEST);
    let version = match function.aliases.get(asked) {
        None => asked,
        Some(alias) => {
            let mut left = draw;
            let routed = alias.weights.iter().find(|(_, weight)| {
                left -= **weight;
                left < 0.0
            });
            routed.map_or(alias.version.as_str(), |(version, _)| version)
        }
    };
    let version = function.version(version).ok_or(ResolveError::NoQualifier)?;
    Ok(Resolved {
        name: name.to_owned(),
        qualifier: qualifier.map(str::to_owned),
        version: Arc::clone(version),
        reserved_concurrency: function.reserved_concurrency,
        provisioned: function.provisioned_total(),
        network: view.functions.get(name).map(|function| Arc::clone(&function.network)).unwrap_or_default(),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::catalog::lambda::{Alias, Code, Settings};
    use crate::catalog::{Change, Function};

    pub(crate) fn version(number: &str) -> Version {
        Version {
            version: number.to_owned(),
            settings: Settings {
                runtime: "python3.12".into(),
                handler: "app.handler".into(),
                role: "arn:aws:iam::000000000000:role/r".into(),
                description: String::new(),
                memory_mb: 128,
                timeout_seconds: 3,
                environment: Default::default(),
                ephemeral_mb: 512,
                architectures: vec!["x86_64".into()],
                dead_letter: None,
            },
            code: Code { sha256: "00".into(), size: 1 },
            revision_id: format!("r{number}"),
            modified: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    pub(crate) fn view(function: LambdaFunction) -> View {
        let mut view = View::default();
        view.apply(Change::PutFunction(Function {
            name: "f".into(),
            kind: FunctionKind::Lambda(Box::new(function)),
            created: jiff::Timestamp::UNIX_EPOCH,
            updated: jiff::Timestamp::UNIX_EPOCH,
            revision: 1,
            description: String::new(),
            network: Arc::default(),
        }));
        view
    }

    pub(crate) fn function() -> LambdaFunction {
        let weights = BTreeMap::from([("2".to_owned(), 0.25)]);
        let alias =
            Alias { version: "1".into(), description: String::new(), weights, revision_id: "a".into() };
        LambdaFunction {
            latest: Arc::new(version(LATEST)),
            versions: vec![Arc::new(version("1")), Arc::new(version("2"))],
            last_version: 2,
            aliases: BTreeMap::from([("live".to_owned(), alias)]),
            policies: BTreeMap::new(),
            reserved_concurrency: Some(4),
            event_invoke: BTreeMap::new(),
            provisioned: BTreeMap::new(),
            event_sources: BTreeMap::new(),
            tags: BTreeMap::new(),
        }
    }

    #[test]
    fn versions_and_weighted_aliases_are_found() {
        let view = view(function());
        let run = |qualifier: Option<&str>, draw: f64| {
            resolve(&view, "f", qualifier, draw).map(|found| found.version.version.clone())
        };
        assert_eq!(run(None, 0.0).as_deref(), Ok(LATEST));
        assert_eq!(run(Some("2"), 0.0).as_deref(), Ok("2"));
        assert_eq!(run(Some("live"), 0.2).as_deref(), Ok("2"));
        assert_eq!(run(Some("live"), 0.3).as_deref(), Ok("1"));
        assert_eq!(run(Some("3"), 0.0), Err(ResolveError::NoQualifier));
        assert_eq!(resolve(&view, "g", None, 0.0).unwrap_err(), ResolveError::NoFunction);
        assert_eq!(resolve(&view, "builtin-redact", None, 0.0).unwrap_err(), ResolveError::Builtin);
    }

    #[test]
    fn a_record_reads_back_and_its_environment_is_not_shown() {
        let mut function = function();
        let mut latest = version(LATEST);
        latest.settings.environment.0.insert("TOKEN".into(), "s3cret".into());
        function.latest = Arc::new(latest);
        let view = view(function);
        let record = &view.functions["f"];
        let text = serde_json::to_string(&**record).unwrap();
        let again: Function = serde_json::from_str(&text).unwrap();
        assert_eq!(again, **record);
        let shown = format!("{record:?}");
        assert!(shown.contains("TOKEN") && !shown.contains("s3cret"));
    }
}
