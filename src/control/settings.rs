//! The account's public access block, and tags of points.

use axum::body::Body;
use http::{Response, StatusCode};

use crate::access_point::arn::{PointArn, PointKind};
use crate::access_point::registrar::check_tags;
use crate::access_point::{Registrar, target};
use crate::catalog::{Change, PublicAccessBlock, Tags};
use crate::error::ApiError;

use super::route::Query;
use super::{document, done, no_content, view, wire, write_switches};

pub(super) async fn put_public_access_block(
    registrar: &Registrar,
    body: &[u8],
) -> Result<Response<Body>, ApiError> {
    let block = PublicAccessBlock::from(wire::parse::<wire::Block>(body)?);
    let change = Change::PutAccountBlock(registrar.account_id.clone(), block);
    registrar.catalog.update(Box::new(move |_| Ok(vec![change]))).await?;
    Ok(done())
}

pub(super) fn get_public_access_block(registrar: &Registrar) -> Result<Response<Body>, ApiError> {
    let view = view(registrar);
    let block = view.account_blocks.get(&registrar.account_id).copied().ok_or_else(|| {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        )
    })?;
    Ok(document("PublicAccessBlockConfiguration", |xml| write_switches(xml, block)))
}

pub(super) async fn delete_public_access_block(registrar: &Registrar) -> Result<Response<Body>, ApiError> {
    let change = Change::DeleteAccountBlock(registrar.account_id.clone());
    registrar.catalog.update(Box::new(move |_| Ok(vec![change]))).await?;
    Ok(no_content())
}

/// The one ARN by which policies know what may be spelt in several ways; what is no ARN of a point stays.
pub(super) fn canonical(registrar: &Registrar, arn: &str) -> String {
    match PointArn::parse(arn) {
        Some(point) => PointArn { region: registrar.region.clone(), ..point }.to_string(),
        None => arn.to_owned(),
    }
}

fn parse(registrar: &Registrar, arn: &str) -> Result<PointArn, ApiError> {
    let parsed = PointArn::parse(arn).ok_or_else(|| {
        ApiError::invalid_request(format!(
            "{arn:?} is not the ARN of an access point, which alone has tags here"
        ))
    })?;
    if parsed.account_id == registrar.account_id {
        Ok(parsed)
    } else {
        Err(target::no_such_access_point(&parsed.name))
    }
}

async fn edit(
    registrar: &Registrar,
    arn: &str,
    edit: impl FnOnce(&mut Tags) + Send + 'static,
) -> Result<Response<Body>, ApiError> {
    let arn = parse(registrar, arn)?;
    match arn.kind {
        PointKind::AccessPoint => {
            let change = |tags: &mut Tags| {
                edit(tags);
                check_tags(tags)
            };
            registrar.edit_access_point(&arn.name, move |point| change(&mut point.tags)).await?;
        }
        PointKind::ObjectLambda => {
            let change = |tags: &mut Tags| {
                edit(tags);
                check_tags(tags)
            };
            registrar.edit_object_lambda(&arn.name, move |lens| change(&mut lens.tags)).await?;
        }
    }
    Ok(no_content())
}

pub(super) async fn tag(registrar: &Registrar, arn: &str, body: &[u8]) -> Result<Response<Body>, ApiError> {
    let new = wire::parse::<wire::TagResource>(body)?.tags.into_tags()?;
    edit(registrar, arn, move |tags| tags.extend(new)).await
}

pub(super) async fn untag(
    registrar: &Registrar,
    arn: &str,
    query: &Query,
) -> Result<Response<Body>, ApiError> {
    let keys: Vec<String> = query.all("tagKeys").map(str::to_owned).collect();
    edit(registrar, arn, move |tags| tags.retain(|key, _| !keys.contains(key))).await
}

pub(super) fn list_tags(registrar: &Registrar, arn: &str) -> Result<Response<Body>, ApiError> {
    let arn = parse(registrar, arn)?;
    let view = view(registrar);
    let tags = match arn.kind {
        PointKind::AccessPoint => registrar.find_access_point(&view, &arn.name)?.tags.clone(),
        PointKind::ObjectLambda => registrar.find_object_lambda(&view, &arn.name)?.tags.clone(),
    };
    Ok(document("ListTagsForResourceResult", |xml| {
        xml.element("Tags", |xml| {
            for (key, value) in &tags {
                xml.element("Tag", |xml| {
                    xml.text("Key", key).text("Value", value);
                });
            }
        });
    }))
}
