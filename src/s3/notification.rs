//! PutBucketNotificationConfiguration, GetBucketNotificationConfiguration. Events are delivered by
//! [`crate::notification`].

use s3s::dto;
use s3s::{S3Request, S3Response, S3Result};

use crate::bucket::notification::{DestinationKind, Notification, NotificationRule};
use crate::error::ApiError;
use crate::notification::Cause;

use super::Api;

pub(super) fn get(
    api: &Api,
    input: &dto::GetBucketNotificationConfigurationInput,
) -> S3Result<S3Response<dto::GetBucketNotificationConfigurationOutput>> {
    let bucket = api.bucket(&input.bucket)?;
    let mut output = dto::GetBucketNotificationConfigurationOutput::default();
    for rule in bucket.config.notification.iter().flat_map(|notification| &notification.rules) {
        let NotificationRule { id, kind, arn, events, .. } = rule.clone();
        let (id, filter) = (Some(id), filter_out(rule));
        let events = events.into_iter().map(dto::Event::from).collect();
        match kind {
            DestinationKind::Queue => output
                .queue_configurations
                .get_or_insert_default()
                .push(dto::QueueConfiguration { events, filter, id, queue_arn: arn }),
            DestinationKind::Topic => output
                .topic_configurations
                .get_or_insert_default()
                .push(dto::TopicConfiguration { events, filter, id, topic_arn: arn }),
            DestinationKind::Function => output
                .lambda_function_configurations
                .get_or_insert_default()
                .push(dto::LambdaFunctionConfiguration { events, filter, id, lambda_function_arn: arn }),
        }
    }
    Ok(S3Response::new(output))
}

pub(super) async fn put(
    api: &Api,
    req: S3Request<dto::PutBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<dto::PutBucketNotificationConfigurationOutput>> {
    let bucket = api.bucket(&req.input.bucket)?;
    let notification = read(req.input.notification_configuration)?;
    notification.check()?;
    let refused =
        |rule: &NotificationRule| api.notifier.check(&bucket, rule).err().map(|why| (rule.arn.clone(), why));
    if let Some((arn, why)) = notification.rules.iter().find_map(refused) {
        return Err(ApiError::invalid_argument(
            "Unable to validate the following destination configurations",
        )
        .with_detail("ArgumentName1", arn)
        .with_detail("ArgumentValue1", why)
        .into());
    }
    // First, for who cannot be told is not to be configured.
    if req.input.skip_destination_validation != Some(true) {
        let cause = Cause::of(&req.extensions, None);
        api.notifier.test(&bucket.name, &cause, &notification).await?;
    }
    api.configure(&bucket.name, move |bucket| {
        bucket.config.notification = Some(notification).filter(|notification| !notification.rules.is_empty());
        Ok(())
    })
    .await?;
    Ok(S3Response::new(dto::PutBucketNotificationConfigurationOutput {}))
}

fn read(document: dto::NotificationConfiguration) -> Result<Notification, ApiError> {
    if document.event_bridge_configuration.is_some() {
        return Err(ApiError::not_implemented("There is no EventBridge here: name queues and topics"));
    }
    let mut rules = Vec::new();
    let mut add = |kind, arn, id: Option<String>, events: Vec<dto::Event>, filter| {
        let (prefix, suffix) = filter_in(filter)?;
        let id = match id.filter(|id| !id.is_empty()) {
            Some(id) => id,
            None => new_id()?,
        };
        let events = events.into_iter().map(String::from).collect();
        rules.push(NotificationRule { id, kind, arn, events, prefix, suffix });
        Ok::<_, ApiError>(())
    };
    for queue in document.queue_configurations.unwrap_or_default() {
        add(DestinationKind::Queue, queue.queue_arn, queue.id, queue.events, queue.filter)?;
    }
    for topic in document.topic_configurations.unwrap_or_default() {
        add(DestinationKind::Topic, topic.topic_arn, topic.id, topic.events, topic.filter)?;
    }
    for function in document.lambda_function_configurations.unwrap_or_default() {
        let arn = function.lambda_function_arn;
        add(DestinationKind::Function, arn, function.id, function.events, function.filter)?;
    }
    Ok(Notification { rules })
}

fn new_id() -> Result<String, ApiError> {
    let random = getrandom::u64().map_err(|error| ApiError::internal(format!("no random bytes: {error}")))?;
    Ok(format!("{random:016x}"))
}

/// Prefix and suffix.
type Filter = (Option<String>, Option<String>);

fn filter_in(filter: Option<dto::NotificationConfigurationFilter>) -> Result<Filter, ApiError> {
    let rules = filter.and_then(|filter| filter.key).and_then(|key| key.filter_rules).unwrap_or_default();
    let (mut prefix, mut suffix) = (None, None);
    for rule in rules {
        let name = rule.name.as_ref().map(|name| name.as_str().to_ascii_lowercase()).unwrap_or_default();
        let place = match name.as_str() {
            "prefix" => &mut prefix,
            "suffix" => &mut suffix,
            _ => return Err(ApiError::invalid_argument("filter rule name must be either prefix or suffix")),
        };
        if place.replace(rule.value.unwrap_or_default()).is_some() {
            return Err(ApiError::invalid_argument(format!(
                "Cannot specify more than one {name} rule in a filter."
            )));
        }
    }
    Ok((prefix, suffix))
}

fn filter_out(rule: &NotificationRule) -> Option<dto::NotificationConfigurationFilter> {
    let named = [("prefix", &rule.prefix), ("suffix", &rule.suffix)];
    let rules: Vec<_> = named
        .into_iter()
        .filter_map(|(name, value)| {
            let value = value.clone()?;
            Some(dto::FilterRule {
                name: Some(dto::FilterRuleName::from(name.to_owned())),
                value: Some(value),
            })
        })
        .collect();
    let key = dto::S3KeyFilter { filter_rules: Some(rules) };
    (rule.prefix.is_some() || rule.suffix.is_some())
        .then_some(dto::NotificationConfigurationFilter { key: Some(key) })
}
