//! The rules of a function's configuration, with AWS's limits (Lambda API reference, CreateFunction).

use std::collections::BTreeMap;

use crate::access_point::arn::is_account;
use crate::catalog::Tags;
use crate::catalog::lambda::{Environment, Settings};
use crate::error::ApiError;
use crate::function::Platform;
use crate::function::process::RESERVED;

use super::error::{constraint, invalid};
use super::wire::FunctionDocument;

/// Bytes of all environment variables together.
const MAX_ENVIRONMENT: usize = 4 << 10;

/// Puts what a document says into the settings; what it does not say stays.
///
/// # Errors
/// 400 that names the field and the limit.
pub(super) fn apply(
    document: &FunctionDocument,
    settings: &mut Settings,
    platform: &Platform,
) -> Result<(), ApiError> {
    if let Some(runtime) = &document.runtime {
        if !platform.takes(runtime) {
            return Err(invalid(format!(
                "Value {runtime} at 'runtime' failed to satisfy constraint: this server runs python3.N, nodejsN.x and \
                 provided.al2023"
            )));
        }
        settings.runtime.clone_from(runtime);
    }
    if let Some(role) = &document.role {
        self::role(role)?;
        settings.role.clone_from(role);
    }
    if let Some(handler) = &document.handler {
        if handler.len() > 128 || handler.contains(char::is_whitespace) {
            return Err(constraint("handler", handler, "have at most 128 characters and no space"));
        }
        settings.handler.clone_from(handler);
    }
    if let Some(description) = &document.description {
        if description.chars().count() > 256 {
            return Err(constraint("description", description, "have length less than or equal to 256"));
        }
        settings.description.clone_from(description);
    }
    if let Some(timeout) = document.timeout {
        settings.timeout_seconds = number("timeout", timeout, 1, 900)?;
    }
    if let Some(memory) = document.memory_size {
        settings.memory_mb = number("memorySize", memory, 128, 10_240)?;
    }
    if let Some(size) = document.ephemeral_storage.as_ref().and_then(|storage| storage.size) {
        settings.ephemeral_mb = number("ephemeralStorage.size", size.into(), 512, 10_240)?;
    }
    if let Some(architectures) = &document.architectures {
        architecture(architectures)?;
        settings.architectures.clone_from(architectures);
    }
    if let Some(environment) = &document.environment {
        let variables = environment.variables.clone().unwrap_or_default();
        check_environment(&variables)?;
        settings.environment = Environment(variables);
    }
    if let Some(target) = &document.dead_letter_config {
        settings.dead_letter = target.target_arn.clone().filter(|arn| !arn.is_empty());
    }
    if document.layers.as_ref().is_some_and(|layers| !layers.is_empty()) {
        return Err(invalid("Layers are not implemented: put what they hold into the package"));
    }
    if document.file_system_configs.as_ref().is_some_and(|all| !all.is_empty()) {
        return Err(invalid("FileSystemConfigs are not implemented"));
    }
    if document.package_type.as_deref().is_some_and(|kind| kind != "Zip") {
        return Err(invalid("PackageType Image is not implemented: send the function as a zip"));
    }
    Ok(())
}

/// Whether the instruction set is one that this server may have.
pub(super) fn architecture(names: &[String]) -> Result<(), ApiError> {
    match names {
        [one] if matches!(one.as_str(), "x86_64" | "arm64") => Ok(()),
        _ => Err(constraint("architectures", &names.join(", "), "be one of x86_64, arm64")),
    }
}

fn number(field: &str, value: i64, least: u32, most: u32) -> Result<u32, ApiError> {
    match u32::try_from(value) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ if value < i64::from(least) => Err(constraint(
            field,
            &value.to_string(),
            &format!("have value greater than or equal to {least}"),
        )),
        _ => Err(constraint(field, &value.to_string(), &format!("have value less than or equal to {most}"))),
    }
}

/// Whether a text is the ARN of a role.
///
/// # Errors
/// 400 ValidationException.
pub(super) fn role(role: &str) -> Result<(), ApiError> {
    let fields: Vec<&str> = role.splitn(6, ':').collect();
    let right = match fields.as_slice() {
        ["arn", _, "iam", "", account, resource] => {
            let name = resource.strip_prefix("role/").unwrap_or_default();
            let allowed = |c: char| c.is_ascii_alphanumeric() || "+=,.@-_/".contains(c);
            is_account(account) && (1..=576).contains(&name.len()) && name.chars().all(allowed)
        }
        _ => false,
    };
    if right {
        return Ok(());
    }
    let rule =
        "satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+";
    Err(constraint("role", role, rule))
}

fn check_environment(variables: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let reserved: Vec<&str> =
        variables.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    if !reserved.is_empty() {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided contains reserved keys that are currently not supported for modification. Reserved keys used \
             in this request: {}",
            reserved.join(", ")
        )));
    }
    for (name, value) in variables {
        let mut letters = name.chars();
        let plain = letters.next().is_some_and(|c| c.is_ascii_alphabetic())
            && name.len() >= 2
            && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !plain || value.contains('\0') {
            let rule = "satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+";
            return Err(constraint("environment.variables", name, rule));
        }
    }
    let size: usize = variables.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > MAX_ENVIRONMENT {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have \
             provided exceeded the {MAX_ENVIRONMENT} bytes limit; they have {size}"
        )));
    }
    Ok(())
}

/// Checks tags: at most 50, keys of 1 to 128 and values of at most 256 characters.
pub(super) fn tags(tags: &Tags) -> Result<(), ApiError> {
    crate::access_point::registrar::check_tags(tags).map_err(|error| invalid(error.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_environments_are_checked() {
        role("arn:aws:iam::000000000000:role/service-role/reader").unwrap();
        for text in ["", "reader", "arn:aws:iam::1:role/r", "arn:aws:iam::000000000000:user/u"] {
            assert_eq!(role(text).unwrap_err().code, "ValidationException", "{text}");
        }
        let variables = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        check_environment(&variables("KEY_1", "v")).unwrap();
        for (name, value) in [("AWS_REGION", "x"), ("1X", "x"), ("A-B", "x"), ("BIG", &"x".repeat(4096))] {
            assert!(check_environment(&variables(name, value)).is_err(), "{name}");
        }
    }

    #[test]
    fn a_number_out_of_range_names_field_and_limit() {
        assert_eq!(number("timeout", 900, 1, 900).unwrap(), 900);
        let error = number("memorySize", 64, 128, 10_240).unwrap_err();
        assert!(error.message.contains("'memorySize'") && error.message.contains("128"), "{error}");
        assert!(number("memorySize", i64::MAX, 128, 10_240).unwrap_err().message.contains("10240"));
    }
}
