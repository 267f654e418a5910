//! RenameObject: another key for an object, in one transaction and without its bytes. AWS has it for directory buckets;
//! here every bucket that has no versions has it.

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, Response, StatusCode, request};
use percent_encoding::percent_decode_str;

use crate::access_log::{Notes, Part};
use crate::bucket::Versioning;
use crate::error::ApiError;
use crate::notification::{Event, Happened};
use crate::policy::{Access, Asked, Said};
use crate::store::{ObjectInfo, Rename, StoreError, VersionRef};

use super::preconditions::require_of_rename;
use super::{Api, encryption, keys};

/// Characters of a client token (S3 API reference, RenameObject).
const MAX_TOKEN: usize = 64;
/// How often a rename is decided anew because somebody else has changed one of its keys meanwhile.
const ATTEMPTS: usize = 8;

/// Answers RenameObject.
///
/// # Errors
/// NoSuchKey; PreconditionFailed, which names the condition; 400 IdempotencyParameterMismatch for a token of another
/// rename; 409 OperationAborted where others change the keys all the time; 501 where the bucket has versions, and for an
/// object under a customer's key.
pub(super) async fn rename_object(
    api: &Api,
    access: &Access<'_>,
    to: &str,
    request: &request::Parts,
) -> Result<Response<Body>, ApiError> {
    let from = source(&request.headers, &access.bucket.name)?;
    let token = token(&request.headers)?;
    access.allow("s3:PutObject", None)?;
    if from == to {
        return Err(ApiError::invalid_request("The source and the destination of a rename must differ"));
    }
    let source = Access { key: Some(&from), ..*access };
    for _ in 0..ATTEMPTS {
        let Some(seen) = head(api, access, &from).await? else {
            source.allow_missing("s3:GetObject")?;
            source.allow("s3:DeleteObject", None)?;
            let there = head(api, access, to).await?;
            return match is_done(there.as_ref(), &from, token.as_deref())? {
                true => Ok(Response::new(Body::empty())),
                false => Err(StoreError::NoSuchKey.into()),
            };
        };
        allow(access, &source, &seen)?;
        if api.bucket(&access.bucket.name)?.config.versioning != Versioning::Off {
            return Err(ApiError::not_implemented(
                "RenameObject is not implemented for a bucket that has versions: copy the object and delete it",
            ));
        }
        let replaced = head(api, access, to).await?;
        if is_done(replaced.as_ref(), &from, token.as_deref())? {
            return Ok(Response::new(Body::empty()));
        }
        require_of_rename(&request.headers, true, Some(&seen))?;
        require_of_rename(&request.headers, false, replaced.as_ref())?;
        let encryption =
            encryption::of_renamed(&api.keyring, access.bucket, (&from, to), seen.encryption.as_ref())?;
        let (key, token) = (to.to_owned(), token.clone());
        let rename = Rename { from: from.clone(), to: key, seen, replaced, encryption, token };
        match api.store.rename(access.bucket, rename).await {
            Ok(renamed) => {
                tell(api, access, request, (&from, to), &renamed).await?;
                return Ok(Response::new(Body::empty()));
            }
            Err(StoreError::PreconditionFailed) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::new(
        StatusCode::CONFLICT,
        "OperationAborted",
        "A conflicting operation is currently in progress against this resource. Please try again.",
    ))
}

/// The key of the source: percent-encoded, with a slash or the bucket before it or without.
fn source(headers: &HeaderMap, bucket: &str) -> Result<String, ApiError> {
    const NAME: &str = "x-amz-rename-source";
    let bad =
        |why: &str| ApiError::invalid_argument(format!("{NAME} {why}")).with_detail("ArgumentName", NAME);
    let text = headers.get(NAME).ok_or_else(|| bad("must name the key of the object to rename"))?;
    let text = text.to_str().map_err(|_| bad("must be URL-encoded"))?;
    let key = match text.strip_prefix('/') {
        Some(path) => path.strip_prefix(bucket).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path),
        None => text,
    };
    let key = percent_decode_str(key).decode_utf8().map_err(|_| bad("is not UTF-8"))?.into_owned();
    keys::check(&key)?;
    Ok(key)
}

/// The client's token.
fn token(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(token) = headers.get("x-amz-client-token") else { return Ok(None) };
    match token.to_str() {
        Ok(token)
            if (1..=MAX_TOKEN).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            Ok(Some(token.to_owned()))
        }
        Ok(_) | Err(_) => Err(ApiError::invalid_argument(format!(
            "x-amz-client-token must have 1 to {MAX_TOKEN} ASCII characters that can be seen"
        ))
        .with_detail("ArgumentName", "x-amz-client-token")),
    }
}

