//! From host and path to what is meant: a pure function over a snapshot of points and buckets.

use std::sync::Arc;

use http::StatusCode;
use percent_encoding::percent_decode_str;

use crate::catalog::{AccessPoint, ObjectLambda, View};
use crate::error::ApiError;
use crate::store::Buckets;

use super::alias::{ACCESS_POINT_SUFFIX, OBJECT_LAMBDA_SUFFIX};
use super::arn::{PointArn, PointKind};
use super::host::Host;

/// What a request is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// The service itself: ListBuckets.
    Service,
    /// A bucket by its own name, which may not exist.
    Bucket(String),
    /// An access point.
    AccessPoint(Arc<AccessPoint>),
    /// An Object Lambda access point, with the access point that supports it.
    ObjectLambda(Arc<ObjectLambda>, Arc<AccessPoint>),
}

impl Target {
    /// The bucket behind it.
    #[must_use]
    pub fn bucket(&self) -> Option<&str> {
        match self {
            Self::Service => None,
            Self::Bucket(name) => Some(name),
            Self::AccessPoint(point) | Self::ObjectLambda(_, point) => Some(&point.bucket),
        }
    }
}

/// A target, and the key in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Addressed {
    /// What is meant.
    pub target: Target,
    /// The decoded key; `None` for the target itself.
    pub key: Option<String>,
    /// Whether the host names it, where SigV2 does not bind a point.
    pub in_host: bool,
}

/// Resolves a request's host and path. `service` is the service of the signature's scope, where there is one.
///
/// # Errors
/// 404 NoSuchAccessPoint, 400 InvalidAccessPointAliasError, 400 InvalidURI for a path that is no UTF-8.
pub fn resolve(
    host: Host<'_>,
    path: &str,
    service: Option<&str>,
    view: &View,
    buckets: &Buckets,
) -> Result<Addressed, ApiError> {
    let by_host = match host {
        Host::Point { label, name, account_id } => {
            let kind = match service {
                Some("s3-object-lambda") => PointKind::ObjectLambda,
                _ => PointKind::AccessPoint,
            };
            match point(kind, name, account_id, view) {
                Ok(target) => Some(target),
                // `logs-123456789012` is a legal bucket name; a point may not take it while the bucket stands.
                Err(_) if kind == PointKind::AccessPoint && buckets.contains_key(label) => {
                    Some(Target::Bucket(label.to_owned()))
                }
                Err(error) => return Err(error),
            }
        }
        Host::Label(label) => match alias(label, view) {
            Some(found) => Some(found?),
            None => buckets.contains_key(label).then(|| Target::Bucket(label.to_owned())),
        },
        Host::Account(label) => buckets.contains_key(label).then(|| Target::Bucket(label.to_owned())),
        Host::Own | Host::Bare => None,
    };
    let path = path.strip_prefix('/').unwrap_or(path);
    if let Some(target) = by_host {
        return Ok(Addressed { target, key: key(path)?, in_host: true });
    }
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    let first = decode(first)?;
    let target = if first.is_empty() {
        Target::Service
    } else {
        match alias(&first, view) {
            Some(found) => found?,
            None => Target::Bucket(first),
        }
    };
    Ok(Addressed { target, key: key(rest)?, in_host: false })
}

/// A path that is a key of the access point of this ARN, and nothing more.
///
/// # Errors
/// 404 NoSuchAccessPoint, 400 InvalidURI for a path that is no UTF-8.
pub fn in_point(arn: &str, path: &str, view: &View) -> Result<Addressed, ApiError> {
    let arn = PointArn::parse(arn).ok_or_else(|| no_such_access_point(arn))?;
    let target = by_arn(&arn, view)?;
    let key = key(path.strip_prefix('/').unwrap_or(path))?;
    Ok(Addressed { target, key, in_host: true })
}

/// The point that an ARN names.
///
/// # Errors
/// 404 NoSuchAccessPoint.
pub fn by_arn(arn: &PointArn, view: &View) -> Result<Target, ApiError> {
    point(arn.kind, &arn.name, &arn.account_id, view)
}

/// The point of which `label` is the alias; `None` when it has not the shape of one.
#[must_use]
pub fn alias(label: &str, view: &View) -> Option<Result<Target, ApiError>> {
    if label.ends_with(OBJECT_LAMBDA_SUFFIX) {
        let found = view.object_lambda_aliases.get(label).map(|lens| object_lambda(lens, view));
        return Some(found.unwrap_or_else(|| Err(no_such_alias(label))));
    }
    if label.ends_with(ACCESS_POINT_SUFFIX) {
        let found = view.access_point_aliases.get(label).cloned().map(Target::AccessPoint);
        return Some(found.ok_or_else(|| no_such_alias(label)));
    }
    None
}

fn point(kind: PointKind, name: &str, account_id: &str, view: &View) -> Result<Target, ApiError> {
    match kind {
        PointKind::AccessPoint => view
            .access_point(account_id, name)
            .cloned()
            .map(Target::AccessPoint)
            .ok_or_else(|| no_such_access_point(name)),
        PointKind::ObjectLambda => view
            .object_lambda(account_id, name)
            .ok_or_else(|| no_such_access_point(name))
            .and_then(|lens| object_lambda(lens, view)),
    }
}

