use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::body::{parse, unreadable};
use super::{ApiError, tasks};
use crate::Id;
use crate::app::App;
use crate::queue::{NewTask, NotQueued, Priority, QUEUE};
use crate::verifier::Refusal;

/// What every webhook says.
#[derive(Deserialize)]
struct Envelope {
    action: String,
    r#type: String,
}

/// A webhook that says that there is a new issue.
#[derive(Deserialize)]
struct IssueCreated {
    data: Issue,
}

#[derive(Deserialize)]
struct Issue {
    id: Id,
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    priority: Priority,
}

#[derive(Serialize)]
pub(super) struct Accepted {
    accepted: bool,
    task: Option<Id>,
}

/// `POST /webhook`.
pub(super) async fn receive(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Accepted>, ApiError> {
    let body = body.map_err(|rejection| unreadable(&rejection))?;
    let header = headers.get("linear-signature").map(|value| String::from_utf8_lossy(value.as_bytes()));
    let accepted = app.verifier.accept(header.as_deref(), &body)?;
    // The task's texts stay in the queue: they are the queue's from the moment they are read.
    let queue = QUEUE.enter();
    let task = match read_task(&body)? {
        None => None,
        Some(task) => match app.queue.add(task) {
            Ok(id) => Some(id),
            Err(NotQueued::Duplicate { task, .. }) => Some(task),
            Err(refused) => {
                // The tracker will send it again, and then it is not a replay.
                app.verifier.forget(&accepted, header.as_deref().unwrap_or_default());
                return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, refused.to_string()));
            }
        },
    };
    drop(queue);
    Ok(Json(Accepted { accepted: true, task }))
}

/// The task a webhook asks for; none if it is about something else.
fn read_task(body: &[u8]) -> Result<Option<NewTask>, ApiError> {
    let malformed = |error: serde_json::Error| ApiError::bad_request(format!("not a webhook: {error}"));
    let envelope: Envelope = serde_json::from_slice(body).map_err(malformed)?;
    if envelope.action != "create" || envelope.r#type != "Issue" {
        return Ok(None);
    }
    let IssueCreated { data } = parse(body)?;
    let task = NewTask {
        title: data.title,
        description: data.description,
        priority: data.priority,
        issue: Some(data.id),
    };
    tasks::check(&task)?;
    Ok(Some(task))
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        let status = match refusal {
            Refusal::Unsigned | Refusal::BadSignature | Refusal::OutOfTime { .. } => StatusCode::UNAUTHORIZED,
            Refusal::Replayed => StatusCode::CONFLICT,
            Refusal::Full(_) => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Malformed(_) => StatusCode::BAD_REQUEST,
        };
        ApiError::new(status, refusal.to_string())
    }
}
