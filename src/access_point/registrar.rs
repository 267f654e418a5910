//! Creates, changes and deletes points: the rules that the S3 Control plane and the admin API share.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::StatusCode;

use crate::catalog::{
    AccessPoint, Catalog, Change, ObjectLambda, ObjectLambdaConfiguration, PublicAccessBlock, Tags, View,
    point_key,
};
use crate::clock::Clock;
use crate::error::ApiError;
use crate::function::{self, PrepareError};
use crate::policy::{Policy, ResourcePolicy};
use crate::store::{Store, StoreError};

use super::arn::{FunctionArn, PointArn, PointKind, point_arn};
use super::{alias, names, target};

/// Access points of an account (S3 user guide, "Access points restrictions and limitations").
const MAX_ACCESS_POINTS: usize = 10_000;
/// Object Lambda access points of an account.
const MAX_OBJECT_LAMBDAS: usize = 1_000;
/// Tags of a point.
const MAX_TAGS: usize = 50;

/// AllowedFeatures that there are.
pub const FEATURES: [&str; 4] =
    ["GetObject-Range", "GetObject-PartNumber", "HeadObject-Range", "HeadObject-PartNumber"];
/// Actions that there are.
pub const ACTIONS: [&str; 4] = ["GetObject", "HeadObject", "ListObjects", "ListObjectsV2"];

/// An access point about to be created.
#[derive(Debug, Clone)]
pub struct NewAccessPoint {
    /// Name.
    pub name: String,
    /// Its bucket.
    pub bucket: String,
    /// The account that owns the bucket, where that is another one: only who knows it names it.
    pub bucket_account_id: Option<String>,
    /// Fixed at creation.
    pub public_access_block: PublicAccessBlock,
    /// Tags.
    pub tags: Tags,
}

/// An Object Lambda access point about to be created.
#[derive(Debug, Clone)]
pub struct NewObjectLambda {
    /// Name.
    pub name: String,
    /// What it reads and how it transforms.
    pub configuration: ObjectLambdaConfiguration,
}

/// Creates, changes and deletes points.
#[derive(Debug, Clone)]
pub struct Registrar {
    /// The catalog.
    pub catalog: Arc<dyn Catalog>,
    /// The store, which knows the buckets.
    pub store: Arc<dyn Store>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The account whose points these are.
    pub account_id: String,
    /// The account whose functions run here.
    pub functions: String,
    /// The region that ARNs name.
    pub region: String,
}

impl Registrar {
    /// That of another account.
    #[must_use]
    pub fn of(&self, account_id: &str) -> Self {
        Self { account_id: account_id.to_owned(), ..self.clone() }
    }

    /// The access point of this account by its name.
    ///
    /// # Errors
    /// 404 NoSuchAccessPoint.
    pub fn find_access_point(&self, view: &View, name: &str) -> Result<Arc<AccessPoint>, ApiError> {
        find_access_point(view, &self.account_id, name)
    }

    /// The Object Lambda access point of this account by its name.
    ///
    /// # Errors
    /// 404 NoSuchAccessPoint.
    pub fn find_object_lambda(&self, view: &View, name: &str) -> Result<Arc<ObjectLambda>, ApiError> {
        find_object_lambda(view, &self.account_id, name)
    }

    /// The ARN of an access point of this account.
    #[must_use]
    pub fn access_point_arn(&self, name: &str) -> String {
        self.arn(PointKind::AccessPoint, name)
    }

    /// The ARN of an Object Lambda access point of this account.
    #[must_use]
    pub fn object_lambda_arn(&self, name: &str) -> String {
        self.arn(PointKind::ObjectLambda, name)
    }

    /// The ARN of a function of this account.
    #[must_use]
    pub fn function_arn(&self, name: &str) -> String {
        let Self { region, account_id, .. } = self;
        format!("arn:aws:lambda:{region}:{account_id}:function:{name}")
    }

    fn arn(&self, kind: PointKind, name: &str) -> String {
        point_arn(kind, &self.region, &self.account_id, name)
    }

