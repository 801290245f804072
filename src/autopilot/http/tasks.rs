use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::{ApiError, Body, Named};
use crate::Id;
use crate::app::App;
use crate::queue::{Counts, NewTask, NotQueued, Priority, State as TaskState, Task};

/// Longest title, in bytes.
const TITLE_BYTES: usize = 1_000;

#[derive(Serialize)]
pub(super) struct Added {
    id: Id,
}

/// A task without its texts.
#[derive(Serialize)]
pub(super) struct Listed {
    id: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    issue: Option<Id>,
    title: String,
    priority: Priority,
    state: TaskState,
    attempts: u32,
}

#[derive(Serialize)]
pub(super) struct List {
    tasks: Vec<Listed>,
}

/// `POST /tasks`.
pub(super) async fn add(
    State(app): State<Arc<App>>,
    Body(task): Body<NewTask>,
) -> Result<(StatusCode, Json<Added>), ApiError> {
    check(&task)?;
    let id = app.queue.add(task)?;
    Ok((StatusCode::ACCEPTED, Json(Added { id })))
}

/// `GET /tasks`.
pub(super) async fn list(State(app): State<Arc<App>>) -> Json<List> {
    let tasks = app.queue.each(|task| Listed {
        id: task.id.clone(),
        issue: task.issue.clone(),
        title: task.title.clone(),
        priority: task.priority,
        state: task.state,
        attempts: task.attempts,
    });
    Json(List { tasks })
}

/// `GET /tasks/{id}`.
pub(super) async fn show(State(app): State<Arc<App>>, Named(id): Named<Id>) -> Result<Json<Task>, ApiError> {
    let task = app.queue.task(&id);
    task.map(Json).ok_or_else(|| ApiError::not_found(format!("there is no task '{id}'")))
}

/// `POST /queue/pause`.
pub(super) async fn pause(State(app): State<Arc<App>>) -> Json<Counts> {
    app.queue.pause(true);
    Json(app.queue.counts())
}

/// `POST /queue/resume`.
pub(super) async fn resume(State(app): State<Arc<App>>) -> Json<Counts> {
    app.queue.pause(false);
    Json(app.queue.counts())
}

/// Refuses a task nobody could work on.
pub(super) fn check(task: &NewTask) -> Result<(), ApiError> {
    if task.title.trim().is_empty() || task.title.len() > TITLE_BYTES {
        let why = format!("the title must have 1 to {TITLE_BYTES} bytes");
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, why));
    }
    Ok(())
}

impl From<NotQueued> for ApiError {
    fn from(refused: NotQueued) -> ApiError {
        let status = match refused {
            NotQueued::Duplicate { .. } => StatusCode::CONFLICT,
            NotQueued::Full(_) | NotQueued::Unwritable { .. } | NotQueued::Stopping => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        ApiError::new(status, refused.to_string())
    }
}
