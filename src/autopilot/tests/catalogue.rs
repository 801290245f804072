//! The cache over real HTTP, with a simulated tracker behind it.
#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod served;
mod simulated;

use serde_json::{Value, json};
use served::Running;

async fn cache(server: &Running) -> Value {
    server.get("/status").await.ok(200)["cache"].clone()
}

#[tokio::test]
async fn a_look_up_is_loaded_once() {
    for as_found in ["none", "cache"] {
        let server = Running::new(as_found, |_| {}).await;
        let first = server.get("/catalogue/users/u-1").await;
        let second = server.get("/catalogue/users/u-1").await;
        assert_eq!(first.ok(200), second.ok(200));
        let cache = cache(&server).await;
        assert_eq!((&cache["hits"], &cache["misses"]), (&json!(1), &json!(1)), "{as_found}");
    }
}

#[tokio::test]
async fn labels_are_a_namespace_of_the_catalogue() {
    let server = Running::healthy().await;
    let label = server.get("/labels/bug").await;
    assert_eq!(label.ok(200), server.get("/catalogue/labels/bug").await.ok(200));
    assert_eq!(cache(&server).await["hits"], json!(1));
}

#[tokio::test]
async fn entries_beyond_the_capacity_make_room() {
    for as_found in ["none", "cache"] {
        let server = Running::new(as_found, |config| config.cache_capacity = 3.try_into().unwrap()).await;
        for key in 0..10 {
            server.get(&format!("/catalogue/users/u-{key}")).await.ok(200);
        }
        let cache = cache(&server).await;
        assert_eq!((&cache["entries"], &cache["evictions"]), (&json!(3), &json!(7)), "{as_found}");
    }
}

#[tokio::test]
async fn an_invalidation_by_wildcard_removes_what_fits() {
    let server = Running::healthy().await;
    for key in ["abc-1", "abc-2", "xyz"] {
        server.get(&format!("/catalogue/projects/{key}")).await.ok(200);
    }
    let answer = server.post("/catalogue/projects/invalidate", json!({ "pattern": "abc*" })).await;
    assert_eq!(answer.ok(200), &json!({ "removed": 2 }));
    let last = cache(&server).await["last_invalidation"].clone();
    assert_eq!(last, json!({ "namespace": "projects", "pattern": "abc*", "removed": 2 }));
    server.post("/catalogue/nowhere/invalidate", json!({ "pattern": "*" })).await.error(404);
}

#[tokio::test]
async fn an_unknown_namespace_is_not_found_and_leaves_nothing_behind() {
    let server = Running::healthy().await;
    for number in 0..20 {
        server.get(&format!("/catalogue/unknown-{number}/a")).await.error(404);
    }
    assert_eq!(cache(&server).await["namespaces"], json!(3));
}

#[tokio::test]
async fn as_found_an_unknown_namespace_is_not_found_and_created() {
    let server = Running::new("cache.namespaces", |_| {}).await;
    for number in 0..20 {
        server.get(&format!("/catalogue/unknown-{number}/a")).await.error(404);
    }
    assert_eq!(cache(&server).await["namespaces"], json!(23));
}

#[tokio::test]
async fn a_tracker_that_fails_is_a_bad_gateway() {
    let server = Running::new("none", |config| config.tracker_url = "http://127.0.0.1:1".to_owned()).await;
    let answer = server.get("/catalogue/users/u-1").await;
    assert!(answer.error(502).contains("can't reach the tracker"), "{}", answer.json);
    assert_eq!(cache(&server).await["entries"], json!(0));
}
