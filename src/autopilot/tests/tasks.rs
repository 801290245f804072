//! The queue over real HTTP: `/tasks` and `/queue`, with real agents and reviewers behind it.
#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod served;
mod simulated;

use serde_json::{Value, json};
use served::Running;

fn task(title: &str) -> Value {
    json!({ "title": title, "description": "simulate: tools=1 text=20 output=20" })
}

fn for_issue(issue: &str) -> Value {
    json!({ "title": "a title", "description": "simulate: tools=1 text=20 output=20", "issue": issue })
}

#[tokio::test]
async fn a_task_is_run_reviewed_and_done() {
    let server = Running::healthy().await;
    let added = server.post("/tasks", task("a title")).await;
    added.ok(202);
    let done = server.until(&format!("/tasks/{}", added.id()), |task| task["state"] == "done").await;
    assert_eq!((&done["attempts"], &done["title"]), (&json!(1), &json!("a title")));
    let session = done["outcome"]["session"].as_str().unwrap();
    assert_eq!(server.get(&format!("/sessions/{session}")).await.ok(200)["state"], json!("succeeded"));
}

#[tokio::test]
async fn a_rejected_task_has_failed_in_the_end() {
    let server = Running::new("none", |config| config.retries = 0).await;
    let added =
        server.post("/tasks", json!({ "title": "t", "description": "simulate: verdict=reject" })).await;
    let failed = server.until(&format!("/tasks/{}", added.id()), |task| task["state"] == "failed").await;
    assert!(failed["error"].as_str().unwrap().contains("rejected"), "{failed}");
}

#[tokio::test]
async fn a_paused_queue_keeps_its_tasks_until_it_goes_on() {
    let server = Running::healthy().await;
    assert_eq!(server.post("/queue/pause", json!(null)).await.ok(200)["paused"], json!(true));
    let added = server.post("/tasks", task("a")).await;
    let path = format!("/tasks/{}", added.id());
    assert_eq!(server.get(&path).await.ok(200)["state"], json!("queued"));
    assert_eq!(server.get("/status").await.ok(200)["queue"]["queued"], json!(1));
    assert_eq!(server.post("/queue/resume", json!(null)).await.ok(200)["paused"], json!(false));
    server.until(&path, |task| task["state"] == "done").await;
}

#[tokio::test]
async fn a_full_queue_refuses_further_tasks() {
    let server = Running::new("none", |config| config.queue_capacity = 2).await;
    server.post("/queue/pause", json!(null)).await.ok(200);
    server.post("/tasks", task("a")).await.ok(202);
    server.post("/tasks", task("b")).await.ok(202);
    let refused = server.post("/tasks", task("c")).await;
    assert!(refused.error(503).starts_with("the queue is full"));
    assert_eq!(server.get("/tasks").await.ok(200)["tasks"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_second_task_for_an_issue_is_refused() {
    let server = Running::healthy().await;
    server.post("/queue/pause", json!(null)).await.ok(200);
    server.post("/tasks", for_issue("ISSUE-1")).await.ok(202);
    let refused = server.post("/tasks", for_issue("ISSUE-1")).await;
    assert!(refused.error(409).starts_with("issue 'ISSUE-1' is in the queue already"));
}

#[tokio::test]
async fn as_found_a_second_task_for_an_issue_is_accepted() {
    let server = Running::new("queue.duplicate-check", |_| {}).await;
    server.post("/queue/pause", json!(null)).await.ok(200);
    for _ in 0..2 {
        server.post("/tasks", for_issue("ISSUE-1")).await.ok(202);
    }
}

#[tokio::test]
async fn waiting_tasks_outlive_the_server_and_are_done_by_the_next_one() {
    for as_found in ["none", "queue.rewrite-file"] {
        let server = Running::new(as_found, |_| {}).await;
        server.post("/queue/pause", json!(null)).await.ok(200);
        let added = server.post("/tasks", for_issue("ISSUE-1")).await;
        let server = server.restart().await;
        server.until(&format!("/tasks/{}", added.id()), |task| task["state"] == "done").await;
        server.end().await;
    }
}

#[tokio::test]
async fn a_task_at_work_when_the_server_stops_is_begun_again_by_the_next_one() {
    let server = Running::new("none", |config| {
        config.shutdown_grace = std::time::Duration::from_millis(50);
    })
    .await;
    let hanging = json!({ "title": "t", "description": "simulate: end=hang" });
    let path = format!("/tasks/{}", server.post("/tasks", hanging).await.id());
    server.until(&path, |task| task["state"] == "active").await;
    let server = server.restart().await;
    let active = server.until(&path, |task| task["state"] == "active").await;
    assert_eq!(active["attempts"], json!(2));
    server.end().await;
    simulated::eventually("no agent is left", || simulated::simulators().is_empty()).await;
}

#[tokio::test]
async fn with_the_data_file_unwritable_tasks_are_refused_and_the_waiting_ones_are_kept() {
    let server = Running::healthy().await;
    server.post("/queue/pause", json!(null)).await.ok(200);
    let kept = server.post("/tasks", task("kept")).await;
    server.obstruct();
    for _ in 0..3 {
        let refused = server.post("/tasks", for_issue("ISSUE-1")).await;
        let error = refused.error(503);
        assert!(error.contains("queue.json") && error.contains("was not accepted"), "{error}");
    }
    assert!(server.get("/health").await.ok(200)["status"].as_str().unwrap().starts_with("degraded"));
    server.restore();
    server.post("/queue/resume", json!(null)).await.ok(200);
    server.until(&format!("/tasks/{}", kept.id()), |task| task["state"] == "done").await;
    server.post("/tasks", for_issue("ISSUE-1")).await.ok(202);
    assert_eq!(server.get("/health").await.ok(200)["status"], json!("ok"));
}

#[tokio::test]
async fn as_found_with_the_data_file_unwritable_tasks_stay_active_for_ever() {
    let server = Running::new("queue", |config| config.queue_capacity = 5).await;
    server.obstruct();
    for number in 0..20 {
        server.post("/tasks", for_issue(&format!("ISSUE-{number}"))).await.ok(202);
        server.until("/status", |status| status["queue"]["active"] == json!(number + 1)).await;
    }
    server.restore();
    let later = server.post("/tasks", task("later")).await;
    server.until(&format!("/tasks/{}", later.id()), |task| task["state"] == "done").await;
    let queue = server.get("/status").await.ok(200)["queue"].clone();
    assert_eq!((&queue["active"], &queue["running"]), (&json!(20), &json!(0)), "{queue}");
}
