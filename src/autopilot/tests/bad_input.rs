//! Bad input is answered with the right 4xx and a JSON error, on every route.
#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod served;
mod simulated;

use http::Request;
use serde_json::json;
use served::Running;

const TAKE_JSON: [&str; 4] = ["/tasks", "/sessions", "/reviews", "/catalogue/users/invalidate"];

#[tokio::test]
async fn what_is_no_json_is_a_bad_request() {
    let server = Running::healthy().await;
    for path in TAKE_JSON {
        for body in ["", "{", "nonsense", "{\"", "\u{0}"] {
            server.ask(Request::post(path), body).await.error(400);
        }
    }
}

#[tokio::test]
async fn json_that_is_not_what_was_asked_for_is_unprocessable() {
    let server = Running::healthy().await;
    for path in TAKE_JSON {
        for body in [json!({}), json!({ "unknown": 1 }), json!(null), json!("text")] {
            server.post(path, body).await.error(422);
        }
    }
    for (path, body) in [
        ("/tasks", json!({ "title": "a", "priority": "urgent" })),
        ("/tasks", json!({ "title": "  " })),
        ("/tasks", json!({ "title": "x".repeat(1_001) })),
        ("/tasks", json!({ "title": "a", "issue": "../escape" })),
        ("/tasks", json!({ "title": "a", "unknown": 1 })),
        ("/sessions", json!({ "prompt": " " })),
        ("/sessions", json!({ "prompt": "a", "resume": "../../etc/passwd" })),
        ("/sessions", json!({ "prompt": "a", "issue": "a/b" })),
        ("/reviews", json!({ "text": "a", "models": ["--flag"] })),
        ("/reviews", json!({ "text": "a", "models": vec!["alpha"; 17] })),
        ("/catalogue/users/invalidate", json!({ "pattern": "" })),
    ] {
        server.post(path, body).await.error(422);
    }
    assert_eq!(server.get("/tasks").await.ok(200)["tasks"], json!([]));
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large() {
    let server = Running::new("none", |config| config.body_limit = 1_000).await;
    let body = json!({ "title": "a", "description": "x".repeat(2_000) }).to_string();
    for path in TAKE_JSON.into_iter().chain(["/webhook"]) {
        let answer = server.ask(Request::post(path), body.clone()).await;
        assert_eq!(answer.error(413), "the body is larger than this server takes");
    }
}

#[tokio::test]
async fn ids_that_could_leave_the_data_folder_are_refused() {
    let server = Running::healthy().await;
    for id in ["..%2F..%2Fetc%2Fpasswd", "%2e%2e", "a%00b", "a%20b", "%ff", &"x".repeat(65)] {
        for path in [
            format!("/tasks/{id}"),
            format!("/sessions/{id}"),
            format!("/catalogue/users/{id}"),
            format!("/catalogue/{id}/key"),
            format!("/labels/{id}"),
        ] {
            server.get(&path).await.error(400);
        }
        server.delete(&format!("/sessions/{id}")).await.error(400);
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let server = Running::healthy().await;
    for path in ["/", "/nowhere", "/tasks/task-0", "/sessions/session-0", "/catalogue/users", "/tasks/a/b"] {
        server.get(path).await.error(404);
    }
    server.delete("/sessions/session-0").await.error(404);
    server.post("/sessions", json!({ "prompt": "a", "resume": "session-0" })).await.error(404);
}

#[tokio::test]
async fn methods_a_path_does_not_have_are_not_allowed() {
    let server = Running::healthy().await;
    for path in ["/webhook", "/sessions", "/reviews", "/queue/pause", "/catalogue/users/invalidate/x"] {
        let answer = server.ask(Request::patch(path), "").await;
        assert!([404, 405].contains(&answer.status.as_u16()), "{path}: {}", answer.json);
        assert!(answer.json["error"].is_string());
    }
    server.delete("/tasks").await.error(405);
    server.ask(Request::put("/health"), "").await.error(405);
}
