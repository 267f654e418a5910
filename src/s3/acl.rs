//! Access control lists on the wire: headers, documents, and the four operations.

use http::{HeaderMap, StatusCode};
use s3s::dto::{
    AccessControlPolicy, GetBucketAclInput, GetBucketAclOutput, GetObjectAclInput, GetObjectAclOutput,
    PutBucketAclInput, PutBucketAclOutput, PutObjectAclInput, PutObjectAclOutput,
};
use s3s::{S3Request, S3Response, S3Result, dto};

use crate::bucket::acl::MAX_GRANTS;
use crate::bucket::{Acl, Grant, Grantee, Ownership, Permission};
use crate::catalog::canonical_id;
use crate::error::ApiError;
use crate::notification::{Event, Happened};
use crate::policy::{Access, Asked};
use crate::store::{Bucket, ObjectChange};

use super::{Api, version};

/// The header of each permission.
const GRANT_HEADERS: [(&str, Permission); 5] = [
    ("x-amz-grant-read", Permission::Read),
    ("x-amz-grant-write", Permission::Write),
    ("x-amz-grant-read-acp", Permission::ReadAcp),
    ("x-amz-grant-write-acp", Permission::WriteAcp),
    ("x-amz-grant-full-control", Permission::FullControl),
];

/// The ACL that a request's headers ask for; `None` where they say nothing.
///
/// # Errors
/// 400 InvalidArgument for a list, a grantee or a combination that there is not.
pub(super) fn of_headers(
    api: &Api,
    headers: &HeaderMap,
    owner: &str,
    bucket_owner: Option<&str>,
) -> Result<Option<Acl>, ApiError> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let mut grants = Vec::new();
    for (name, permission) in GRANT_HEADERS {
        for one in text(name).into_iter().flat_map(|list| list.split(',')) {
            grants.push(Grant { grantee: grantee_of_header(api, one.trim())?, permission });
        }
    }
    let canned = text("x-amz-acl").filter(|name| !name.is_empty());
    match (canned, grants.is_empty()) {
        (None, true) => Ok(None),
        (Some(_), false) => {
            Err(ApiError::invalid_request("Specifying both Canned ACLs and Header Grants is not allowed"))
        }
        (None, false) => limited(grants).map(Some),
        (Some(name), true) => Acl::canned(name, owner, bucket_owner).map(Some).ok_or_else(|| {
            ApiError::invalid_argument("The canned ACL is not one that S3 knows")
                .with_detail("ArgumentName", "x-amz-acl")
                .with_detail("ArgumentValue", name)
        }),
    }
}

fn limited(grants: Vec<Grant>) -> Result<Acl, ApiError> {
    if grants.len() > MAX_GRANTS {
        return Err(ApiError::invalid_request(format!("An ACL may have {MAX_GRANTS} grants")));
    }
    Ok(Acl { grants })
}

/// A grantee in a header: `id="…"`, `emailAddress="…"` or `uri="…"`.
fn grantee_of_header(api: &Api, text: &str) -> Result<Grantee, ApiError> {
    let (kind, value) = text.split_once('=').unwrap_or((text, ""));
    let value = value.trim().trim_matches('"');
    match kind.trim() {
        "id" => by_id(api, value),
        "emailAddress" => by_email(api, value),
        "uri" => by_uri(value),
        other => Err(ApiError::invalid_argument(format!(
            "A grantee is named by id, emailAddress or uri, not by {other:?}"
        ))),
    }
}

fn by_id(api: &Api, id: &str) -> Result<Grantee, ApiError> {
    match api.accounts.by_canonical_id(id) {
        Some(account) => Ok(Grantee::Account(account.account_id.clone())),
        None => Err(ApiError::invalid_argument("Invalid id")
            .with_detail("ArgumentName", "CanonicalUser/ID")
            .with_detail("ArgumentValue", id)),
    }
}

fn by_email(api: &Api, email: &str) -> Result<Grantee, ApiError> {
    match api.accounts.by_email(email) {
        Some(account) => Ok(Grantee::Account(account.account_id.clone())),
        None => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "UnresolvableGrantByEmailAddress",
            "The e-mail address you provided does not match any account on record.",
        )),
    }
}

