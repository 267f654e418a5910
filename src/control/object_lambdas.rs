//! Object Lambda access points: create, get, list, delete, their configuration and policies.

use axum::body::Body;
use http::Response;

use crate::access_point::registrar::read_policy;
use crate::access_point::{NewObjectLambda, Registrar};
use crate::error::ApiError;
use crate::xml::Xml;

use super::route::Query;
use super::{block_of, document, done, no_content, no_policy, view, wire, write_block, write_policy_status};

pub(super) async fn create(
    registrar: &Registrar,
    name: &str,
    body: &[u8],
) -> Result<Response<Body>, ApiError> {
    let configuration = wire::parse::<wire::Configured>(body)?.configuration.into();
    let new = NewObjectLambda { name: name.to_owned(), configuration };
    let lens = registrar.create_object_lambda(new).await?;
    Ok(document("CreateAccessPointForObjectLambdaResult", |xml| {
        xml.text("ObjectLambdaAccessPointArn", &registrar.object_lambda_arn(&lens.name));
        write_alias(xml, &lens.alias);
    }))
}

fn write_alias(xml: &mut Xml, alias: &str) {
    xml.element("Alias", |xml| {
        xml.text("Value", alias).text("Status", "READY");
    });
}

pub(super) fn get(registrar: &Registrar, name: &str) -> Result<Response<Body>, ApiError> {
    let lens = registrar.find_object_lambda(&view(registrar), name)?;
    Ok(document("GetAccessPointForObjectLambdaResult", |xml| {
        xml.text("Name", &lens.name);
        write_block(xml, lens.public_access_block);
        xml.text("CreationDate", &lens.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        write_alias(xml, &lens.alias);
    }))
}

pub(super) async fn delete(registrar: &Registrar, name: &str) -> Result<Response<Body>, ApiError> {
    registrar.delete_object_lambda(name).await?;
    Ok(no_content())
}

pub(super) fn list(registrar: &Registrar, query: &Query) -> Result<Response<Body>, ApiError> {
    let view = view(registrar);
    let (page, next) = query.page(view.object_lambdas_of(&registrar.account_id), |lens| lens.name.clone())?;
    Ok(document("ListAccessPointsForObjectLambdaResult", |xml| {
        xml.element("ObjectLambdaAccessPointList", |xml| {
            for lens in page {
                xml.element("ObjectLambdaAccessPoint", |xml| {
                    xml.text("Name", &lens.name)
                        .text("ObjectLambdaAccessPointArn", &registrar.object_lambda_arn(&lens.name));
                    write_alias(xml, &lens.alias);
                });
            }
        });
        if let Some(next) = next {
            xml.text("NextToken", &next);
        }
    }))
}

pub(super) async fn put_configuration(
    registrar: &Registrar,
    name: &str,
    body: &[u8],
) -> Result<Response<Body>, ApiError> {
    let configuration = wire::parse::<wire::Configured>(body)?.configuration.into();
    registrar
        .edit_object_lambda(name, move |lens| {
            lens.configuration = configuration;
            Ok(())
        })
        .await?;
    Ok(done())
}

pub(super) fn get_configuration(registrar: &Registrar, name: &str) -> Result<Response<Body>, ApiError> {
    let lens = registrar.find_object_lambda(&view(registrar), name)?;
    let configuration = &lens.configuration;
    Ok(document("GetAccessPointConfigurationForObjectLambdaResult", |xml| {
        xml.element("Configuration", |xml| {
            xml.text("SupportingAccessPoint", &configuration.supporting_access_point)
                .text(
                    "CloudWatchMetricsEnabled",
                    if configuration.cloud_watch_metrics { "true" } else { "false" },
                )
                .element("AllowedFeatures", |xml| {
                    for feature in &configuration.allowed_features {
                        xml.text("AllowedFeature", feature);
                    }
                })
                .element("TransformationConfigurations", |xml| {
                    for transformation in &configuration.transformations {
                        write_transformation(xml, transformation);
                    }
                });
        });
    }))
}

fn write_transformation(xml: &mut Xml, transformation: &crate::catalog::Transformation) {
    xml.element("TransformationConfiguration", |xml| {
        xml.element("Actions", |xml| {
            for action in &transformation.actions {
                xml.text("Action", action);
            }
        });
        xml.element("ContentTransformation", |xml| {
            xml.element("AwsLambda", |xml| {
                xml.text("FunctionArn", &transformation.function_arn);
                if let Some(payload) = &transformation.payload {
                    xml.text("FunctionPayload", payload);
                }
            });
        });
    });
}

pub(super) async fn put_policy(
    registrar: &Registrar,
    name: &str,
    body: &[u8],
) -> Result<Response<Body>, ApiError> {
    let text = wire::parse::<wire::PutPolicy>(body)?.policy;
    let lens = registrar.find_object_lambda(&view(registrar), name)?;
    let block = block_of(registrar, lens.public_access_block);
    let policy = read_policy(&text, &registrar.object_lambda_arn(name), block)?;
    registrar
        .edit_object_lambda(name, move |lens| {
            lens.policy = Some(policy);
            Ok(())
        })
        .await?;
    Ok(done())
}

pub(super) fn get_policy(registrar: &Registrar, name: &str) -> Result<Response<Body>, ApiError> {
    let lens = registrar.find_object_lambda(&view(registrar), name)?;
    let policy = lens.policy.as_ref().ok_or_else(|| no_policy(name))?;
    Ok(document("GetAccessPointPolicyForObjectLambdaResult", |xml| {
        xml.text("Policy", policy.text());
    }))
}

pub(super) async fn delete_policy(registrar: &Registrar, name: &str) -> Result<Response<Body>, ApiError> {
    registrar
        .edit_object_lambda(name, |lens| {
            lens.policy = None;
            Ok(())
        })
        .await?;
    Ok(no_content())
}

pub(super) fn policy_status(registrar: &Registrar, name: &str) -> Result<Response<Body>, ApiError> {
    let lens = registrar.find_object_lambda(&view(registrar), name)?;
    let policy = lens.policy.as_ref().ok_or_else(|| no_policy(name))?;
    let public = policy.is_public() && !block_of(registrar, lens.public_access_block).restrict_public_buckets;
    Ok(document("GetAccessPointPolicyStatusForObjectLambdaResult", |xml| write_policy_status(xml, public)))
}
