//! The environment of a function's process: what AWS's runtimes give, and what has AWS's SDKs come to this server.

use std::collections::BTreeMap;
use std::path::Path;

use crate::auth::KeyRecord;
use crate::function::runtime::Spec;

/// Where a process finds things.
#[derive(Debug)]
pub(super) struct Places<'a> {
    /// The unpacked package.
    pub(super) task: &'a Path,
    /// Our runtime clients.
    pub(super) runtime: &'a Path,
    /// `/tmp`, or what stands for it.
    pub(super) temporary: &'a Path,
    /// The file of [`AWS_CONFIG`].
    pub(super) config: &'a Path,
    /// What AWS's images bring, where it is installed.
    pub(super) packages: Option<&'a Path>,
}

/// boto3 cannot sign a body that it cannot read twice, and over plain HTTP it would try.
pub(super) const AWS_CONFIG: &str = "[default]\ns3 =\n  payload_signing_enabled = false\n";

/// Variables by name.
pub(super) type Variables = BTreeMap<String, String>;

/// The variables of a worker. The function's own come after those that may be changed and before those that may not.
pub(super) fn variables(
    spec: &Spec,
    places: &Places<'_>,
    key: (&str, &KeyRecord),
    gateway: &str,
    runtime_api: &str,
    stream: &str,
) -> Variables {
    let shown = |path: &Path| path.display().to_string();
    let settings = &spec.version.settings;
    let mut all = Variables::new();
    let mut set = |name: &str, value: &str| {
        all.insert(name.to_owned(), value.to_owned());
    };
    set("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin");
    set("LANG", "C.UTF-8");
    set("TZ", ":UTC");
    set("HOME", &shown(places.temporary));
    set("TMPDIR", &shown(places.temporary));
    set("AWS_EC2_METADATA_DISABLED", "true");
    set("AWS_ENDPOINT_URL", gateway);
    set("AWS_DISABLE_HOST_PREFIX_INJECTION", "true");
    set("AWS_CONFIG_FILE", &shown(places.config));
    set("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    set("NO_PROXY", "127.0.0.1,localhost");
    set("no_proxy", "127.0.0.1,localhost");
    set("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(packages) = places.packages {
        set("PYTHONPATH", &shown(packages));
        set(
            "NODE_PATH",
            &format!("{}:{}/node_modules", shown(&packages.join("node_modules")), shown(places.task)),
        );
    }
    for (name, value) in &settings.environment.0 {
        set(name, value);
    }
    let (id, record) = key;
    set("_HANDLER", &settings.handler);
    set("LAMBDA_TASK_ROOT", &shown(places.task));
    set("LAMBDA_RUNTIME_DIR", &shown(places.runtime));
    set("AWS_LAMBDA_RUNTIME_API", runtime_api);
    set("AWS_LAMBDA_FUNCTION_NAME", &spec.name);
    set("AWS_LAMBDA_FUNCTION_VERSION", &spec.version.version);
    set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &settings.memory_mb.to_string());
    set("AWS_LAMBDA_LOG_GROUP_NAME", &format!("/aws/lambda/{}", spec.name));
    set("AWS_LAMBDA_LOG_STREAM_NAME", stream);
    let initialization = if spec.provisioned { "provisioned-concurrency" } else { "on-demand" };
    set("AWS_LAMBDA_INITIALIZATION_TYPE", initialization);
    set("AWS_EXECUTION_ENV", &format!("AWS_Lambda_{}", settings.runtime));
    set("AWS_REGION", &spec.region);
    set("AWS_DEFAULT_REGION", &spec.region);
    set("AWS_ACCESS_KEY_ID", id);
    set("AWS_SECRET_ACCESS_KEY", record.secret.expose());
    set("AWS_SESSION_TOKEN", record.session_token.as_ref().map_or("", |token| token.expose()));
    all
}

/// Names that a function's configuration may not set (Lambda developer guide, "Defined runtime environment variables").
pub const RESERVED: [&str; 16] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
];
