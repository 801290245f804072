//! A stand-in for the issue tracker's API: a tiny HTTP server on loopback.
//!
//! `GET /catalogue/{namespace}/{key}` answers with a small JSON object, `POST /issues/{id}/comments` with 201. Keys and
//! ids that start with `FAIL` get a 500, those that start with `RESET` a connection that breaks off, those that start with
//! `HANG` never an answer, keys that start with `MISSING` a 404. `GET /comments` says how many comments were taken.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::lifeline::Lifeline;

/// How often the process the tracker works for is looked for.
const POLL: Duration = Duration::from_millis(200);

/// Comments taken so far. Only counted: a soak posts thousands.
type Comments = Arc<AtomicU64>;

/// Runs the tracker with its command line's arguments (without program and subcommand).
///
/// `--listen ADDRESS` (default `127.0.0.1:0`) says where; the one line on stdout, `listening on ADDRESS`, says where in
/// the end. `--while-pid PID` names the process it lives as long as; without it, that is its parent.
#[must_use]
pub fn run(arguments: impl Iterator<Item = String>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    let lifeline = Lifeline::from_arguments(&arguments);
    match listen(&arguments, lifeline) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tracker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn listen(arguments: &[String], lifeline: Lifeline) -> io::Result<()> {
    let flag = arguments.iter().position(|argument| argument == "--listen");
    let address = flag.and_then(|index| arguments.get(index + 1)).map_or("127.0.0.1:0", String::as_str);
    let address: SocketAddr =
        address.parse().map_err(|error| io::Error::other(format!("--listen '{address}': {error}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        let mut out = io::stdout().lock();
        writeln!(out, "listening on {}", listener.local_addr()?)?;
        out.flush()?;
        drop(out);
        let gone = async {
            while lifeline.holds() {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::select! {
            served = serve(listener) => served,
            () = gone => Ok(()),
        }
    })
}

/// Serves the API on a listener until dropped.
///
/// # Errors
///
/// Fails if the listener does.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    axum::serve(listener, router()).await
}

/// The API.
pub fn router() -> Router {
    Router::new()
        .route("/catalogue/{namespace}/{key}", get(look_up))
        .route("/issues/{id}/comments", post(comment))
        .route("/comments", get(count))
        .with_state(Comments::default())
}

async fn look_up(Path((namespace, key)): Path<(String, String)>) -> Response {
    match obey(&key).await {
        Ok(()) => {
            let name = format!("{key} of {namespace}");
            Json(json!({ "id": key, "namespace": namespace, "name": name })).into_response()
        }
        Err(refusal) => *refusal,
    }
}

async fn comment(
    State(comments): State<Comments>,
    Path(id): Path<String>,
    Json(_text): Json<Value>,
) -> Response {
    match obey(&id).await {
        Ok(()) => {
            comments.fetch_add(1, Ordering::Relaxed);
            StatusCode::CREATED.into_response()
        }
        Err(refusal) => *refusal,
    }
}

async fn count(State(comments): State<Comments>) -> Json<Value> {
    Json(json!({ "comments": comments.load(Ordering::Relaxed) }))
}

/// Does what an id or a key asks for by its first letters.
async fn obey(id: &str) -> Result<(), Box<Response>> {
    let refuse = |status: StatusCode| {
        let refusal = (status, Json(json!({ "error": "as the key asks for" })));
        Err(Box::new(refusal.into_response()))
    };
    if id.starts_with("HANG") {
        std::future::pending::<()>().await;
    }
    if id.starts_with("RESET") {
        // An error in the body makes the server drop the connection in the middle of the answer.
        let broken =
            futures_util::stream::once(async { Err::<Bytes, _>(io::Error::other("as the key asks for")) });
        return Err(Box::new(Body::from_stream(broken).into_response()));
    }
    if id.starts_with("FAIL") {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR);
    }
    if id.starts_with("MISSING") {
        return refuse(StatusCode::NOT_FOUND);
    }
    Ok(())
}