fn object_lambda(lens: &Arc<ObjectLambda>, view: &View) -> Result<Target, ApiError> {
    let arn = PointArn::parse(&lens.configuration.supporting_access_point);
    let supporting = arn.and_then(|arn| view.access_point(&arn.account_id, &arn.name).cloned());
    let supporting = supporting.ok_or_else(|| {
        no_such_access_point(&lens.configuration.supporting_access_point)
            .with_internal(format!("the access point that supports {} is gone", lens.name))
    })?;
    Ok(Target::ObjectLambda(Arc::clone(lens), supporting))
}

/// 404 NoSuchAccessPoint.
#[must_use]
pub fn no_such_access_point(name: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "NoSuchAccessPoint", "The specified accesspoint does not exist")
        .with_detail("AccessPointName", name)
}

fn no_such_alias(label: &str) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "InvalidAccessPointAliasError",
        "The specified access point alias is not valid: no access point has it. List them with \
         `refract access-point list` and `refract object-lambda list`.",
    )
    .with_detail("Alias", label)
}

fn key(path: &str) -> Result<Option<String>, ApiError> {
    if path.is_empty() { Ok(None) } else { decode(path).map(Some) }
}

fn decode(text: &str) -> Result<String, ApiError> {
    percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "InvalidURI",
            "Couldn't parse the specified URI: the bucket and key must be percent-encoded UTF-8",
        )
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::access_point::host;
    use crate::catalog::{Change, ObjectLambdaConfiguration};
    use crate::store::Bucket;

    fn fixture() -> (View, Buckets) {
        let mut view = View::default();
        view.apply(Change::PutAccessPoint(AccessPoint {
            name: "ap1".into(),
            account_id: "123456789012".into(),
            bucket: "photos".into(),
            bucket_account_id: None,
            alias: "ap1-x-s3alias".into(),
            created: Timestamp::UNIX_EPOCH,
            public_access_block: Default::default(),
            policy: None,
            tags: Default::default(),
        }));
        view.apply(Change::PutObjectLambda(ObjectLambda {
            name: "ap1".into(),
            account_id: "123456789012".into(),
            alias: "ap1-y--ol-s3".into(),
            created: Timestamp::UNIX_EPOCH,
            configuration: ObjectLambdaConfiguration {
                supporting_access_point: "arn:aws:s3:us-east-1:123456789012:accesspoint/ap1".into(),
                cloud_watch_metrics: false,
                allowed_features: vec![],
                transformations: vec![],
            },
            public_access_block: Default::default(),
            policy: None,
            tags: Default::default(),
            revision: 1,
        }));
        let bucket = |name: &str| {
            let name = name.to_owned();
            let bucket = Bucket {
                name: name.clone(),
                id: 1,
                created: Timestamp::UNIX_EPOCH,
                region: "us-east-1".into(),
                owner: "123456789012".into(),
                config: Default::default(),
            };
            (name, Arc::new(bucket))
        };
        (view, Buckets::from([bucket("photos"), bucket("logs-123456789012")]))
    }

    fn shown(host: &str, path: &str, service: &str) -> String {
        let (view, buckets) = fixture();
        match resolve(host::parse(host, &[]), path, Some(service), &view, &buckets) {
            Err(error) => error.code.into_owned(),
            Ok(found) => {
                let target = match &found.target {
                    Target::Service => "service".to_owned(),
                    Target::Bucket(name) => format!("bucket {name}"),
                    Target::AccessPoint(point) => format!("point {}", point.name),
                    Target::ObjectLambda(lens, point) => format!("lens {} over {}", lens.name, point.name),
                };
                format!("{target} {:?} {}", found.key.unwrap_or_default(), found.in_host)
            }
        }
    }

    #[test]
    fn every_form_of_address_leads_to_its_target() {
        let own = "127.0.0.1:9000";
        for (host, path, service, expected) in [
            (own, "/", "s3", r#"service "" false"#),
            (own, "/photos", "s3", r#"bucket photos "" false"#),
            (own, "/photos/a%20b//c/", "s3", r#"bucket photos "a b//c/" false"#),
            (own, "/nope/k", "s3", r#"bucket nope "k" false"#),
            (own, "/ap1-x-s3alias/k", "s3", r#"point ap1 "k" false"#),
            (own, "/ap1-y--ol-s3/k", "s3", r#"lens ap1 over ap1 "k" false"#),
            (own, "/gone-s3alias/k", "s3", "InvalidAccessPointAliasError"),
            (own, "/gone--ol-s3/k", "s3", "InvalidAccessPointAliasError"),
            (own, "/photos/%ff", "s3", "InvalidURI"),
            ("ap1-123456789012.localhost", "/photos/k", "s3", r#"point ap1 "photos/k" true"#),
            ("ap1-123456789012.localhost", "/k", "s3-object-lambda", r#"lens ap1 over ap1 "k" true"#),
            ("ap2-123456789012.localhost", "/k", "s3", "NoSuchAccessPoint"),
            ("ap1-000000000000.localhost", "/k", "s3", "NoSuchAccessPoint"),
            ("logs-123456789012.localhost", "/k", "s3", r#"bucket logs-123456789012 "k" true"#),
            ("ap1-y--ol-s3.localhost", "/k", "s3", r#"lens ap1 over ap1 "k" true"#),
            ("photos.localhost", "/k", "s3", r#"bucket photos "k" true"#),
            ("refract.example.org", "/photos/k", "s3", r#"bucket photos "k" false"#),
        ] {
            assert_eq!(shown(host, path, service), expected, "{host}{path} {service}");
        }
    }
}
