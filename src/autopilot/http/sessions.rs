use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::{ApiError, Body, Named};
use crate::Id;
use crate::app::App;
use crate::session::{SessionError, SessionRequest, SessionSummary};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    prompt: String,
    #[serde(default)]
    resume: Option<Id>,
    #[serde(default)]
    issue: Option<Id>,
    #[serde(default = "yes")]
    wait: bool,
}

fn yes() -> bool {
    true
}

#[derive(Serialize)]
struct Finished {
    id: Id,
    result: String,
    tools: usize,
}

#[derive(Serialize)]
pub(super) struct Started {
    id: Id,
}

/// `POST /sessions`.
pub(super) async fn run(
    State(app): State<Arc<App>>,
    Body(Run { prompt, resume, issue, wait }): Body<Run>,
) -> Result<Response, ApiError> {
    if prompt.trim().is_empty() {
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "the prompt is empty"));
    }
    let request = SessionRequest { prompt, resume, issue };
    if wait {
        let outcome = app.sessions.run(request).await?;
        let finished = Finished { id: outcome.id, result: outcome.result, tools: outcome.tools };
        Ok(Json(finished).into_response())
    } else {
        let id = app.sessions.start(request)?;
        Ok((StatusCode::ACCEPTED, Json(Started { id })).into_response())
    }
}

/// `GET /sessions/{id}`.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Named(id): Named<Id>,
) -> Result<Json<SessionSummary>, ApiError> {
    app.sessions.get(&id).await.map(Json).ok_or_else(|| unknown(&id))
}

/// `DELETE /sessions/{id}`.
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    Named(id): Named<Id>,
) -> Result<(StatusCode, Json<Started>), ApiError> {
    if app.sessions.cancel(&id) {
        return Ok((StatusCode::ACCEPTED, Json(Started { id })));
    }
    match app.sessions.get(&id).await {
        Some(_) => {
            Err(ApiError::new(StatusCode::CONFLICT, format!("session '{id}' has ended")).about(Some(&id)))
        }
        None => Err(unknown(&id)),
    }
}

fn unknown(id: &Id) -> ApiError {
    ApiError::not_found(format!("there is no session '{id}'"))
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> ApiError {
        let status = match error {
            SessionError::TooMany { .. } | SessionError::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            SessionError::Unknown { .. } => StatusCode::NOT_FOUND,
            SessionError::Busy { .. } | SessionError::Cancelled { .. } => StatusCode::CONFLICT,
            SessionError::Start { .. } | SessionError::Agent { .. } | SessionError::Expired { .. } => {
                StatusCode::BAD_GATEWAY
            }
            SessionError::TimedOut { .. } => StatusCode::GATEWAY_TIMEOUT,
            SessionError::Transcript { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        ApiError::new(status, error.to_string()).about(error.id())
    }
}
