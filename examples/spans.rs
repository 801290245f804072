//! A server that is instrumented with `tracing` already: each span is a component, and no scope is added by hand. Started
//! with `EXAMPLE_LEAK=1`, the parser caches every text it could not parse.

use std::alloc::System;
use std::sync::Mutex;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use heapsoak_probe::{Probe, SpanLayer};
use tracing_subscriber::layer::SubscriberExt as _;

#[global_allocator]
static ALLOCATOR: Probe<System> = Probe::new(System);

static UNPARSABLE: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    heapsoak_probe::start();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(SpanLayer::new()))?;
    let app = Router::new().route("/sum", post(sum)).layer(heapsoak_probe::layer());
    let port = std::env::var("PORT").unwrap_or_else(|_| "8080".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    Ok(axum::serve(listener, app).await?)
}

#[tracing::instrument(name = "summing", skip_all)]
async fn sum(body: String) -> Result<String, StatusCode> {
    let numbers = parse(&body).ok_or(StatusCode::BAD_REQUEST)?;
    Ok(numbers.iter().sum::<i64>().to_string())
}

#[tracing::instrument(name = "parsing", skip_all)]
fn parse(text: &str) -> Option<Vec<i64>> {
    let numbers = text.split(',').map(|number| number.trim().parse().ok()).collect();
    if Option::is_none(&numbers) && std::env::var_os("EXAMPLE_LEAK").is_some() {
        UNPARSABLE.lock().expect("no thread panics").push(text.to_owned());
    }
    numbers
}
