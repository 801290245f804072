//! `POST /webhook` over real HTTP.
#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod served;
mod simulated;

use serde_json::{Value, json};
use served::{Running, event, sign};

#[tokio::test]
async fn a_comment_is_accepted_and_makes_no_task() {
    let server = Running::healthy().await;
    let answer = server.webhook(&event("Comment", "C-1", 0)).await;
    assert_eq!(answer.ok(200), &json!({ "accepted": true, "task": null }));
    assert_eq!(server.get("/tasks").await.ok(200)["tasks"], json!([]));
}

#[tokio::test]
async fn a_new_issue_becomes_a_task_that_is_done() {
    let server = Running::healthy().await;
    let answer = server.webhook(&event("Issue", "ISSUE-1", 0)).await;
    let task = answer.ok(200)["task"].as_str().unwrap().to_owned();
    let done = server.until(&format!("/tasks/{task}"), |task| task["state"] == "done").await;
    assert_eq!((&done["issue"], &done["priority"]), (&json!("ISSUE-1"), &json!("high")));
    assert_eq!(done["outcome"]["approved_by"], json!(["alpha", "beta"]));
}

#[tokio::test]
async fn a_second_webhook_for_an_issue_at_work_names_the_same_task() {
    let server = Running::healthy().await;
    server.post("/queue/pause", json!(null)).await.ok(200);
    let first = server.webhook(&event("Issue", "ISSUE-1", 0)).await;
    let second = server.webhook(&event("Issue", "ISSUE-1", 1_000)).await;
    assert_eq!(first.ok(200), second.ok(200));
}

#[tokio::test]
async fn a_replay_is_refused() {
    let server = Running::healthy().await;
    let body = event("Comment", "C-1", 0);
    server.webhook(&body).await.ok(200);
    assert_eq!(server.webhook(&body).await.error(409), "this webhook was accepted before");
}

#[tokio::test]
async fn a_signature_that_does_not_fit_is_refused_whatever_the_body() {
    let server = Running::healthy().await;
    let body = event("Comment", "C-1", 0);
    for wrong in ["", "00", &sign("another body"), &format!("{}zz", sign(&body)), &sign(&body).to_uppercase()]
    {
        server.signed(wrong, &body).await.error(401);
        server.signed(wrong, "{not json").await.error(401);
    }
    let unsigned = server.ask(http::Request::post("/webhook"), body).await;
    assert_eq!(unsigned.error(401), "the header Linear-Signature is missing");
}

#[tokio::test]
async fn webhooks_from_too_long_ago_or_from_the_future_are_refused() {
    let server = Running::healthy().await;
    server.webhook(&event("Comment", "C-1", 310_000)).await.error(401);
    server.webhook(&event("Comment", "C-1", -70_000)).await.error(401);
    server.webhook(&event("Comment", "C-1", 290_000)).await.ok(200);
    server.webhook(&event("Comment", "C-1", -50_000)).await.ok(200);
}

#[tokio::test]
async fn a_signed_body_that_is_no_webhook_is_malformed() {
    let server = Running::healthy().await;
    let now = heapsoak_probe::clock::unix_ms();
    for body in ["", "{not json", "[]", "{}", r#"{"webhookTimestamp":"soon"}"#] {
        server.webhook(body).await.error(400);
    }
    server.webhook(&format!(r#"{{"webhookTimestamp":{now}}}"#)).await.error(400);
    let without_data = format!(r#"{{"action":"create","type":"Issue","webhookTimestamp":{now}}}"#);
    server.webhook(&without_data).await.error(422);
    let escaping = event("Issue", "../../etc/passwd", 0);
    server.webhook(&escaping).await.error(422);
}

#[tokio::test]
async fn a_webhook_the_queue_refused_may_be_sent_again() {
    let server = Running::new("none", |config| config.queue_capacity = 0).await;
    let body = event("Issue", "ISSUE-1", 0);
    for _ in 0..2 {
        server.webhook(&body).await.error(503);
    }
    assert_eq!(server.get("/status").await.ok(200)["verifier"]["remembered"], json!(0));
}

#[tokio::test]
async fn as_found_one_signed_body_is_accepted_again_with_junk_behind_the_signature() {
    let server = Running::new("verifier.lenient-hex", |_| {}).await;
    let body = event("Comment", "C-1", 0);
    let signature = sign(&body);
    server.signed(&signature, &body).await.ok(200);
    server.signed(&signature, &body).await.error(409);
    for junk in ["zz", &"x".repeat(8_000)] {
        server.signed(&format!("{signature}{junk}"), &body).await.ok(200);
    }
    assert_eq!(remembered(&server).await, json!(3));
}

async fn remembered(server: &Running) -> Value {
    server.get("/status").await.ok(200)["verifier"]["remembered"].clone()
}
