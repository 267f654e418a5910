//! AddPermission, RemovePermission, GetPolicy: the resource policy of a function, a version or an alias.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::access_point::arn::is_account;
use crate::catalog::LambdaFunction;
use crate::error::ApiError;
use crate::policy::PolicyError;

use super::error::{conflict, constraint, invalid, not_found};
use super::wire::PermissionDocument;
use super::{Answer, Call, LambdaPlane, check_revision, json, no_content, revision};

/// Whether a policy may hang on this qualifier.
fn check_qualifier(lambda: &LambdaFunction, qualifier: &str) -> Result<(), ApiError> {
    if qualifier.is_empty() || lambda.aliases.contains_key(qualifier) || lambda.version(qualifier).is_some() {
        return Ok(());
    }
    Err(not_found(format!("Cannot find version or alias {qualifier}")))
}

fn statement(document: &PermissionDocument, resource: &str) -> Result<(String, Value), ApiError> {
    let id = document.statement_id.clone().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !(1..=100).contains(&id.len()) || !id.chars().all(plain) {
        return Err(constraint("statementId", &id, "satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"));
    }
    let action = document.action.clone().unwrap_or_default();
    let verb = action.strip_prefix("lambda:").unwrap_or_default();
    if action != "*" && verb != "*" && (verb.is_empty() || !verb.bytes().all(|b| b.is_ascii_alphabetic())) {
        let rule = "satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])";
        return Err(constraint("action", &action, rule));
    }
    let named = document.principal.clone().unwrap_or_default();
    let principal = if named == "*" {
        json!("*")
    } else if is_account(&named) {
        json!({ "AWS": format!("arn:aws:iam::{named}:root") })
    } else if named.starts_with("arn:") {
        json!({ "AWS": named })
    } else if named.contains('.') && !named.contains(char::is_whitespace) {
        json!({ "Service": named })
    } else {
        return Err(invalid("The provided principal was invalid. Please check the principal and try again."));
    };
    let mut conditions = Map::new();
    let mut condition = |operator: &str, key: &str, value: &Option<String>| {
        if let Some(value) = value {
            let fields = conditions.entry(operator).or_insert_with(|| json!({}));
            if let Value::Object(fields) = fields {
                fields.insert(key.to_owned(), json!(value));
            }
        }
    };
    condition("ArnLike", "AWS:SourceArn", &document.source_arn);
    condition("StringEquals", "AWS:SourceAccount", &document.source_account);
    condition("StringEquals", "lambda:EventSourceToken", &document.event_source_token);
    condition("StringEquals", "aws:PrincipalOrgID", &document.principal_org_id);
    condition("StringEquals", "lambda:FunctionUrlAuthType", &document.function_url_auth_type);
    let mut statement = json!({
        "Sid": id,
        "Effect": "Allow",
        "Principal": principal,
        "Action": action,
        "Resource": resource,
    });
    if let Value::Object(fields) = &mut statement
        && !conditions.is_empty()
    {
        fields.insert("Condition".to_owned(), Value::Object(conditions));
    }
    Ok((id, statement))
}

pub(super) async fn add(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let document: PermissionDocument = call.document()?;
    let resource = plane.arn(&named.name, named.qualifier.as_deref());
    let (id, statement) = statement(&document, &resource)?;
    let (qualifier, new_revision) = (named.qualifier.unwrap_or_default(), revision()?);
    let shown = statement.to_string();
    let added = plane.edit(&named.name, move |_, lambda| {
        check_qualifier(lambda, &qualifier)?;
        let policy = lambda.policies.entry(qualifier).or_default();
        check_revision(document.revision_id.as_deref(), &policy.revision_id)?;
        if policy.has(&id) {
            return Err(conflict(format!(
                "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the \
                 existing statement."
            )));
        }
        policy.revision_id = new_revision;
        policy.add(statement).map_err(|error| match error {
            PolicyError::TooLarge { size, limit } => ApiError::new(
                StatusCode::BAD_REQUEST,
                "PolicyLengthExceededException",
                format!("The final policy size ({size}) is bigger than the limit ({limit})."),
            ),
            PolicyError::Malformed(why) => invalid(why),
        })?;
        Ok(())
    });
    added.await?;
    Ok(json(StatusCode::CREATED, &json!({ "Statement": shown })))
}

fn no_policy() -> ApiError {
    not_found("The resource you requested does not exist.")
}

pub(super) async fn remove(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let (id, expected) = (call.route.item.clone(), call.query("RevisionId"));
    let (qualifier, new_revision) = (named.qualifier.unwrap_or_default(), revision()?);
    let removed = plane.edit(&named.name, move |_, lambda| {
        let policy = lambda.policies.get_mut(&qualifier).ok_or_else(no_policy)?;
        check_revision(expected.as_deref(), &policy.revision_id)?;
        if !policy.remove(&id) {
            return Err(not_found(format!("Statement {id} is not found in resource policy.")));
        }
        policy.revision_id = new_revision;
        if policy.is_empty() {
            lambda.policies.remove(&qualifier);
        }
        Ok(())
    });
    removed.await?;
    Ok(no_content())
}

pub(super) fn get(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let view = plane.catalog.snapshot();
    let function = plane.find(&view, &named.name)?;
    let qualifier = named.qualifier.unwrap_or_default();
    let policy = function.policies.get(&qualifier).ok_or_else(no_policy)?;
    let answer = json!({ "Policy": policy.document(), "RevisionId": policy.revision_id });
    Ok(json(StatusCode::OK, &answer))
}
