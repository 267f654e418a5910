//! The admin API: functions, points, keys and previews as JSON under `/_refract/v1/`, health and metrics beside it.
//!
//! One file a resource; [`openapi`] describes them all, [`error`] is the one place where errors are rendered.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post, put};

use crate::context::App;

pub mod access_points;
pub mod accounts;
pub mod aws;
pub mod buckets;
pub mod error;
pub mod explain;
pub mod extract;
pub mod function_logs;
pub mod function_network;
pub mod functions;
pub mod health;
mod inquiry;
pub mod keys;
pub mod kms_keys;
pub mod object_lambdas;
pub mod openapi;
pub mod preview;
pub mod roles;
pub mod usage;
pub mod users;
pub mod wasm;
pub mod webhook;

type AppState = State<Arc<App>>;

/// The routes. Whoever comes here was let in by the door.
pub fn router(app: Arc<App>) -> Router {
    let v1 = Router::new()
        .route("/functions", get(functions::list))
        .route("/functions/{name}", put(functions::put).get(functions::get).delete(functions::delete))
        .route(
            "/functions/{name}/network",
            put(function_network::put).get(function_network::get).delete(function_network::delete),
        )
        .route("/functions/{name}/preview", post(preview::preview))
        .route("/functions/{name}/logs", get(function_logs::logs))
        .route("/function-platform", get(function_logs::platform))
        .route("/usage/functions", get(usage::functions))
        .route("/access-points", get(access_points::list))
        .route(
            "/access-points/{name}",
            put(access_points::put).get(access_points::get).delete(access_points::delete),
        )
        .route("/object-lambdas", get(object_lambdas::list))
        .route(
            "/object-lambdas/{name}",
            put(object_lambdas::put).get(object_lambdas::get).delete(object_lambdas::delete),
        )
        .route("/accounts", get(accounts::list))
        .route("/accounts/{account}", put(accounts::put).get(accounts::get).delete(accounts::delete))
        .route("/accounts/{account}/users", get(users::list))
        .route("/accounts/{account}/users/{name}", put(users::put).get(users::get).delete(users::delete))
        .route("/accounts/{account}/roles", get(roles::list))
        .route("/accounts/{account}/roles/{name}", put(roles::put).get(roles::get).delete(roles::delete))
        .route("/buckets", get(buckets::list))
        .route("/buckets/{name}", get(buckets::get))
        .route("/buckets/{name}/quota", put(buckets::put_quota).delete(buckets::delete_quota))
        .route("/kms-keys", get(kms_keys::list))
        .route("/kms-keys/{*name}", put(kms_keys::put))
        .route("/policy/explain", post(explain::explain))
        .route("/keys", get(keys::list).post(keys::create))
        .route("/keys/{id}", axum::routing::patch(keys::update).delete(keys::delete))
        .route("/openapi.json", get(openapi::document));
    Router::new()
        .nest("/_refract/v1", v1)
        .route("/_refract/health/live", get(health::live))
        .route("/_refract/health/ready", get(health::ready))
        .route("/_refract/metrics", get(health::metrics))
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::no_such_method)
        .with_state(app)
}
