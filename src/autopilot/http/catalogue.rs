use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::{ApiError, Body, Named};
use crate::Id;
use crate::app::App;
use crate::cache::{LookUpError, Pattern};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Invalidate {
    pattern: Pattern,
}

#[derive(Serialize)]
pub(super) struct Removed {
    removed: usize,
}

/// `GET /catalogue/{namespace}/{key}`.
pub(super) async fn look_up(
    State(app): State<Arc<App>>,
    Named((namespace, key)): Named<(Id, Id)>,
) -> Result<Response, ApiError> {
    find(&app, &namespace, &key).await
}

/// `GET /labels/{key}`.
pub(super) async fn label(State(app): State<Arc<App>>, Named(key): Named<Id>) -> Result<Response, ApiError> {
    let labels = "labels".parse().expect("it is made of letters");
    find(&app, &labels, &key).await
}

/// `POST /catalogue/{namespace}/invalidate`.
pub(super) async fn invalidate(
    State(app): State<Arc<App>>,
    Named(namespace): Named<Id>,
    Body(Invalidate { pattern }): Body<Invalidate>,
) -> Result<Json<Removed>, ApiError> {
    let removed = app.cache.invalidate(&namespace, pattern);
    let unknown = || ApiError::not_found(format!("there is no namespace '{namespace}'"));
    removed.map(|removed| Json(Removed { removed })).ok_or_else(unknown)
}

async fn find(app: &App, namespace: &Id, key: &Id) -> Result<Response, ApiError> {
    let load = || app.tracker.look_up(namespace, key);
    match app.cache.look_up(namespace, key, load).await {
        Ok(Some(value)) => Ok(Json(value.as_ref()).into_response()),
        Ok(None) => Err(ApiError::not_found(format!("there is no '{key}' in '{namespace}'"))),
        Err(error @ LookUpError::UnknownNamespace(_)) => Err(ApiError::not_found(error.to_string())),
        Err(error @ LookUpError::Load(_)) => Err(ApiError::new(StatusCode::BAD_GATEWAY, error.to_string())),
    }
}