    /// Creates an access point.
    ///
    /// # Errors
    /// InvalidRequest for a name, 404 NoSuchBucket, 403 AccessDenied for a bucket of another account than is named, 409
    /// AccessPointAlreadyOwnedByYou, 400 TooManyAccessPoints.
    pub async fn create_access_point(&self, new: NewAccessPoint) -> Result<Arc<AccessPoint>, ApiError> {
        names::check_access_point(&new.name)?;
        check_tags(&new.tags)?;
        let buckets = self.store.buckets();
        let Some(bucket) = buckets.get(&new.bucket) else {
            return Err(ApiError::from(StoreError::NoSuchBucket).with_detail("BucketName", new.bucket));
        };
        // Anybody may point at a bucket, and nothing opens by that; but nobody does so by mistake.
        let named = new.bucket_account_id.as_deref().unwrap_or(&self.account_id);
        if bucket.owner != named {
            return Err(ApiError::access_denied(format!(
                "bucket {} belongs to account {}, not to {named}: BucketAccountId must name it",
                new.bucket, bucket.owner
            )));
        }
        let bucket_account_id = Some(bucket.owner.clone());
        let label = format!("{}-{}", new.name, self.account_id);
        if buckets.contains_key(&label) {
            return Err(ApiError::invalid_request(format!(
                "The access point name {} would hide the bucket {label}, whose host name it shares.",
                new.name
            )));
        }
        let point = AccessPoint {
            alias: alias::new_access_point(&new.name)?,
            name: new.name,
            account_id: self.account_id.clone(),
            bucket: new.bucket,
            bucket_account_id,
            created: self.clock.now(),
            public_access_block: new.public_access_block,
            policy: None,
            tags: new.tags,
        };
        let answer = Arc::new(point.clone());
        let decide = move |view: &View| {
            if view.access_point(&point.account_id, &point.name).is_some() {
                return Err(already_owned(&point.name));
            }
            if view.access_points_of(&point.account_id).count() >= MAX_ACCESS_POINTS {
                return Err(too_many("access points", MAX_ACCESS_POINTS));
            }
            Ok(vec![Change::PutAccessPoint(point)])
        };
        self.catalog.update(Box::new(decide)).await?;
        Ok(answer)
    }

    /// Deletes an access point. OLAPs over it stay, and answer 404 until it is there again.
    ///
    /// # Errors
    /// 404 NoSuchAccessPoint.
    pub async fn delete_access_point(&self, name: &str) -> Result<(), ApiError> {
        let (account, name) = (self.account_id.clone(), name.to_owned());
        let decide = move |view: &View| {
            find_access_point(view, &account, &name)?;
            Ok(vec![Change::DeleteAccessPoint(point_key(&account, &name))])
        };
        self.catalog.update(Box::new(decide)).await
    }

    /// Changes what may change of an access point: policy and tags.
    ///
    /// # Errors
    /// 404 NoSuchAccessPoint, and what `edit` answers.
    pub async fn edit_access_point(
        &self,
        name: &str,
        edit: impl FnOnce(&mut AccessPoint) -> Result<(), ApiError> + Send + 'static,
    ) -> Result<(), ApiError> {
        let (account, name) = (self.account_id.clone(), name.to_owned());
        let decide = move |view: &View| {
            let mut point = AccessPoint::clone(&*find_access_point(view, &account, &name)?);
            edit(&mut point)?;
            Ok(vec![Change::PutAccessPoint(point)])
        };
        self.catalog.update(Box::new(decide)).await
    }

    /// Creates an Object Lambda access point.
    ///
    /// # Errors
    /// InvalidRequest that names the field, 404 NoSuchAccessPoint for the supporting one, 409
    /// AccessPointAlreadyOwnedByYou, 400 TooManyAccessPoints.
    pub async fn create_object_lambda(&self, new: NewObjectLambda) -> Result<Arc<ObjectLambda>, ApiError> {
        names::check_object_lambda(&new.name)?;
        let lens = ObjectLambda {
            alias: alias::new_object_lambda(&new.name)?,
            name: new.name,
            account_id: self.account_id.clone(),
            created: self.clock.now(),
            configuration: new.configuration,
            public_access_block: PublicAccessBlock::default(),
            policy: None,
            tags: Tags::new(),
            revision: 1,
        };
        let answer = Arc::new(lens.clone());
        let functions = self.functions.clone();
        let decide = move |view: &View| {
            if view.object_lambda(&lens.account_id, &lens.name).is_some() {
                return Err(already_owned(&lens.name));
            }
            if view.object_lambdas_of(&lens.account_id).count() >= MAX_OBJECT_LAMBDAS {
                return Err(too_many("Object Lambda access points", MAX_OBJECT_LAMBDAS));
            }
            check_configuration(view, &lens, &functions)?;
            Ok(vec![Change::PutObjectLambda(lens)])
        };
        self.catalog.update(Box::new(decide)).await?;
        Ok(answer)
    }

