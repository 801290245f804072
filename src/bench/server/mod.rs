//! The server that is asked: tasks come in as JSON, a project is looked up, an answer goes out as JSON.
//!
//! About 122 allocations and as many frees a request, of the sizes such a request has: two thirds of at most 24 bytes, some of a
//! few hundred, and the bodies. It keeps a cache that turns over and a log of the latest lines, so that blocks outlive
//! their request. Nothing is random: hashing has a fixed key, and requests are drawn from a fixed sequence.

mod cache;
mod client;
mod handler;
mod model;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;

pub use client::Client;

use crate::scoping::Scoping;
use cache::Cache;

/// What the server holds.
#[derive(Debug)]
pub struct Data {
    cache: Cache,
    log: std::collections::VecDeque<String>,
    stored: u64,
}

/// The server, and what it holds: a cache of so many entries to begin with.
pub fn router<S: Scoping>(scoping: S, entries: u32) -> (Router, Arc<Mutex<Data>>) {
    let data = Arc::new(Mutex::new(Data {
        cache: scoping.within(crate::scoping::Part::Cache, || Cache::filled(entries)),
        log: std::collections::VecDeque::new(),
        stored: 0,
    }));
    let state = handler::State { scoping, data: Arc::clone(&data) };
    let router =
        Router::new().route("/projects/{project}/tasks", post(handler::create_task::<S>)).with_state(state);
    (router, data)
}
