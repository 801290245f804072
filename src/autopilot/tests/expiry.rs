//! What the passing of time does, with the clock advanced. The clock belongs to the whole process, so there is one
//! test after the other in here.
#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod served;
mod simulated;

use std::time::Duration;

use heapsoak_probe::clock;
use serde_json::json;
use served::{Running, event};

const SIX_MINUTES: Duration = Duration::from_secs(360);

#[tokio::test]
async fn after_its_window_a_signature_is_forgotten_and_still_refused() {
    let _turn = simulated::my_turn().await;
    let server = Running::healthy().await;
    let body = event("Comment", "C-1", 0);
    server.webhook(&body).await.ok(200);
    clock::advance(SIX_MINUTES);
    server.until("/status", |status| status["verifier"]["remembered"] == 0).await;
    server.webhook(&body).await.error(401);
}

#[tokio::test]
async fn as_found_a_signature_is_never_forgotten() {
    let _turn = simulated::my_turn().await;
    let server = Running::new("verifier.no-expiry", |_| {}).await;
    server.webhook(&event("Comment", "C-1", 0)).await.ok(200);
    clock::advance(SIX_MINUTES);
    server.webhook(&event("Comment", "C-2", 0)).await.ok(200);
    assert_eq!(server.get("/status").await.ok(200)["verifier"]["remembered"], json!(2));
}

#[tokio::test]
async fn an_entry_of_the_cache_is_gone_when_its_time_is_over() {
    let _turn = simulated::my_turn().await;
    for as_found in ["none", "cache.order-array"] {
        let server = Running::new(as_found, |_| {}).await;
        server.get("/catalogue/users/u-1").await.ok(200);
        assert_eq!(server.get("/status").await.ok(200)["cache"]["entries"], json!(1));
        clock::advance(SIX_MINUTES);
        let status = server.until("/status", |status| status["cache"]["entries"] == 0).await;
        assert_eq!(status["cache"]["expirations"], json!(1));
    }
}

#[tokio::test]
async fn a_failed_task_is_tried_again_when_its_pause_is_over() {
    let _turn = simulated::my_turn().await;
    let change = |config: &mut autopilot::Config| {
        config.retries = 1;
        config.retry_backoff = Duration::from_secs(1_000);
    };
    let server = Running::new("none", change).await;
    let task = json!({ "title": "a task", "description": "simulate: end=error" });
    let id = server.post("/tasks", task).await.id().to_owned();
    let path = format!("/tasks/{id}");
    let delayed = server.until(&path, |task| task["state"] == "delayed").await;
    assert_eq!(delayed["attempts"], json!(1));
    assert!(delayed["error"].as_str().unwrap().contains("agent"), "{delayed}");
    clock::advance(Duration::from_secs(1_001));
    let failed = server.until(&path, |task| task["state"] == "failed").await;
    assert_eq!(failed["attempts"], json!(2));
}