    /// Changes what may change of an Object Lambda access point: configuration, policy, tags.
    ///
    /// # Errors
    /// 404 NoSuchAccessPoint, what `edit` answers, and InvalidRequest for the new configuration.
    pub async fn edit_object_lambda(
        &self,
        name: &str,
        edit: impl FnOnce(&mut ObjectLambda) -> Result<(), ApiError> + Send + 'static,
    ) -> Result<(), ApiError> {
        let (name, account, functions) = (name.to_owned(), self.account_id.clone(), self.functions.clone());
        let decide = move |view: &View| {
            let old = find_object_lambda(view, &account, &name)?;
            let mut lens = ObjectLambda::clone(&old);
            edit(&mut lens)?;
            if lens.configuration != old.configuration {
                check_configuration(view, &lens, &functions)?;
                lens.revision += 1;
            }
            Ok(vec![Change::PutObjectLambda(lens)])
        };
        self.catalog.update(Box::new(decide)).await
    }

    /// Deletes an Object Lambda access point.
    ///
    /// # Errors
    /// 404 NoSuchAccessPoint.
    pub async fn delete_object_lambda(&self, name: &str) -> Result<(), ApiError> {
        let (account, name) = (self.account_id.clone(), name.to_owned());
        let decide = move |view: &View| {
            find_object_lambda(view, &account, &name)?;
            Ok(vec![Change::DeleteObjectLambda(point_key(&account, &name))])
        };
        self.catalog.update(Box::new(decide)).await
    }
}

/// The access point of an account by its name.
///
/// # Errors
/// 404 NoSuchAccessPoint.
pub fn find_access_point(view: &View, account: &str, name: &str) -> Result<Arc<AccessPoint>, ApiError> {
    view.access_point(account, name).cloned().ok_or_else(|| target::no_such_access_point(name))
}

/// The Object Lambda access point of an account by its name.
///
/// # Errors
/// 404 NoSuchAccessPoint.
pub fn find_object_lambda(view: &View, account: &str, name: &str) -> Result<Arc<ObjectLambda>, ApiError> {
    view.object_lambda(account, name).cloned().ok_or_else(|| target::no_such_access_point(name))
}

/// Reads the policy of a point: it speaks of that point alone, and where the public is blocked it is not public.
///
/// # Errors
/// 400 MalformedPolicy that names the fault; 403 AccessDenied for a public one.
pub fn read_policy(document: &str, arn: &str, block: PublicAccessBlock) -> Result<ResourcePolicy, ApiError> {
    let malformed = |why: String| ApiError::new(StatusCode::BAD_REQUEST, "MalformedPolicy", why);
    let policy = ResourcePolicy::parse(document).map_err(|error| malformed(error.to_string()))?;
    for statement in policy.policy().into_iter().flat_map(Policy::statements) {
        let (patterns, _) = statement.resources();
        for pattern in patterns {
            // Before its first wildcard or variable a pattern must not have left the point behind.
            let fixed = pattern.split(['*', '?', '$']).next().unwrap_or_default();
            let rest = fixed.strip_prefix(arn);
            let within = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            let may_reach_it = fixed.len() < pattern.len() && arn.starts_with(fixed);
            if !within && !may_reach_it {
                return Err(malformed(format!("Policy has invalid resource: {pattern} is not of {arn}")));
            }
        }
    }
    if block.block_public_policy && policy.is_public() {
        return Err(ApiError::access_denied("a public access point policy: BlockPublicPolicy is on"));
    }
    Ok(policy)
}

