//! The documents of the Lambda API, as they are read and written.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::catalog::lambda::{Alias, EventInvoke, Settings, Version};

/// A package in a document: what its base64 says, or why it says nothing. It may have 50 MB, of which no copy is made.
#[derive(Debug)]
pub(super) struct ZipFile(pub(super) Result<Bytes, String>);

impl<'de> Deserialize<'de> for ZipFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = ZipFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64")
            }

            fn visit_str<E>(self, text: &str) -> Result<ZipFile, E> {
                let bytes = BASE64.decode(text.as_bytes()).map(Bytes::from);
                Ok(ZipFile(bytes.map_err(|error| error.to_string())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// Where code comes from: Code of CreateFunction, and all of UpdateFunctionCode.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CodeSource {
    pub(super) zip_file: Option<ZipFile>,
    pub(super) s3_bucket: Option<String>,
    pub(super) s3_key: Option<String>,
    pub(super) s3_object_version: Option<String>,
    pub(super) image_uri: Option<String>,
    pub(super) publish: bool,
    pub(super) dry_run: bool,
    pub(super) revision_id: Option<String>,
    pub(super) architectures: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct EnvironmentDocument {
    pub(super) variables: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct SizeDocument {
    pub(super) size: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TargetDocument {
    pub(super) target_arn: Option<String>,
    pub(super) destination: Option<String>,
}

/// What CreateFunction and UpdateFunctionConfiguration may say.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct FunctionDocument {
    pub(super) function_name: Option<String>,
    pub(super) runtime: Option<String>,
    pub(super) role: Option<String>,
    pub(super) handler: Option<String>,
    pub(super) description: Option<String>,
    pub(super) timeout: Option<i64>,
    pub(super) memory_size: Option<i64>,
    pub(super) publish: bool,
    pub(super) package_type: Option<String>,
    pub(super) environment: Option<EnvironmentDocument>,
    pub(super) ephemeral_storage: Option<SizeDocument>,
    pub(super) dead_letter_config: Option<TargetDocument>,
    pub(super) architectures: Option<Vec<String>>,
    pub(super) layers: Option<Vec<String>>,
    pub(super) file_system_configs: Option<Vec<Value>>,
    pub(super) tags: Option<BTreeMap<String, String>>,
    pub(super) code: Option<CodeSource>,
    pub(super) revision_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct PublishDocument {
    pub(super) code_sha256: Option<String>,
    pub(super) description: Option<String>,
    pub(super) revision_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct RoutingDocument {
    pub(super) additional_version_weights: Option<BTreeMap<String, f64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct AliasDocument {
    pub(super) name: Option<String>,
    pub(super) function_version: Option<String>,
    pub(super) description: Option<String>,
    pub(super) routing_config: Option<RoutingDocument>,
    pub(super) revision_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct PermissionDocument {
    pub(super) statement_id: Option<String>,
    pub(super) action: Option<String>,
    pub(super) principal: Option<String>,
    pub(super) source_arn: Option<String>,
    pub(super) source_account: Option<String>,
    pub(super) event_source_token: Option<String>,
    #[serde(rename = "PrincipalOrgID")]
    pub(super) principal_org_id: Option<String>,
    pub(super) function_url_auth_type: Option<String>,
    pub(super) revision_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ConcurrencyDocument {
    pub(super) reserved_concurrent_executions: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ProvisionedDocument {
    pub(super) provisioned_concurrent_executions: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct DestinationDocument {
    pub(super) on_success: Option<TargetDocument>,
    pub(super) on_failure: Option<TargetDocument>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct EventInvokeDocument {
    pub(super) maximum_retry_attempts: Option<i64>,
    pub(super) maximum_event_age_in_seconds: Option<i64>,
    pub(super) destination_config: Option<DestinationDocument>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TagsDocument {
    pub(super) tags: Option<BTreeMap<String, String>>,
}

/// FunctionConfiguration.
pub(super) fn configuration(name: &str, arn: &str, version: &Version) -> Value {
    let Version { settings, code, .. } = version;
    let Settings { runtime, handler, role, description, .. } = settings;
    let sha256 = HEXLOWER.decode(code.sha256.as_bytes()).unwrap_or_default();
    let mut all = json!({
        "FunctionName": name,
        "FunctionArn": arn,
        "Runtime": runtime,
        "Role": role,
        "Handler": handler,
        "CodeSize": code.size,
        "Description": description,
        "Timeout": settings.timeout_seconds,
        "MemorySize": settings.memory_mb,
        "LastModified": version.modified.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string(),
        "CodeSha256": BASE64.encode(&sha256),
        "Version": version.version,
        "TracingConfig": { "Mode": "PassThrough" },
        "RevisionId": version.revision_id,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": settings.architectures,
        "EphemeralStorage": { "Size": settings.ephemeral_mb },
        "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
        "LoggingConfig": { "LogFormat": "Text", "LogGroup": format!("/aws/lambda/{name}") },
    });
    if let Value::Object(fields) = &mut all {
        if !settings.environment.0.is_empty() {
            fields.insert("Environment".to_owned(), json!({ "Variables": settings.environment.0 }));
        }
        if let Some(target) = &settings.dead_letter {
            fields.insert("DeadLetterConfig".to_owned(), json!({ "TargetArn": target }));
        }
    }
    all
}

/// AliasConfiguration.
pub(super) fn alias(arn: &str, name: &str, alias: &Alias) -> Value {
    let mut all = json!({
        "AliasArn": arn,
        "Name": name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision_id,
    });
    if let Value::Object(fields) = &mut all
        && !alias.weights.is_empty()
    {
        let routing = json!({ "AdditionalVersionWeights": alias.weights });
        fields.insert("RoutingConfig".to_owned(), routing);
    }
    all
}

/// FunctionEventInvokeConfig.
pub(super) fn event_invoke(arn: &str, config: &EventInvoke) -> Value {
    let mut all = Map::new();
    // Timestamps of this document are seconds.
    let modified = config.modified.as_millisecond();
    all.insert("LastModified".to_owned(), json!(modified / 1000));
    all.insert("FunctionArn".to_owned(), json!(arn));
    if let Some(retries) = config.retries {
        all.insert("MaximumRetryAttempts".to_owned(), json!(retries));
    }
    if let Some(age) = config.age_seconds {
        all.insert("MaximumEventAgeInSeconds".to_owned(), json!(age));
    }
    let target = |arn: &Option<String>| arn.as_ref().map_or(json!({}), |arn| json!({ "Destination": arn }));
    let destinations =
        json!({ "OnSuccess": target(&config.on_success), "OnFailure": target(&config.on_failure) });
    all.insert("DestinationConfig".to_owned(), destinations);
    Value::Object(all)
}
