//! CreateFunction, GetFunction, GetFunctionConfiguration, ListFunctions, UpdateFunctionCode,
//! UpdateFunctionConfiguration, DeleteFunction.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::access_point::arn::is_function_name;
use crate::catalog::lambda::{Code, LATEST, Settings, Version};
use crate::catalog::{Change, Function, FunctionKind, LambdaFunction, View};
use crate::error::ApiError;
use crate::function::builtin::PREFIX;
use crate::function::package::MAX_ZIP;
use crate::policy::{Access, Asked};
use crate::s3::Reader;
use crate::s3::encryption::CustomerHeaders;
use crate::store::StoreError;

use super::error::{conflict, invalid, not_found};
use super::name::FunctionName;
use super::wire::{CodeSource, FunctionDocument, ZipFile, configuration};
use super::{Answer, Call, LambdaPlane, check_revision, checks, json, no_content, page, revision, versions};

/// The package that a document names, checked and not yet kept.
async fn package(
    plane: &LambdaPlane,
    call: &Call<'_>,
    source: &CodeSource,
) -> Result<(Code, Bytes), ApiError> {
    let zip = match (&source.zip_file, &source.s3_bucket, &source.s3_key) {
        (Some(ZipFile(Ok(bytes))), None, None) => bytes.clone(),
        (Some(ZipFile(Err(why))), None, None) => {
            return Err(invalid(format!("ZipFile is not base64: {why}")));
        }
        (None, Some(bucket), Some(key)) => object(plane, call, bucket, key, source).await?,
        _ if source.image_uri.is_some() => {
            return Err(invalid("ImageUri is not implemented: send the function as a zip"));
        }
        _ => {
            return Err(invalid(
                "Please provide a source for function code: ZipFile, or S3Bucket with S3Key",
            ));
        }
    };
    Ok((plane.platform.code().check(zip.clone()).await?, zip))
}

/// A package in a bucket, read with the caller's permission.
async fn object(
    plane: &LambdaPlane,
    call: &Call<'_>,
    bucket: &str,
    key: &str,
    source: &CodeSource,
) -> Result<Bytes, ApiError> {
    let failed = |error: &ApiError| {
        invalid(format!(
            "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}",
            error.code, error.message
        ))
    };
    let read = async {
        crate::s3::keys::check(key)?;
        let bucket = plane.store.buckets().get(bucket).cloned().ok_or(StoreError::NoSuchBucket)?;
        let access = Access {
            principal: call.principal,
            via: None,
            bucket: &bucket,
            key: Some(key),
            asked: Asked::of(&call.parts.headers, &call.parts.uri, &call.parts.extensions),
            accounts: &plane.accounts,
        };
        let reader = Reader { store: plane.store.as_ref(), keyring: &plane.keyring };
        let version = crate::s3::version::wanted(source.s3_object_version.as_deref())?;
        let object = reader.open(&access, key, version, CustomerHeaders::Own).await?;
        let size = object.info.size;
        if size > MAX_ZIP as u64 {
            return Err(crate::function::package::PackageError::TooLarge(
                usize::try_from(size).unwrap_or(usize::MAX),
            )
            .into());
        }
        crate::object_lambda::collect(object.read(0..size), MAX_ZIP as u64).await
    };
    read.await
        .map_err(|error| if error.status == StatusCode::PAYLOAD_TOO_LARGE { error } else { failed(&error) })
}

