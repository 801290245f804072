use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use heapsoak_probe::clock;
use serde::Serialize;

use crate::app::App;
use crate::cache::{Invalidation, Statistics};
use crate::queue::Counts;

#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
}

#[derive(Serialize)]
pub(super) struct Status {
    version: &'static str,
    as_found: Vec<&'static str>,
    uptime_s: u64,
    verifier: VerifierStatus,
    cache: CacheStatus,
    queue: QueueStatus,
    sessions: SessionsStatus,
}

#[derive(Serialize)]
struct VerifierStatus {
    remembered: usize,
}

#[derive(Serialize)]
struct CacheStatus {
    #[serde(flatten)]
    statistics: Statistics,
    last_invalidation: Option<Invalidation>,
}

#[derive(Serialize)]
struct QueueStatus {
    #[serde(flatten)]
    counts: Counts,
    writable: bool,
}

#[derive(Serialize)]
struct SessionsStatus {
    running: usize,
    kept: usize,
}

/// `GET /health`. A server that can't write its queue still serves everything else.
pub(super) async fn health(State(app): State<Arc<App>>) -> Json<Health> {
    Json(Health {
        status: if app.queue.is_writable() { "ok" } else { "degraded: the queue's file can't be written" },
    })
}

/// `GET /status`.
pub(super) async fn status(State(app): State<Arc<App>>) -> Json<Status> {
    Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        as_found: app.as_found.iter().map(crate::Defect::name).collect(),
        uptime_s: clock::monotonic().saturating_sub(app.started).as_secs(),
        verifier: VerifierStatus { remembered: app.verifier.remembered() },
        cache: CacheStatus { statistics: app.cache.statistics(), last_invalidation: app.last_invalidation() },
        queue: QueueStatus { counts: app.queue.counts(), writable: app.queue.is_writable() },
        sessions: SessionsStatus { running: app.sessions.count_running(), kept: app.sessions.count_kept() },
    })
}