fn by_uri(uri: &str) -> Result<Grantee, ApiError> {
    let found = Grantee::GROUPS.into_iter().find(|(_, known)| *known == uri);
    found.map(|(group, _)| group).ok_or_else(|| {
        ApiError::invalid_argument("Invalid group uri")
            .with_detail("ArgumentName", "Grantee/URI")
            .with_detail("ArgumentValue", uri)
    })
}

/// Owner and ACL of an object that a request is about to write.
///
/// # Errors
/// As [`of_headers`] and [`Access::check_acl`].
pub(super) fn of_new_object(
    api: &Api,
    access: &Access<'_>,
    headers: &HeaderMap,
) -> Result<(Option<String>, Option<Acl>), ApiError> {
    let canned = headers.get("x-amz-acl").and_then(|name| name.to_str().ok());
    let owner = access.owner_of_new(canned);
    let name = owner.as_deref().unwrap_or(&access.bucket.owner);
    let acl = of_headers(api, headers, name, Some(&access.bucket.owner))?;
    // Where ACLs are off, this one says what is so anyway.
    let says_so =
        access.ownership() == Ownership::BucketOwnerEnforced && canned == Some("bucket-owner-full-control");
    if let Some(acl) = acl.as_ref().filter(|_| !says_so) {
        access.check_acl(acl)?;
    }
    // The list that there is anyway is not kept.
    let acl = acl.filter(|acl| *acl != Acl::private(name));
    let acl = acl.filter(|_| access.ownership() != Ownership::BucketOwnerEnforced);
    Ok((owner, acl))
}

/// The ACL of a document.
fn of_document(api: &Api, document: AccessControlPolicy, owner: &str) -> Result<Acl, ApiError> {
    let named = document.owner.and_then(|owner| owner.id);
    if named.is_some_and(|named| named != canonical_id(owner)) {
        return Err(ApiError::access_denied("the document names another owner"));
    }
    let mut grants = Vec::new();
    for grant in document.grants.unwrap_or_default() {
        let grantee = grant.grantee.ok_or_else(malformed)?;
        let permission = grant.permission.as_ref().and_then(|name| Permission::of(name.as_str()));
        grants.push(Grant {
            grantee: grantee_of(api, grantee)?,
            permission: permission.ok_or_else(malformed)?,
        });
    }
    limited(grants)
}

/// A grantee in a document.
///
/// # Errors
/// 400 MalformedACLError, InvalidArgument, UnresolvableGrantByEmailAddress.
pub(super) fn grantee_of(api: &Api, grantee: dto::Grantee) -> Result<Grantee, ApiError> {
    match (grantee.id, grantee.email_address, grantee.uri) {
        (Some(id), _, _) => by_id(api, &id),
        (None, Some(email), _) => by_email(api, &email),
        (None, None, Some(uri)) => by_uri(&uri),
        (None, None, None) => Err(malformed()),
    }
}

fn malformed() -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "MalformedACLError",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

/// An ACL in a document: the groups first.
fn shown(api: &Api, acl: &Acl) -> Vec<dto::Grant> {
    let (groups, accounts): (Vec<_>, Vec<_>) =
        acl.grants.iter().partition(|grant| grant.grantee.uri().is_some());
    groups
        .into_iter()
        .chain(accounts)
        .map(|grant| dto::Grant {
            grantee: Some(shown_grantee(api, &grant.grantee)),
            permission: Some(dto::Permission::from_static(grant.permission.name())),
        })
        .collect()
}

/// A grantee in a document.
pub(super) fn shown_grantee(api: &Api, grantee: &Grantee) -> dto::Grantee {
    let kind = if grantee.uri().is_some() { "Group" } else { "CanonicalUser" };
    let mut shown = dto::Grantee {
        display_name: None,
        email_address: None,
        id: None,
        type_: dto::Type::from_static(kind),
        uri: grantee.uri().map(str::to_owned),
    };
    if let Grantee::Account(account) = grantee {
        shown.id = Some(canonical_id(account));
        shown.display_name = Some(api.accounts.name(account));
    }
    shown
}