/// Checks tags: at most 50, keys of 1 to 128 and values of at most 256 characters.
///
/// # Errors
/// 400 InvalidTag.
pub fn check_tags(tags: &Tags) -> Result<(), ApiError> {
    let invalid = |why: String| ApiError::new(StatusCode::BAD_REQUEST, "InvalidTag", why);
    if tags.len() > MAX_TAGS {
        return Err(invalid(format!("{} tags; the limit is {MAX_TAGS}", tags.len())));
    }
    let allowed = |text: &str| text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c));
    for (key, value) in tags {
        if !(1..=128).contains(&key.chars().count()) || !allowed(key) {
            return Err(invalid(format!("The tag key {key:?} must be 1 to 128 letters, digits or _.:/=+-@")));
        }
        if value.chars().count() > 256 || !allowed(value) {
            return Err(invalid(format!(
                "The value of tag {key:?} must be at most 256 letters, digits or _.:/=+-@"
            )));
        }
    }
    Ok(())
}

/// `functions` is the account whose functions run here; others have the built-in ones.
fn check_configuration(view: &View, lens: &ObjectLambda, functions: &str) -> Result<(), ApiError> {
    let configuration = &lens.configuration;
    let supporting = PointArn::parse(&configuration.supporting_access_point)
        .filter(|arn| arn.kind == PointKind::AccessPoint)
        .ok_or_else(|| {
            ApiError::invalid_request(format!(
                "SupportingAccessPoint must be the ARN of an access point, \
                 arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME; it is {:?}.",
                configuration.supporting_access_point
            ))
        })?;
    // It may be another account's, which then has to let the callers of the lens in.
    find_access_point(view, &supporting.account_id, &supporting.name)?;
    known("AllowedFeatures", &configuration.allowed_features, &FEATURES)?;
    if configuration.transformations.is_empty() {
        return Err(ApiError::invalid_request(
            "TransformationConfigurations must have at least one TransformationConfiguration.",
        ));
    }
    let mut seen = BTreeSet::new();
    for transformation in &configuration.transformations {
        if transformation.actions.is_empty() {
            return Err(ApiError::invalid_request("Actions must have at least one action."));
        }
        known("Actions", &transformation.actions, &ACTIONS)?;
        for action in &transformation.actions {
            if !seen.insert(action) {
                return Err(ApiError::invalid_request(format!("{action} is transformed more than once.")));
            }
        }
        check_function(view, transformation, &lens.account_id, functions)?;
    }
    Ok(())
}

fn check_function(
    view: &View,
    transformation: &crate::catalog::Transformation,
    account_id: &str,
    functions: &str,
) -> Result<(), ApiError> {
    let arn = FunctionArn::parse(&transformation.function_arn)
        .filter(|arn| arn.account_id == account_id)
        .ok_or_else(|| {
            ApiError::invalid_request(format!(
                "FunctionArn must be the ARN of a function of account {account_id}, \
                 arn:aws:lambda:REGION:{account_id}:function:NAME; it is {:?}.",
                transformation.function_arn
            ))
        })?;
    if account_id != functions && !arn.name.starts_with(function::builtin::PREFIX) {
        return Err(ApiError::invalid_request(format!(
            "FunctionArn: account {account_id} has no functions here, for those of this server are account \
             {functions}'s; use a built-in one, arn:aws:lambda:REGION:{account_id}:function:builtin-NAME."
        )));
    }
    match function::check(view, &arn.name, transformation.payload.as_deref()) {
        // As AWS: a function may come later, and is missed when it is invoked.
        Err(PrepareError::NotFound(_)) if !arn.name.starts_with(function::builtin::PREFIX) => Ok(()),
        // What code makes of its payload is its own.
        Err(PrepareError::RunsCode(_)) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(()),
    }
}

fn known(field: &str, values: &[String], known: &[&str]) -> Result<(), ApiError> {
    match values.iter().find(|value| !known.contains(&value.as_str())) {
        None => Ok(()),
        Some(value) => Err(ApiError::invalid_request(format!(
            "{field} may have {}; it has {value:?}.",
            known.join(", ")
        ))),
    }
}

fn already_owned(name: &str) -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "AccessPointAlreadyOwnedByYou",
        "Your previous request to create the named accesspoint succeeded and you already own it.",
    )
    .with_detail("AccessPointName", name)
}

fn too_many(what: &str, limit: usize) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "TooManyAccessPoints",
        format!("You have attempted to create more {what} than the {limit} of an account"),
    )
}
