//! Notes behind axum. Started with `EXAMPLE_LEAK=1`, a note that does not parse is kept for ever.

use std::alloc::System;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use heapsoak_probe::{Component, Probe};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: Probe<System> = Probe::new(System);

static NOTES: Component = Component::new("notes");

/// Most notes kept; the oldest go first.
const CAPACITY: usize = 100;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    text: String,
}

#[derive(Debug, Default)]
struct Notes {
    kept: Mutex<VecDeque<Note>>,
    /// What a forgetful programmer keeps "to look at later".
    rejected: Mutex<Vec<String>>,
    leaks: bool,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    heapsoak_probe::start();
    let notes = Arc::new(Notes { leaks: std::env::var_os("EXAMPLE_LEAK").is_some(), ..Notes::default() });
    let app = Router::new()
        .route("/notes", post(add))
        .route("/notes/{index}", get(show))
        .route_layer(NOTES.layer())
        .with_state(notes)
        .layer(heapsoak_probe::layer());
    let port = std::env::var("PORT").unwrap_or_else(|_| "8080".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    axum::serve(listener, app).await
}

async fn add(State(notes): State<Arc<Notes>>, body: String) -> (StatusCode, String) {
    let Ok(note) = serde_json::from_str::<Note>(&body) else {
        if notes.leaks {
            notes.rejected.lock().expect("no thread panics").push(format!("rejected: {body}"));
        }
        return (StatusCode::UNPROCESSABLE_ENTITY, "that is no note".to_owned());
    };
    let mut kept = notes.kept.lock().expect("no thread panics");
    kept.push_back(note);
    if kept.len() > CAPACITY {
        kept.pop_front();
    }
    (StatusCode::CREATED, kept.len().to_string())
}

async fn show(State(notes): State<Arc<Notes>>, Path(index): Path<usize>) -> Result<Json<Note>, StatusCode> {
    let kept = notes.kept.lock().expect("no thread panics");
    kept.get(index).cloned().map(Json).ok_or(StatusCode::NOT_FOUND)
}
