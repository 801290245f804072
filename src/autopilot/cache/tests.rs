use std::convert::Infallible;
use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::testing::config;

const VARIANTS: [&str; 2] = ["none", "cache.order-array"];

fn cache(as_found: &str, change: impl FnOnce(&mut Config)) -> Cache {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path(), as_found);
    config.cache_capacity = NonZeroUsize::new(3).unwrap();
    change(&mut config);
    Cache::new(&config)
}

fn id(text: &str) -> Id {
    text.parse().unwrap()
}

/// Looks up a key of `users`; returns whether it had to be loaded.
async fn loads(cache: &Cache, key: &str) -> bool {
    let mut loaded = false;
    let load = || {
        loaded = true;
        ready(Ok::<_, Infallible>(Some(json!({ "key": key }))))
    };
    let value = cache.look_up(&id("users"), &id(key), load).await.unwrap().unwrap();
    assert_eq!(*value, json!({ "key": key }));
    loaded
}

#[tokio::test]
async fn a_second_look_up_is_answered_from_the_cache() {
    for variant in VARIANTS {
        let cache = cache(variant, |_| ());
        assert!(loads(&cache, "a").await);
        assert!(!loads(&cache, "a").await, "{variant}");
        let statistics = cache.statistics();
        assert_eq!((statistics.hits, statistics.misses, statistics.entries), (1, 1, 1));
    }
}

#[tokio::test]
async fn the_entry_not_used_for_longest_makes_room() {
    for variant in VARIANTS {
        let cache = cache(variant, |_| ());
        for key in ["a", "b", "c", "a", "d"] {
            loads(&cache, key).await;
        }
        assert_eq!(cache.statistics().evictions, 1);
        assert!(!loads(&cache, "a").await, "{variant}: it was used after b");
        assert!(!loads(&cache, "c").await && !loads(&cache, "d").await);
        assert!(loads(&cache, "b").await, "{variant}: b was not used for longest");
        assert_eq!(cache.statistics().entries, 3);
    }
}

#[tokio::test]
async fn an_entry_past_its_time_to_live_is_loaded_again() {
    for variant in VARIANTS {
        let cache = cache(variant, |config| config.cache_ttl = Duration::ZERO);
        assert!(loads(&cache, "a").await);
        assert!(loads(&cache, "a").await, "{variant}");
        assert_eq!(cache.statistics().expirations, 1);
        cache.sweep();
        let statistics = cache.statistics();
        assert_eq!((statistics.expirations, statistics.entries), (2, 0));
    }
}

#[tokio::test]
async fn an_invalidation_removes_what_fits_and_tells_the_hooks() {
    for variant in VARIANTS {
        let cache = cache(variant, |_| ());
        let told = Arc::new(AtomicUsize::new(0));
        let hook_told = Arc::clone(&told);
        cache.on_invalidation(move |done| {
            hook_told.fetch_add(done.removed, Ordering::Relaxed);
        });
        for key in ["abc1", "abc2", "xyz"] {
            loads(&cache, key).await;
        }
        assert_eq!(cache.invalidate(&id("users"), "abc*".parse().unwrap()), Some(2));
        assert_eq!(told.load(Ordering::Relaxed), 2);
        assert!(!loads(&cache, "xyz").await, "{variant}");
        assert!(loads(&cache, "abc1").await, "{variant}");
        assert_eq!(cache.invalidate(&id("nowhere"), "*".parse().unwrap()), None);
    }
}

#[tokio::test]
async fn a_value_loaded_before_an_invalidation_is_not_kept_after_it() {
    let cache = cache("none", |_| ());
    let load = async || {
        cache.invalidate(&id("users"), "*".parse().unwrap());
        Ok::<_, Infallible>(Some(json!("stale")))
    };
    cache.look_up(&id("users"), &id("a"), load).await.unwrap();
    assert_eq!(cache.statistics().entries, 0);
}

#[tokio::test]
async fn what_does_not_exist_or_fails_is_not_kept() {
    let cache = cache("none", |_| ());
    let missing = cache.look_up(&id("users"), &id("a"), || ready(Ok::<_, &str>(None))).await;
    assert_eq!(missing, Ok(None));
    let failing = cache.look_up(&id("users"), &id("a"), || ready(Err("tracker down"))).await;
    assert_eq!(failing, Err(LookUpError::Load("tracker down")));
    assert_eq!(cache.statistics().entries, 0);
}

#[tokio::test]
async fn asking_for_an_unknown_namespace_creates_nothing() {
    let cache = cache("cache.order-array", |_| ());
    for number in 0..100 {
        let namespace = id(&format!("unknown-{number}"));
        let answer = cache.look_up(&namespace, &id("a"), || ready(Ok::<_, Infallible>(Some(json!(1))))).await;
        assert_eq!(answer, Err(LookUpError::UnknownNamespace(namespace)));
    }
    assert_eq!(cache.statistics().namespaces, 3);
}

#[tokio::test]
async fn as_found_asking_for_an_unknown_namespace_creates_it_and_still_has_no_answer() {
    for variant in ["cache.namespaces", "cache"] {
        let cache = cache(variant, |_| ());
        for round in 0..2 {
            for number in 0..100 {
                let namespace = id(&format!("unknown-{number}"));
                let answer =
                    cache.look_up(&namespace, &id("a"), || ready(Ok::<_, Infallible>(Some(json!(1))))).await;
                assert_eq!(answer, Err(LookUpError::UnknownNamespace(namespace)), "round {round}");
            }
            assert_eq!(cache.statistics().namespaces, 103, "{variant}, round {round}");
        }
    }
}
