//! The XML that comes in, read by serde.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::catalog::{ObjectLambdaConfiguration, PublicAccessBlock, Tags, Transformation};
use crate::error::ApiError;

/// Reads a request document.
///
/// # Errors
/// 400 MalformedXML that says where.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let malformed = |why: String| {
        ApiError::new(
            http::StatusCode::BAD_REQUEST,
            "MalformedXML",
            format!(
                "The XML you provided was not well-formed or did not validate against our published schema: {why}"
            ),
        )
    };
    let text = std::str::from_utf8(body).map_err(|error| malformed(error.to_string()))?;
    if text.contains("<!DOCTYPE") {
        return Err(malformed("a document type declaration is not allowed".to_owned()));
    }
    quick_xml::de::from_str(text).map_err(|error| malformed(error.to_string()))
}

/// `CreateAccessPointRequest`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateAccessPoint {
    pub(super) bucket: Option<String>,
    pub(super) vpc_configuration: Option<Vpc>,
    pub(super) public_access_block_configuration: Option<Block>,
    pub(super) bucket_account_id: Option<String>,
    pub(super) scope: Option<serde::de::IgnoredAny>,
    pub(super) tags: Option<TagSet>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Vpc {
    pub(super) vpc_id: Option<String>,
}

/// `PublicAccessBlockConfiguration`: what is missing is off, as AWS has it in a given configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[allow(clippy::struct_excessive_bools, reason = "AWS's own shape")]
pub(super) struct Block {
    block_public_acls: bool,
    ignore_public_acls: bool,
    block_public_policy: bool,
    restrict_public_buckets: bool,
}

impl From<Block> for PublicAccessBlock {
    fn from(block: Block) -> Self {
        Self {
            block_public_acls: block.block_public_acls,
            ignore_public_acls: block.ignore_public_acls,
            block_public_policy: block.block_public_policy,
            restrict_public_buckets: block.restrict_public_buckets,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct TagSet {
    #[serde(rename = "Tag", default)]
    tags: Vec<Tag>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

impl TagSet {
    /// The tags.
    ///
    /// # Errors
    /// 400 InvalidTag for a key that stands twice.
    pub(super) fn into_tags(self) -> Result<Tags, ApiError> {
        let mut tags = Tags::new();
        for tag in self.tags {
            if tags.insert(tag.key.clone(), tag.value).is_some() {
                return Err(ApiError::new(
                    http::StatusCode::BAD_REQUEST,
                    "InvalidTag",
                    format!("The tag key {:?} stands twice", tag.key),
                ));
            }
        }
        Ok(tags)
    }
}

/// `TagResourceRequest`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagResource {
    pub(super) tags: TagSet,
}

/// `PutAccessPointPolicyRequest` and `PutAccessPointPolicyForObjectLambdaRequest`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutPolicy {
    pub(super) policy: String,
}

/// `CreateAccessPointForObjectLambdaRequest` and `PutAccessPointConfigurationForObjectLambdaRequest`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Configured {
    pub(super) configuration: Configuration,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Configuration {
    supporting_access_point: String,
    #[serde(default)]
    cloud_watch_metrics_enabled: bool,
    #[serde(default)]
    allowed_features: Features,
    #[serde(default)]
    transformation_configurations: Transformations,
}

#[derive(Debug, Default, Deserialize)]
struct Features {
    #[serde(rename = "AllowedFeature", default)]
    features: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Transformations {
    #[serde(rename = "TransformationConfiguration", default)]
    transformations: Vec<TransformationConfiguration>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TransformationConfiguration {
    #[serde(default)]
    actions: Actions,
    content_transformation: ContentTransformation,
}

#[derive(Debug, Default, Deserialize)]
struct Actions {
    #[serde(rename = "Action", default)]
    actions: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContentTransformation {
    aws_lambda: AwsLambda,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AwsLambda {
    function_arn: String,
    function_payload: Option<String>,
}

impl From<Configuration> for ObjectLambdaConfiguration {
    fn from(wire: Configuration) -> Self {
        let transformations = wire.transformation_configurations.transformations.into_iter().map(|one| {
            let AwsLambda { function_arn, function_payload } = one.content_transformation.aws_lambda;
            Transformation { actions: one.actions.actions, function_arn, payload: function_payload }
        });
        Self {
            supporting_access_point: wire.supporting_access_point,
            cloud_watch_metrics: wire.cloud_watch_metrics_enabled,
            allowed_features: wire.allowed_features.features,
            transformations: transformations.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read_as_clients_write_it() {
        let body = r#"<CreateAccessPointForObjectLambdaRequest xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/">
            <Configuration><SupportingAccessPoint>arn:x</SupportingAccessPoint>
            <AllowedFeatures><AllowedFeature>GetObject-Range</AllowedFeature></AllowedFeatures>
            <TransformationConfigurations><TransformationConfiguration><Actions><Action>GetObject</Action>
            <Action>HeadObject</Action></Actions><ContentTransformation><AwsLambda><FunctionArn>arn:f</FunctionArn>
            <FunctionPayload>{&quot;a&quot;: &quot;&lt;b&gt;&quot;}</FunctionPayload></AwsLambda></ContentTransformation>
            </TransformationConfiguration></TransformationConfigurations></Configuration>
            </CreateAccessPointForObjectLambdaRequest>"#;
        let read: ObjectLambdaConfiguration =
            parse::<Configured>(body.as_bytes()).unwrap().configuration.into();
        assert_eq!(read.allowed_features, ["GetObject-Range"]);
        let one = &read.transformations[0];
        assert_eq!((one.actions.len(), one.payload.as_deref()), (2, Some(r#"{"a": "<b>"}"#)));
    }

    #[test]
    fn what_is_not_xml_or_declares_entities_is_refused() {
        for body in ["", "<a", "<!DOCTYPE x [<!ENTITY e 'x'>]><R><Policy>&e;</Policy></R>", "<R></R>"] {
            assert_eq!(parse::<PutPolicy>(body.as_bytes()).unwrap_err().code, "MalformedXML", "{body}");
        }
    }
}
