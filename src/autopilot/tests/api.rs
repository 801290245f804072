//! `/sessions`, `/reviews`, `/health` and `/status` over real HTTP, with simulators behind them.
#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod served;
mod simulated;

use serde_json::json;
use served::Running;

#[tokio::test]
async fn a_session_that_is_waited_for_answers_with_its_result() {
    let server = Running::healthy().await;
    let answer = server.post("/sessions", json!({ "prompt": "simulate: tools=3 text=20" })).await;
    assert_eq!(answer.ok(200)["tools"], json!(3));
    let shown = server.get(&format!("/sessions/{}", answer.id())).await;
    assert_eq!(shown.ok(200)["state"], json!("succeeded"));
    let resumed = json!({ "prompt": "simulate: tools=1", "resume": answer.id() });
    server.post("/sessions", resumed).await.ok(200);
}

#[tokio::test]
async fn a_session_whose_agent_fails_is_a_bad_gateway_that_names_it() {
    let server = Running::healthy().await;
    let answer = server.post("/sessions", json!({ "prompt": "simulate: tools=2 end=error" })).await;
    answer.error(502);
    assert_eq!(server.get(&format!("/sessions/{}", answer.id())).await.ok(200)["state"], json!("failed"));
}

#[tokio::test]
async fn a_session_can_be_cancelled_once() {
    let server = Running::healthy().await;
    let answer = server.post("/sessions", json!({ "prompt": "simulate: end=hang", "wait": false })).await;
    answer.ok(202);
    let path = format!("/sessions/{}", answer.id());
    server.delete(&path).await.ok(202);
    server.until(&path, |session| session["state"] == "cancelled").await;
    server.delete(&path).await.error(409);
}

#[tokio::test]
async fn sessions_beyond_the_limit_are_refused() {
    let server = Running::new("none", |config| config.max_sessions = 1).await;
    let hanging = json!({ "prompt": "simulate: end=hang", "wait": false });
    server.post("/sessions", hanging.clone()).await.ok(202);
    server.post("/sessions", hanging).await.error(503);
    server.end().await;
}

#[tokio::test]
async fn every_model_gives_its_verdict() {
    let server = Running::healthy().await;
    let answer = server.post("/reviews", json!({ "text": "simulate: output=20" })).await;
    let expected = json!([
        { "model": "alpha", "verdict": "APPROVE" },
        { "model": "beta", "verdict": "APPROVE" },
    ]);
    assert_eq!(answer.ok(200)["reviews"], expected);
    let answer =
        server.post("/reviews", json!({ "text": "simulate: verdict=reject", "models": ["one"] })).await;
    assert_eq!(answer.ok(200)["reviews"], json!([{ "model": "one", "verdict": "REJECT" }]));
    server.post("/reviews", json!({ "text": "a", "wait": false })).await.ok(202);
}

#[tokio::test]
async fn when_every_reviewer_fails_it_is_a_bad_gateway() {
    let server = Running::healthy().await;
    let answer = server.post("/reviews", json!({ "text": "simulate: end=fail" })).await;
    assert_eq!(answer.error(502), "no reviewer gave a verdict");
    assert!(answer.json["reviews"][0]["error"].is_string(), "{}", answer.json);
}

#[tokio::test]
async fn the_status_names_the_defects_that_are_switched_on() {
    let server = Running::new("cache,queue.fails-open", |_| {}).await;
    let status = server.get("/status").await;
    let defects = json!(["cache.order-array", "cache.namespaces", "queue.fails-open"]);
    assert_eq!(status.ok(200)["as_found"], defects);
    assert_eq!(server.get("/health").await.ok(200), &json!({ "status": "ok" }));
}

#[tokio::test]
async fn a_waited_request_is_answered_even_when_the_server_has_to_stop_under_it() {
    let server = Running::new("none", |config| {
        config.shutdown_grace = std::time::Duration::from_millis(100);
    })
    .await;
    let address = server.address;
    let asked = tokio::spawn(async move {
        let body = r#"{"prompt":"simulate: end=hang"}"#;
        let text = format!(
            "POST /sessions HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.unwrap();
        answer
    });
    server.until("/status", |status| status["sessions"]["running"] == 1).await;
    server.end().await;
    let answer = asked.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 5"), "{answer:?}");
    assert!(answer.contains("\"error\""), "{answer}");
}
