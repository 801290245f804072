//! What happens to a request, part by part.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{self, Path};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::Data;
use super::model::{Created, Label, NewTask, Person, Project};
use crate::scoping::{Part, Scoping};

/// Lines of the log that are kept.
const LINES: usize = 1_000;

/// What a handler is given.
#[derive(Debug, Clone)]
pub(super) struct State<S> {
    pub(super) scoping: S,
    pub(super) data: Arc<Mutex<Data>>,
}

/// Who asks.
struct Caller {
    user: String,
    rights: Vec<String>,
    trace: String,
}

pub(super) async fn create_task<S: Scoping>(
    extract::State(State { scoping, data }): extract::State<State<S>>,
    Path(project): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(caller) = scoping.within(Part::Auth, || authenticate(&headers)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Ok(task) = scoping.within(Part::Parse, || serde_json::from_slice::<NewTask>(&body)) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let task = scoping.within(Part::Validate, || validate(task));
    let mut data = data.lock().unwrap_or_else(PoisonError::into_inner);
    let project = scoping.within(Part::Cache, || data.cache.look_up(&project));
    let labels = scoping.within(Part::Labels, || resolve(&task.labels));
    let assignee = scoping.within(Part::Assign, || assign(&project, &task));
    let id = scoping.within(Part::Store, || {
        data.stored += 1;
        format!("{}-{}", project.name, data.stored)
    });
    let body = scoping.within(Part::Render, || render(&id, &project, task, labels, assignee));
    scoping.within(Part::Log, || {
        if data.log.len() == LINES {
            data.log.pop_front();
        }
        let rights = caller.rights.join(",");
        data.log.push_back(format!(
            "{} {} {rights} created {id} ({} bytes)",
            caller.trace,
            caller.user,
            body.len()
        ));
    });
    scoping.within(Part::Respond, || respond(&caller, &id, body))
}

fn authenticate(headers: &HeaderMap) -> Option<Caller> {
    let token = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    let (user, rights) = token.split_once(':')?;
    let trace = headers.get("x-request-id")?.to_str().ok()?;
    Some(Caller {
        user: user.to_ascii_lowercase(),
        rights: rights.split('+').map(str::to_owned).collect(),
        trace: trace.to_owned(),
    })
}

fn validate(task: NewTask) -> NewTask {
    NewTask {
        title: task.title.trim().to_owned(),
        priority: task.priority.to_ascii_lowercase(),
        labels: task.labels.iter().map(|label| label.trim().to_ascii_lowercase()).collect(),
        ..task
    }
}

fn resolve(labels: &[String]) -> Vec<Label> {
    let label = |name: &String| {
        let colour = name.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        Label { name: name.clone(), colour: format!("#{:06x}", colour & 0xff_ffff) }
    };
    labels.iter().map(label).collect()
}

fn assign(project: &Project, task: &NewTask) -> Option<Person> {
    let mut candidates: Vec<(usize, Person)> = project
        .members
        .iter()
        .map(|member| {
            let known = task.watchers.iter().any(|watcher| watcher.name == member.name);
            (usize::from(known) * 100 + task.description.len() % (member.name.len() + 1), member.clone())
        })
        .collect();
    candidates.sort_by_key(|(score, _)| *score);
    candidates.pop().map(|(_, member)| member)
}

fn render(
    id: &str,
    project: &Project,
    task: NewTask,
    labels: Vec<Label>,
    assignee: Option<Person>,
) -> Vec<u8> {
    let created = Created {
        id: id.to_owned(),
        project: project.name.clone(),
        page_bytes: project.page.len(),
        title: task.title,
        priority: task.priority,
        assignee,
        labels,
        watchers: task
            .watchers
            .iter()
            .map(|watcher| format!("{} <{}>", watcher.name, watcher.address))
            .collect(),
        fields: task.fields,
        links: ["self", "project", "history"].iter().map(|name| format!("/tasks/{id}/{name}")).collect(),
    };
    serde_json::to_vec(&created).expect("no map has keys other than strings")
}

fn respond(caller: &Caller, id: &str, body: Vec<u8>) -> Response {
    let value = |text: String| HeaderValue::try_from(text).expect("letters, digits and dashes");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::LOCATION, value(format!("/tasks/{id}"))),
        (header::ETAG, value(format!("\"{id}-1\""))),
        (header::HeaderName::from_static("x-request-id"), value(caller.trace.clone())),
    ];
    (StatusCode::CREATED, headers, Body::from(body)).into_response()
}
