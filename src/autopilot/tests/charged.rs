//! What the server's requests leave behind and allocate, counted by the probe: the defects do what they are said to
//! do, and the fixed server does not. Every test has request kinds of its own, so that they don't meet.
#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod served;
mod simulated;

use std::alloc::System;
use std::time::Duration;

use heapsoak_probe::Probe;
use http::Request;
use serde_json::json;
use served::{Answer, Running, event, sign};

#[global_allocator]
static ALLOCATOR: Probe<System> = Probe::new(System);

/// What the tables of a queue take once they were used, in bytes, however few tasks are left in them.
const EMPTY_QUEUE: u64 = 1_100;

/// Counts of a component and a request kind.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    live: u64,
    allocated: u64,
}

fn counts(component: &str, kind: &str) -> Counts {
    let mut sum = Counts::default();
    for context in &heapsoak_probe::heap().contexts {
        if context.component() == component && context.kind.as_deref() == Some(kind) {
            sum.live += context.live_bytes();
            sum.allocated += context.allocated_bytes;
        }
    }
    sum
}

/// The live bytes of a component and a kind once they stand still.
async fn settled(component: &str, kind: &str) -> u64 {
    let mut before = None;
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(25)).await;
        let now = counts(component, kind).live;
        if before == Some(now) {
            return now;
        }
        before = Some(now);
    }
    panic!("{component} does not come to rest");
}

async fn server(as_found: &str) -> Running {
    heapsoak_probe::count();
    Running::new(as_found, |_| {}).await
}

async fn get(server: &Running, kind: &str, path: &str) -> Answer {
    server.ask(Request::get(path).header("heapsoak-kind", kind), "").await
}

async fn add_task(server: &Running, kind: &str, issue: &str) -> Answer {
    let body = json!({ "title": "a title", "description": "simulate: tools=1 text=20", "issue": issue });
    server.ask(Request::post("/tasks").header("heapsoak-kind", kind), body.to_string()).await
}

/// Live bytes per request that 200 requests for unknown namespaces leave.
async fn unknown_namespaces(as_found: &str, kind: &str) -> u64 {
    let server = server(as_found).await;
    for number in 0..200 {
        get(&server, kind, &format!("/catalogue/unknown-{number}/key")).await.error(404);
    }
    settled("cache", kind).await / 200
}

#[tokio::test]
async fn unknown_namespaces_stay_as_found_and_leave_nothing_when_fixed() {
    let each = unknown_namespaces("cache", "t.namespaces-as-found").await;
    assert!((200..1_000).contains(&each), "{each} bytes each");
    assert_eq!(unknown_namespaces("none", "t.namespaces-fixed").await, 0);
}

/// Bytes that a hit allocates in a cache of so many entries.
async fn churn(as_found: &str, entries: usize) -> u64 {
    let server = server(as_found).await;
    for key in 0..entries {
        get(&server, "t.fill", &format!("/catalogue/users/u-{key:04}")).await.ok(200);
    }
    let kind = format!("t.hit-{as_found}-{entries}");
    for key in 0..20 {
        get(&server, &kind, &format!("/catalogue/users/u-{key:04}")).await.ok(200);
    }
    settled("cache", &kind).await;
    counts("cache", &kind).allocated / 20
}

#[tokio::test]
async fn a_hit_allocates_in_proportion_to_the_entries_as_found_and_not_when_fixed() {
    let (small, large) = (churn("cache.order-array", 50).await, churn("cache.order-array", 550).await);
    let per_entry = (large - small) as f64 / 500.0;
    assert!((20.0..60.0).contains(&per_entry), "{per_entry} bytes per entry: {small}, {large}");
    let (small, large) = (churn("none", 50).await, churn("none", 550).await);
    assert!(large.abs_diff(small) < 100, "{small} bytes at 50 entries, {large} at 550");
    assert!(small < 4_000, "{small} bytes for a hit");
}

#[tokio::test]
async fn junk_behind_a_signature_is_kept_as_found_and_not_when_fixed() {
    for (as_found, kind, status) in [("verifier", "t.junk-as-found", 200), ("none", "t.junk-fixed", 401)] {
        let server = server(as_found).await;
        let body = event("Comment", "C-1", 0);
        for number in 0..50 {
            let spelling = format!("{}zz{number}{}", sign(&body), "x".repeat(8_000));
            let request =
                Request::post("/webhook").header("heapsoak-kind", kind).header("Linear-Signature", spelling);
            assert_eq!(server.ask(request, body.clone()).await.status.as_u16(), status);
        }
        let each = settled("verifier", kind).await / 50;
        if status == 200 {
            assert!((8_064..8_700).contains(&each), "{each} bytes each");
        } else {
            assert_eq!(each, 0);
        }
    }
}

#[tokio::test]
async fn tasks_that_can_not_be_written_stay_as_found_and_leave_nothing_when_fixed() {
    for (as_found, kind, status) in [("queue", "t.stuck", 202), ("none", "t.refused", 503)] {
        let server = server(as_found).await;
        server.obstruct();
        for number in 0..100 {
            let answer = add_task(&server, kind, &format!("ISSUE-{number}")).await;
            assert_eq!(answer.status.as_u16(), status, "{}", answer.json);
        }
        let left = settled("queue", kind).await;
        if status == 202 {
            assert!((40_000..150_000).contains(&left), "{left} bytes of 100 tasks");
        } else {
            assert!(left <= EMPTY_QUEUE, "{left} bytes");
        }
    }
}

#[tokio::test]
async fn a_task_is_written_whole_as_found_and_as_a_line_when_fixed() {
    let mut written = Vec::new();
    for (as_found, kind) in [("queue.rewrite-file", "t.rewrite"), ("none", "t.append")] {
        let server = server(as_found).await;
        server.post("/queue/pause", json!(null)).await.ok(200);
        for number in 0..300 {
            add_task(&server, kind, &format!("ISSUE-{number}")).await.ok(202);
        }
        settled("queue", kind).await;
        written.push(counts("queue", kind).allocated / 300);
    }
    assert!(written[0] > 10 * written[1], "{written:?} bytes a task");
}

#[tokio::test]
async fn the_work_of_a_task_is_charged_to_the_request_that_asked_for_it() {
    let server = server("none").await;
    let id = add_task(&server, "t.task", "ISSUE-1").await.id().to_owned();
    server.until(&format!("/tasks/{id}"), |task| task["state"] == "done").await;
    let heap = heapsoak_probe::heap();
    for path in [vec!["queue"], vec!["queue", "session"], vec!["queue", "process"]] {
        let found = heap
            .contexts
            .iter()
            .any(|context| context.path == path && context.kind.as_deref() == Some("t.task"));
        assert!(found, "nothing is charged to {path:?}");
    }
}

#[tokio::test]
async fn finished_tasks_beyond_those_that_are_known_leave_nothing_behind() {
    heapsoak_probe::count();
    let server = Running::new("none", |config| config.finished_tasks = 2).await;
    for number in 0..8 {
        let kind = if number < 4 { "t.finished-early" } else { "t.finished-late" };
        add_task(&server, kind, &format!("ISSUE-{number}")).await.ok(202);
        server
            .until("/status", |status| status["queue"]["running"] == 0 && status["queue"]["queued"] == 0)
            .await;
    }
    let left = settled("queue", "t.finished-early").await;
    assert!(left <= EMPTY_QUEUE, "{left} bytes");
    assert!(settled("queue", "t.finished-late").await > 0);
}
