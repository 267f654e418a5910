//! Who is told of what happens in a bucket (S3 user guide, "Amazon S3 Event Notifications").

use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// Configurations of one bucket.
const MAX_RULES: usize = 100;
/// Characters of a prefix or suffix.
const MAX_FILTER: usize = 1024;
/// Characters of an id.
const MAX_ID: usize = 255;

/// The events that may be asked for; some never happen here. A family with `*` stands for all of its own.
pub const EVENTS: [&str; 30] = [
    "s3:ObjectCreated:*",
    "s3:ObjectCreated:Put",
    "s3:ObjectCreated:Post",
    "s3:ObjectCreated:Copy",
    "s3:ObjectCreated:CompleteMultipartUpload",
    "s3:ObjectRemoved:*",
    "s3:ObjectRemoved:Delete",
    "s3:ObjectRemoved:DeleteMarkerCreated",
    "s3:ObjectTagging:*",
    "s3:ObjectTagging:Put",
    "s3:ObjectTagging:Delete",
    "s3:ObjectAcl:Put",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleExpiration:Delete",
    "s3:LifecycleExpiration:DeleteMarkerCreated",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
    "s3:ObjectRestore:*",
    "s3:ObjectRestore:Post",
    "s3:ObjectRestore:Completed",
    "s3:ObjectRestore:Delete",
    "s3:Replication:*",
    "s3:Replication:OperationFailedReplication",
    "s3:Replication:OperationMissedThreshold",
    "s3:Replication:OperationNotTracked",
    "s3:Replication:OperationReplicatedAfterThreshold",
    "s3:ReducedRedundancyLostObject",
    "s3:ObjectAnnotation:*",
    "s3:ObjectAnnotation:Put",
    "s3:ObjectAnnotation:Delete",
];

/// A notification configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// In order.
    pub rules: Vec<NotificationRule>,
}

/// What kind of destination a rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DestinationKind {
    /// A queue.
    Queue,
    /// A topic.
    Topic,
    /// A function.
    Function,
}

/// Who is told of which events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationRule {
    /// Names the rule; of one rule only.
    pub id: String,
    /// Kind of the destination.
    pub kind: DestinationKind,
    /// ARN of the destination.
    pub arn: String,
    /// Some of [`EVENTS`].
    pub events: Vec<String>,
    /// Start of the keys it is about.
    #[serde(default)]
    pub prefix: Option<String>,
    /// End of the keys it is about.
    #[serde(default)]
    pub suffix: Option<String>,
}

impl NotificationRule {
    /// Whether it is about an event, as `s3:ObjectCreated:Put`, of a key.
    #[must_use]
    pub fn matches(&self, event: &str, key: &str) -> bool {
        self.events.iter().any(|wanted| covers(wanted, event))
            && self.prefix.as_ref().is_none_or(|prefix| key.starts_with(prefix))
            && self.suffix.as_ref().is_none_or(|suffix| key.ends_with(suffix))
    }

    /// Whether both are about some event of some key.
    fn overlaps(&self, other: &Self) -> bool {
        let events =
            self.events.iter().any(|one| other.events.iter().any(|two| covers(one, two) || covers(two, one)));
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (p, q) = (text(&self.prefix), text(&other.prefix));
        let (s, t) = (text(&self.suffix), text(&other.suffix));
        events && (p.starts_with(&q) || q.starts_with(&p)) && (s.ends_with(&t) || t.ends_with(&s))
    }
}

fn covers(wanted: &str, event: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(family) => event.starts_with(family),
        None => wanted == event,
    }
}

impl Notification {
    /// Checks what can be checked without knowing the destinations.
    ///
    /// # Errors
    /// 400 InvalidArgument.
    pub fn check(&self) -> Result<(), ApiError> {
        if self.rules.len() > MAX_RULES {
            return Err(ApiError::invalid_argument(format!("A bucket may have {MAX_RULES} configurations")));
        }
        for (n, rule) in self.rules.iter().enumerate() {
            if rule.events.is_empty() {
                return Err(ApiError::invalid_argument("A configuration has one Event at least"));
            }
            if let Some(event) = rule.events.iter().find(|event| !EVENTS.contains(&event.as_str())) {
                return Err(ApiError::invalid_argument("The event is not supported for notifications")
                    .with_detail("ArgumentName", "Event")
                    .with_detail("ArgumentValue", event.as_str()));
            }
            if rule.id.is_empty() || rule.id.chars().count() > MAX_ID {
                return Err(ApiError::invalid_argument(format!("An Id has 1 to {MAX_ID} characters")));
            }
            let filters = [&rule.prefix, &rule.suffix];
            if filters.into_iter().flatten().any(|filter| filter.chars().count() > MAX_FILTER) {
                return Err(ApiError::invalid_argument(format!(
                    "The value of a filter rule may have {MAX_FILTER} characters"
                )));
            }
            for other in self.rules.iter().skip(n + 1) {
                if rule.id == other.id {
                    return Err(ApiError::invalid_argument("Same ID used for multiple configurations")
                        .with_detail("ArgumentValue", rule.id.as_str()));
                }
                if rule.overlaps(other) {
                    return Err(ApiError::invalid_argument(
                        "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
                    )
                    .with_detail("ArgumentName1", rule.id.as_str())
                    .with_detail("ArgumentName2", other.id.as_str()));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: &str, event: &str, prefix: &str, suffix: &str) -> NotificationRule {
        NotificationRule {
            id: id.into(),
            kind: DestinationKind::Queue,
            arn: "arn".into(),
            events: vec![event.into()],
            prefix: Some(prefix.into()).filter(|text: &String| !text.is_empty()),
            suffix: Some(suffix.into()).filter(|text: &String| !text.is_empty()),
        }
    }

    #[test]
    fn a_rule_is_about_events_and_keys() {
        let rule = rule("a", "s3:ObjectCreated:*", "in/", ".jpg");
        assert!(rule.matches("s3:ObjectCreated:Put", "in/x.jpg"));
        assert!(!rule.matches("s3:ObjectRemoved:Delete", "in/x.jpg"));
        assert!(
            !rule.matches("s3:ObjectCreated:Put", "x.jpg")
                && !rule.matches("s3:ObjectCreated:Put", "in/x.png")
        );
    }

    #[test]
    fn rules_may_not_overlap() {
        let refused = |one: NotificationRule, two: NotificationRule| {
            Notification { rules: vec![one, two] }.check().is_err()
        };
        let put = "s3:ObjectCreated:Put";
        assert!(refused(rule("a", put, "", ""), rule("b", "s3:ObjectCreated:*", "x", "")));
        assert!(!refused(rule("a", put, "x/", ""), rule("b", put, "y/", "")));
        assert!(!refused(rule("a", put, "", ".a"), rule("b", put, "", ".b")));
        assert!(!refused(rule("a", put, "", ""), rule("b", "s3:ObjectCreated:Copy", "", "")));
        assert!(refused(rule("a", put, "x/", ""), rule("a", put, "y/", "")), "the same id");
        assert!(Notification { rules: vec![rule("a", "s3:Nothing", "", "")] }.check().is_err());
    }
}
