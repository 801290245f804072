//! The HTTP API: routes, and what is charged to which component.

mod body;
mod catalogue;
mod error;
mod health;
mod named;
mod reviews;
mod sessions;
mod tasks;
mod webhook;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use self::body::Body;
use self::error::ApiError;
use self::named::Named;
use crate::app::App;
use crate::cache::CACHE;
use crate::process::PROCESS;
use crate::queue::QUEUE;
use crate::session::SESSION;
use crate::verifier::VERIFIER;

/// The whole API.
pub(crate) fn router(app: &Arc<App>, body_limit: usize) -> Router {
    let verifier = Router::new().route("/webhook", post(webhook::receive)).route_layer(VERIFIER.layer());
    let queue = Router::new()
        .route("/tasks", get(tasks::list).post(tasks::add))
        .route("/tasks/{id}", get(tasks::show))
        .route("/queue/pause", post(tasks::pause))
        .route("/queue/resume", post(tasks::resume))
        .route_layer(QUEUE.layer());
    let cache = Router::new()
        .route("/catalogue/{namespace}/{key}", get(catalogue::look_up))
        .route("/catalogue/{namespace}/invalidate", post(catalogue::invalidate))
        .route("/labels/{key}", get(catalogue::label))
        .route_layer(CACHE.layer());
    let session = Router::new()
        .route("/sessions", post(sessions::run))
        .route("/sessions/{id}", get(sessions::show).delete(sessions::cancel))
        .route_layer(SESSION.layer());
    let process = Router::new().route("/reviews", post(reviews::review)).route_layer(PROCESS.layer());
    Router::new()
        .route("/health", get(health::health))
        .route("/status", get(health::status))
        .merge(verifier)
        .merge(queue)
        .merge(cache)
        .merge(session)
        .merge(process)
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(DefaultBodyLimit::max(body_limit))
        .layer(heapsoak_probe::layer())
        .with_state(Arc::clone(app))
}