/// What has a key, if anything.
async fn head(api: &Api, access: &Access<'_>, key: &str) -> Result<Option<ObjectInfo>, ApiError> {
    match api.store.head(&access.bucket.name, key, VersionRef::Current).await {
        Ok(info) => Ok(Some(info)),
        Err(StoreError::NoSuchKey | StoreError::DeleteMarker(..)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether the caller may: read and delete the one, write the other, with the tags and the ACL that go along.
fn allow(access: &Access<'_>, source: &Access<'_>, seen: &ObjectInfo) -> Result<(), ApiError> {
    source.allow("s3:GetObject", Some(seen))?;
    source.allow("s3:DeleteObject", Some(seen))?;
    if !seen.tags.is_empty() {
        source.allow("s3:GetObjectTagging", Some(seen))?;
        let tags = seen.tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        let said = Said { tags, ..Said::default() };
        let asked = Asked { said: Some(&said), ..access.asked };
        Access { asked, ..*access }.allow_with_write("s3:PutObjectTagging")?;
    }
    if seen.acl.is_some() {
        access.allow_with_write("s3:PutObjectAcl")?;
    }
    Ok(())
}

/// Whether what has the key came there by this very rename: the client has missed its answer.
fn is_done(there: Option<&ObjectInfo>, from: &str, token: Option<&str>) -> Result<bool, ApiError> {
    match there.and_then(|info| info.renamed.as_ref()).filter(|done| Some(done.token.as_str()) == token) {
        None => Ok(false),
        Some(done) if done.from == from => Ok(true),
        Some(_) => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "IdempotencyParameterMismatch",
            "Parameters on this idempotent request are inconsistent with parameters used in previous request(s).",
        )),
    }
}

/// To who listens, and to who reads logs, it is a copy and a delete.
async fn tell(
    api: &Api,
    access: &Access<'_>,
    request: &request::Parts,
    (from, to): (&str, &str),
    renamed: &ObjectInfo,
) -> Result<(), ApiError> {
    if let Some(notes) = Notes::of(&request.extensions) {
        notes.add(Part {
            bucket: Arc::new(access.bucket.clone()),
            operation: "REST.RENAME.OBJECT_DELETE",
            key: from.to_owned(),
            version_id: None,
            size: Some(renamed.size),
            failed: None,
        });
    }
    let now = api.clock.now();
    let happened = || {
        let copied = Happened::to_object(Event::Copy, to, now, renamed);
        vec![copied, Happened::removed(Event::Delete, from, now, None)]
    };
    api.tell(&access.bucket.name, &request.extensions, access.principal, happened).await
}

#[cfg(test)]
mod tests {
    use crate::s3::tests::{Client, element};

    #[tokio::test]
    async fn a_rename_moves_an_object_once() {
        let client = Client::new();
        client.expect(200, "PUT /bkt", &[], "").await;
        let sse =
            [("x-amz-server-side-encryption", "AES256"), ("x-amz-tagging", "a=b"), ("x-amz-meta-x", "1")];
        let put = client.send("PUT /bkt/a%20b", &sse, "content").await;
        let token = ("x-amz-client-token", "0123");
        let source = ("x-amz-rename-source", "a%20b");
        for (header, condition) in [
            (("if-match", "\"0\""), "If-Match"),
            (("x-amz-rename-source-if-match", "\"0\""), "If-Match"),
            (("x-amz-rename-source-if-none-match", "*"), "If-None-Match"),
            (("if-modified-since", "Thu, 01 Jan 2015 00:00:00 GMT"), "If-Modified-Since"),
            (
                ("x-amz-rename-source-if-unmodified-since", "Thu, 01 Jan 2015 00:00:00 GMT"),
                "If-Unmodified-Since",
            ),
        ] {
            let refused = client.expect(412, "PUT /bkt/new?renameObject", &[source, header], "").await;
            assert_eq!(element(&refused, "Condition"), condition);
        }
        let absent = ("if-none-match", "*");
        client.expect(200, "PUT /bkt/new?renameObject", &[source, token, absent], "").await;
        client.expect(404, "GET /bkt/a%20b", &[], "").await;
        let got = client.send("GET /bkt/new", &[], "").await;
        assert_eq!(got.body(), "content");
        for name in ["etag", "x-amz-server-side-encryption"] {
            assert_eq!(got.headers()[name], put.headers()[name]);
        }
        for name in ["x-amz-meta-x", "x-amz-tagging-count"] {
            assert_eq!(got.headers()[name], "1");
        }
        client.expect(200, "PUT /bkt/new?renameObject", &[source, token], "").await;
        client.expect(404, "PUT /bkt/new?renameObject", &[source], "").await;
        client.expect(404, "PUT /bkt/other?renameObject", &[source, token], "").await;
        client.expect(400, "PUT /bkt/new?renameObject", &[("x-amz-rename-source", "c"), token], "").await;
        client.expect(200, "PUT /bkt/c", &[], "other").await;
        client.expect(412, "PUT /bkt/c?renameObject", &[("x-amz-rename-source", "/new"), absent], "").await;
        client.expect(200, "PUT /bkt/c?renameObject", &[("x-amz-rename-source", "/bkt/new")], "").await;
        assert_eq!(client.expect(200, "GET /bkt/c", &[], "").await, "content");
        for (bad, code) in [("", "InvalidArgument"), ("c", "InvalidRequest"), ("%FF", "InvalidArgument")] {
            let refused =
                client.expect(400, "PUT /bkt/c?renameObject", &[("x-amz-rename-source", bad)], "").await;
            assert_eq!(element(&refused, "Code"), code);
        }
        client
            .expect(
                400,
                "PUT /bkt/d?renameObject",
                &[("x-amz-rename-source", "c"), ("x-amz-client-token", "a b")],
                "",
            )
            .await;
        let versioned = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        client.expect(200, "PUT /bkt?versioning", &[], versioned).await;
        client.expect(501, "PUT /bkt/d?renameObject", &[("x-amz-rename-source", "c")], "").await;
    }
}