pub(super) async fn create(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let document: FunctionDocument = call.large_document().await?;
    let text = document.function_name.as_deref().unwrap_or_default();
    let FunctionName { name, qualifier } = FunctionName::parse(text, None, &plane.account_id)?;
    if qualifier.is_some() || !is_function_name(&name) {
        return Err(invalid("FunctionName must not have a qualifier"));
    }
    if name.starts_with(PREFIX) {
        return Err(invalid(format!("Names that begin with {PREFIX} are reserved for built-in transforms")));
    }
    if document.role.is_none() {
        return Err(super::error::constraint("role", "null", "not be null"));
    }
    let mut settings = Settings {
        runtime: String::new(),
        handler: String::new(),
        role: String::new(),
        description: String::new(),
        memory_mb: Settings::default_memory(),
        timeout_seconds: Settings::default_timeout(),
        environment: Default::default(),
        ephemeral_mb: Settings::default_ephemeral(),
        architectures: vec!["x86_64".to_owned()],
        dead_letter: None,
    };
    checks::apply(&document, &mut settings, &plane.platform)?;
    plane.check_role(call, &settings.role, &name)?;
    if settings.runtime.is_empty() || settings.handler.is_empty() {
        return Err(invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    }
    let tags = document.tags.clone().unwrap_or_default();
    checks::tags(&tags)?;
    if plane.catalog.snapshot().functions.contains_key(&name) {
        return Err(conflict(format!("Function already exist: {name}")));
    }
    let source =
        document.code.as_ref().ok_or_else(|| super::error::constraint("code", "null", "not be null"))?;
    let (code, zip) = package(plane, call, source).await?;
    let now = plane.clock.now();
    let latest = Version {
        version: LATEST.to_owned(),
        settings,
        code: code.clone(),
        revision_id: revision()?,
        modified: now,
    };
    let mut lambda = LambdaFunction {
        latest: Arc::new(latest),
        versions: Vec::new(),
        last_version: 0,
        aliases: BTreeMap::new(),
        policies: BTreeMap::new(),
        reserved_concurrency: None,
        event_invoke: BTreeMap::new(),
        provisioned: BTreeMap::new(),
        event_sources: BTreeMap::new(),
        tags,
    };
    let shown = if document.publish {
        versions::add(&mut lambda, None, now, revision()?)
    } else {
        Arc::clone(&lambda.latest)
    };
    let turn = plane.platform.code().turn().await;
    plane.platform.code().put(&turn, &code, zip).await?;
    let written = name.clone();
    let decide = move |view: &View| {
        if view.functions.contains_key(&written) {
            return Err(conflict(format!("Function already exist: {written}")));
        }
        let function = Function {
            name: written,
            kind: FunctionKind::Lambda(Box::new(lambda)),
            created: now,
            updated: now,
            revision: 1,
            description: String::new(),
            network: Arc::default(),
        };
        Ok(vec![Change::PutFunction(function)])
    };
    let written = plane.catalog.update(Box::new(decide)).await;
    if written.is_err() {
        plane.platform.code().forget(&turn, &plane.catalog.snapshot(), [code]).await;
    }
    written?;
    let qualifier = (shown.version != LATEST).then_some(shown.version.as_str());
    Ok(json(StatusCode::CREATED, &configuration(&name, &plane.arn(&name, qualifier), &shown)))
}

/// The version that a request names, with the ARN by which it does.
fn version(plane: &LambdaPlane, call: &Call<'_>) -> Result<(FunctionName, Value, View), ApiError> {
    let named = plane.named(call)?;
    let view = plane.catalog.snapshot();
    let function = plane.find(&view, &named.name)?;
    let qualifier = named.qualifier.as_deref();
    let missing = || not_found(format!("Function not found: {}", plane.arn(&named.name, qualifier)));
    let asked = qualifier.unwrap_or(LATEST);
    let version = function.aliases.get(asked).map_or(asked, |alias| &alias.version);
    let version = function.version(version).ok_or_else(missing)?;
    let document = configuration(&named.name, &plane.arn(&named.name, qualifier), version);
    Ok((named, document, View::clone(&view)))
}

pub(super) fn get_configuration(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    Ok(json(StatusCode::OK, &version(plane, call)?.1))
}

pub(super) fn get(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let (named, configuration, view) = version(plane, call)?;
    let function = plane.find(&view, &named.name)?;
    let mut answer = json!({ "Configuration": configuration, "Code": { "RepositoryType": "S3" } });
    if let Value::Object(fields) = &mut answer {
        if !function.tags.is_empty() {
            fields.insert("Tags".to_owned(), json!(function.tags));
        }
        if let Some(reserved) = function.reserved_concurrency {
            fields.insert("Concurrency".to_owned(), json!({ "ReservedConcurrentExecutions": reserved }));
        }
    }
    Ok(json(StatusCode::OK, &answer))
}

pub(super) fn list(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let (size, marker) = call.page(50);
    let view = plane.catalog.snapshot();
    let all_versions = call.query("FunctionVersion").as_deref() == Some("ALL");
    let functions = view.functions.iter().filter_map(|(name, function)| match &function.kind {
        FunctionKind::Lambda(lambda) => Some((name, lambda)),
        FunctionKind::Builtin { .. }
        | FunctionKind::Wasm(_)
        | FunctionKind::Webhook(_)
        | FunctionKind::Aws(_) => None,
    });
    let rows = functions.flat_map(|(name, lambda)| {
        let versions = lambda.all_versions().take(if all_versions { usize::MAX } else { 1 });
        versions.map(move |version| {
            let qualifier = all_versions.then_some(version.version.as_str());
            // Names hold no colon, so that the versions of one stand together.
            let at = format!("{name}:{:>20}", version.version);
            (at, configuration(name, &plane.arn(name, qualifier), version))
        })
    });
    let (functions, next) = page(rows, size, marker.as_deref());
    Ok(json(StatusCode::OK, &json!({ "Functions": functions, "NextMarker": next })))
}

pub(super) async fn update_configuration(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = unqualified(plane, call)?;
    let document: FunctionDocument = call.document()?;
    if let Some(role) = &document.role {
        checks::role(role)?;
        plane.check_role(call, role, &named.name)?;
    }
    let (platform, now, id) = (plane.platform.clone(), plane.clock.now(), revision()?);
    let shown = plane.edit(&named.name, move |_, lambda| {
        check_revision(document.revision_id.as_deref(), &lambda.latest.revision_id)?;
        let mut latest = Version::clone(&lambda.latest);
        checks::apply(&document, &mut latest.settings, &platform)?;
        (latest.revision_id, latest.modified) = (id, now);
        lambda.latest = Arc::new(latest);
        Ok(Arc::clone(&lambda.latest))
    });
    let shown = shown.await?;
    plane.platform.manager().retire(&named.name);
    Ok(json(StatusCode::OK, &configuration(&named.name, &plane.arn(&named.name, None), &shown)))
}

pub(super) async fn update_code(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = unqualified(plane, call)?;
    let document: CodeSource = call.large_document().await?;
    plane.find(&plane.catalog.snapshot(), &named.name)?;
    if let Some(architectures) = &document.architectures {
        checks::architecture(architectures)?;
    }
    let (code, zip) = package(plane, call, &document).await?;
    let (now, id, published) = (plane.clock.now(), revision()?, revision()?);
    let dry_run = document.dry_run;
    let change = move |lambda: &mut LambdaFunction, code: Code| -> Result<_, ApiError> {
        check_revision(document.revision_id.as_deref(), &lambda.latest.revision_id)?;
        let mut latest = Version::clone(&lambda.latest);
        let old = std::mem::replace(&mut latest.code, code);
        if let Some(architectures) = document.architectures {
            latest.settings.architectures = architectures;
        }
        (latest.revision_id, latest.modified) = (id, now);
        lambda.latest = Arc::new(latest);
        let shown = if document.publish {
            versions::add(lambda, None, now, published)
        } else {
            Arc::clone(&lambda.latest)
        };
        Ok((shown, old))
    };
    if dry_run {
        let view = plane.catalog.snapshot();
        let (shown, _) = change(&mut plane.find(&view, &named.name)?.clone(), code)?;
        return Ok(json(StatusCode::OK, &configuration(&named.name, &plane.arn(&named.name, None), &shown)));
    }
    let turn = plane.platform.code().turn().await;
    plane.platform.code().put(&turn, &code, zip).await?;
    let new = code.clone();
    let changed = plane.edit(&named.name, move |_, lambda| change(lambda, code)).await;
    let unused = match &changed {
        Ok((_, old)) => old.clone(),
        Err(_) => new,
    };
    plane.platform.code().forget(&turn, &plane.catalog.snapshot(), [unused]).await;
    let (shown, _) = changed?;
    plane.platform.manager().retire(&named.name);
    let qualifier = (shown.version != LATEST).then_some(shown.version.as_str());
    Ok(json(StatusCode::OK, &configuration(&named.name, &plane.arn(&named.name, qualifier), &shown)))
}

pub(super) async fn delete(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let turn = plane.platform.code().turn().await;
    let packages: Vec<Code> = {
        let view = plane.catalog.snapshot();
        plane.find(&view, &named.name)?.all_versions().map(|version| version.code.clone()).collect()
    };
    match named.qualifier.clone() {
        None => {
            let (name, owner) = (named.name.clone(), plane.clone());
            let decide = move |view: &View| {
                owner.find(view, &name)?;
                Ok(vec![Change::DeleteFunction(name)])
            };
            plane.catalog.update(Box::new(decide)).await?;
        }
        Some(qualifier) if qualifier == LATEST => {
            return Err(invalid("$LATEST version cannot be deleted without deleting the function."));
        }
        Some(qualifier) => {
            let remove = move |_: &View, lambda: &mut LambdaFunction| {
                let used = |alias: &crate::catalog::lambda::Alias| {
                    alias.version == qualifier || alias.weights.contains_key(&qualifier)
                };
                if let Some((name, _)) = lambda.aliases.iter().find(|(_, alias)| used(alias)) {
                    return Err(conflict(format!("Version {qualifier} is used by the alias {name}")));
                }
                // A version that is not there is gone already, as AWS has it.
                lambda.versions.retain(|version| version.version != qualifier);
                lambda.policies.remove(&qualifier);
                lambda.event_invoke.remove(&qualifier);
                lambda.provisioned.remove(&qualifier);
                Ok(())
            };
            plane.edit(&named.name, remove).await?;
        }
    }
    plane.platform.code().forget(&turn, &plane.catalog.snapshot(), packages).await;
    plane.platform.manager().retire(&named.name);
    Ok(no_content())
}

/// A function whose `$LATEST` is to be changed.
fn unqualified(plane: &LambdaPlane, call: &Call<'_>) -> Result<FunctionName, ApiError> {
    let named = plane.named(call)?;
    match named.qualifier.as_deref() {
        None | Some(LATEST) => Ok(named),
        Some(other) => {
            Err(invalid(format!("Only $LATEST can be changed; the name has the qualifier {other}")))
        }
    }
}
