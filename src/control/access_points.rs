//! Access points: create, get, list, delete, and their policies.

use axum::body::Body;
use http::Response;

use crate::access_point::registrar::read_policy;
use crate::access_point::{NewAccessPoint, Registrar};
use crate::catalog::AccessPoint;
use crate::error::ApiError;
use crate::xml::Xml;

use super::route::Query;
use super::{block_of, document, done, no_content, no_policy, view, wire, write_block, write_policy_status};

pub(super) async fn create(
    registrar: &Registrar,
    name: &str,
    body: &[u8],
) -> Result<Response<Body>, ApiError> {
    let request: wire::CreateAccessPoint = wire::parse(body)?;
    if request.vpc_configuration.and_then(|vpc| vpc.vpc_id).is_some() {
        return Err(ApiError::not_implemented(
            "VpcConfiguration: Refract has no VPCs, and an access point that only seems to be fenced would be worse \
             than none",
        ));
    }
    if request.scope.is_some() {
        return Err(ApiError::not_implemented(
            "Scope belongs to directory buckets, which Refract does not have",
        ));
    }
    let new = NewAccessPoint {
        name: name.to_owned(),
        bucket: request.bucket.ok_or_else(|| ApiError::invalid_request("Bucket is required"))?,
        bucket_account_id: request.bucket_account_id,
        public_access_block: request.public_access_block_configuration.map(Into::into).unwrap_or_default(),
        tags: request.tags.unwrap_or_default().into_tags()?,
    };
    let point = registrar.create_access_point(new).await?;
    Ok(document("CreateAccessPointResult", |xml| {
        xml.text("AccessPointArn", &registrar.access_point_arn(&point.name)).text("Alias", &point.alias);
    }))
}

pub(super) fn get(registrar: &Registrar, name: &str) -> Result<Response<Body>, ApiError> {
    let point = registrar.find_access_point(&view(registrar), name)?;
    Ok(document("GetAccessPointResult", |xml| {
        xml.text("Name", &point.name).text("Bucket", &point.bucket).text("NetworkOrigin", "Internet");
        write_block(xml, point.public_access_block);
        xml.text("CreationDate", &point.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
            .text("Alias", &point.alias)
            .text("AccessPointArn", &registrar.access_point_arn(&point.name));
        xml.element("Endpoints", |xml| {
            xml.element("entry", |xml| {
                xml.text("key", "ipv4")
                    .text("value", &format!("s3-accesspoint.{}.amazonaws.com", registrar.region));
            });
        });
        xml.text("BucketAccountId", point.bucket_account_id.as_ref().unwrap_or(&point.account_id));
    }))
}

pub(super) async fn delete(registrar: &Registrar, name: &str) -> Result<Response<Body>, ApiError> {
    registrar.delete_access_point(name).await?;
    Ok(no_content())
}

pub(super) fn list(registrar: &Registrar, query: &Query) -> Result<Response<Body>, ApiError> {
    let view = view(registrar);
    let bucket = query.get("bucket");
    let matching = view
        .access_points_of(&registrar.account_id)
        .filter(|p| bucket.is_none_or(|bucket| p.bucket == bucket));
    let (page, next) = query.page(matching, |point| point.name.clone())?;
    Ok(document("ListAccessPointsResult", |xml| {
        xml.element("AccessPointList", |xml| {
            for point in page {
                entry(xml, registrar, point);
            }
        });
        if let Some(next) = next {
            xml.text("NextToken", &next);
        }
    }))
}

fn entry(xml: &mut Xml, registrar: &Registrar, point: &AccessPoint) {
    xml.element("AccessPoint", |xml| {
        xml.text("Name", &point.name)
            .text("NetworkOrigin", "Internet")
            .text("Bucket", &point.bucket)
            .text("AccessPointArn", &registrar.access_point_arn(&point.name))
            .text("Alias", &point.alias)
            .text("BucketAccountId", point.bucket_account_id.as_ref().unwrap_or(&point.account_id));
    });
}

pub(super) async fn put_policy(
    registrar: &Registrar,
    name: &str,
    body: &[u8],
) -> Result<Response<Body>, ApiError> {
    let text = wire::parse::<wire::PutPolicy>(body)?.policy;
    let point = registrar.find_access_point(&view(registrar), name)?;
    let block = block_of(registrar, point.public_access_block);
    let policy = read_policy(&text, &registrar.access_point_arn(name), block)?;
    registrar
        .edit_access_point(name, move |point| {
            point.policy = Some(policy);
            Ok(())
        })
        .await?;
    Ok(done())
}

pub(super) fn get_policy(registrar: &Registrar, name: &str) -> Result<Response<Body>, ApiError> {
    let point = registrar.find_access_point(&view(registrar), name)?;
    let policy = point.policy.as_ref().ok_or_else(|| no_policy(name))?;
    Ok(document("GetAccessPointPolicyResult", |xml| {
        xml.text("Policy", policy.text());
    }))
}

pub(super) async fn delete_policy(registrar: &Registrar, name: &str) -> Result<Response<Body>, ApiError> {
    registrar
        .edit_access_point(name, |point| {
            point.policy = None;
            Ok(())
        })
        .await?;
    Ok(no_content())
}

pub(super) fn policy_status(registrar: &Registrar, name: &str) -> Result<Response<Body>, ApiError> {
    let point = registrar.find_access_point(&view(registrar), name)?;
    let policy = point.policy.as_ref().ok_or_else(|| no_policy(name))?;
    let public =
        policy.is_public() && !block_of(registrar, point.public_access_block).restrict_public_buckets;
    Ok(document("GetAccessPointPolicyStatusResult", |xml| write_policy_status(xml, public)))
}