/// The one ACL that a request to put one names: in its headers or in its document.
fn of_request(
    api: &Api,
    headers: &HeaderMap,
    document: Option<AccessControlPolicy>,
    owner: &str,
    bucket_owner: Option<&str>,
) -> Result<Acl, ApiError> {
    let in_headers = of_headers(api, headers, owner, bucket_owner)?;
    match (in_headers, document) {
        (Some(acl), _) => Ok(acl),
        (None, Some(document)) => of_document(api, document, owner),
        (None, None) => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "MissingSecurityHeader",
            "Your request was missing a required header: x-amz-acl, an x-amz-grant-… header, or a document",
        )),
    }
}

/// The caller of a request, for what is decided after its input was read.
pub(super) fn access<'a, T>(api: &'a Api, req: &'a S3Request<T>, bucket: &'a Bucket) -> Access<'a> {
    Access {
        principal: req.extensions.get(),
        via: req.extensions.get(),
        bucket,
        key: None,
        asked: Asked::of(&req.headers, &req.uri, &req.extensions),
        accounts: &api.accounts,
    }
}

pub(super) fn get_bucket(api: &Api, input: &GetBucketAclInput) -> S3Result<S3Response<GetBucketAclOutput>> {
    let bucket = api.bucket(&input.bucket)?;
    let private = Acl::private(&bucket.owner);
    let acl = bucket.config.acl.as_ref().unwrap_or(&private);
    Ok(S3Response::new(GetBucketAclOutput {
        grants: Some(shown(api, acl)),
        owner: Some(api.owner(&bucket.owner)),
    }))
}

pub(super) async fn put_bucket(
    api: &Api,
    req: S3Request<PutBucketAclInput>,
) -> S3Result<S3Response<PutBucketAclOutput>> {
    let bucket = api.bucket(&req.input.bucket)?;
    let document = req.input.access_control_policy.clone();
    let acl = of_request(api, &req.headers, document, &bucket.owner, None)?;
    access(api, &req, &bucket).check_acl(&acl)?;
    let id = bucket.id;
    api.configure(&bucket.name, move |bucket| {
        // Checked for this bucket, not for another of its name.
        if bucket.id == id {
            bucket.config.acl = Some(acl);
        }
        Ok(())
    })
    .await?;
    Ok(S3Response::new(PutBucketAclOutput::default()))
}

pub(super) async fn get_object(
    api: &Api,
    req: S3Request<GetObjectAclInput>,
) -> S3Result<S3Response<GetObjectAclOutput>> {
    let input = req.input;
    let bucket = api.bucket(&input.bucket)?;
    let wanted = version::wanted(input.version_id.as_deref())?;
    let info = api.store.head(&input.bucket, &input.key, wanted).await.map_err(ApiError::from)?;
    let owner = info.owner.as_deref().unwrap_or(&bucket.owner);
    let acl = info.acl.unwrap_or_else(|| Acl::private(owner));
    Ok(S3Response::new(GetObjectAclOutput {
        grants: Some(shown(api, &acl)),
        owner: Some(api.owner(owner)),
        request_charged: None,
    }))
}

pub(super) async fn put_object(
    api: &Api,
    req: S3Request<PutObjectAclInput>,
) -> S3Result<S3Response<PutObjectAclOutput>> {
    let bucket = api.bucket(&req.input.bucket)?;
    let wanted = version::wanted(req.input.version_id.as_deref())?;
    let key = req.input.key.clone();
    let info = api.store.head(&bucket.name, &key, wanted).await.map_err(ApiError::from)?;
    let owner = info.owner.as_deref().unwrap_or(&bucket.owner);
    let document = req.input.access_control_policy.clone();
    let acl = of_request(api, &req.headers, document, owner, Some(&bucket.owner))?;
    access(api, &req, &bucket).check_acl(&acl)?;
    let change = ObjectChange::Acl(acl);
    let info = api.store.update_object(&bucket, &key, wanted, change).await.map_err(ApiError::from)?;
    let happened = || vec![Happened::to_object(Event::AclPut, &key, api.clock.now(), &info)];
    api.tell(&bucket.name, &req.extensions, None, happened).await?;
    Ok(S3Response::new(PutObjectAclOutput::default()))
}
