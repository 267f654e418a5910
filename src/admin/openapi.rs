//! The OpenAPI document of the admin API. `docs/openapi.json` is its golden copy.

use axum::Json;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};

use super::{
    access_points, accounts, buckets, explain, function_logs, function_network, functions, keys, kms_keys,
    object_lambdas, preview, roles, usage, users,
};

/// The document, from the handlers' own descriptions.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Refract admin API",
        description = "Functions, access points, Object Lambda access points, \
        accounts, buckets and keys. Every route takes SigV4 (any service name) or the admin token."
    ),
    paths(
        functions::list,
        functions::get,
        functions::put,
        functions::delete,
        function_network::get,
        function_network::put,
        function_network::delete,
        function_logs::logs,
        function_logs::platform,
        usage::functions,
        preview::preview,
        access_points::list,
        access_points::get,
        access_points::put,
        access_points::delete,
        object_lambdas::list,
        object_lambdas::get,
        object_lambdas::put,
        object_lambdas::delete,
        accounts::list,
        accounts::get,
        accounts::put,
        accounts::delete,
        explain::explain,
        buckets::list,
        buckets::get,
        buckets::put_quota,
        buckets::delete_quota,
        users::list,
        users::get,
        users::put,
        users::delete,
        roles::list,
        roles::get,
        roles::put,
        roles::delete,
        kms_keys::list,
        kms_keys::put,
        keys::list,
        keys::create,
        keys::update,
        keys::delete,
    )
)]
struct Document;

/// Builds the document.
#[must_use]
pub fn build() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The admin token, REFRACT_ADMIN_TOKEN"))
        .build();
    document
        .components
        .get_or_insert_with(Default::default)
        .add_security_scheme("admin_token", SecurityScheme::Http(bearer));
    document.security = Some(vec![SecurityRequirement::new("admin_token", Vec::<String>::new())]);
    document
}

pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(build())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set `REFRACT_UPDATE_GOLDEN=1` to write the file anew.
    #[test]
    fn the_document_is_the_golden_one() {
        let built = serde_json::to_string_pretty(&build()).unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
        if std::env::var_os("REFRACT_UPDATE_GOLDEN").is_some() {
            std::fs::write(path, &built).unwrap();
        }
        let golden = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            golden == built,
            "docs/openapi.json is stale: REFRACT_UPDATE_GOLDEN=1 cargo nextest run openapi"
        );
    }
}
