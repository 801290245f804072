//! Whatever becomes of a task, the threads it ran on are left in the context they were in.

mod support;

use std::time::Duration;

use heapsoak_probe::{Component, Context, Probe, RequestKind, count, heap, spawn, spawn_blocking};
use support::{assert_adds_up, context};

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

static OUTER: Component = Component::new("slow");
static INNER: Component = Component::new("inner");

fn runtime(workers: usize) -> tokio::runtime::Runtime {
    count();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .expect("the test can go on")
}

/// The contexts the runtime's workers are in between tasks, seen by plain tasks on each of them.
async fn workers_are_in(expected: Context) {
    for _ in 0..50 {
        let seen = tokio::spawn(async { Context::current() }).await.expect("the test can go on");
        assert_eq!(seen, expected);
    }
}

static LOSING: Component = Component::new("losing");
static WINNING: Component = Component::new("winning");

#[test]
fn the_losing_branch_of_a_select_leaves_no_scope_behind() {
    runtime(2).block_on(async {
        let here = Context::current();
        for round in 0..200_u64 {
            let slow = LOSING.charge(async {
                let kept = vec![1_u8; 10_000];
                // Cancelled inside a nested scope that is entered at each poll.
                WINNING.charge(tokio::time::sleep(Duration::from_secs(3_600))).await;
                drop(kept);
            });
            let quick = WINNING.charge(async move {
                for _ in 0..round % 5 {
                    tokio::task::yield_now().await;
                }
                Context::current()
            });
            tokio::select! {
                () = slow => unreachable!("it sleeps for an hour"),
                seen = quick => assert_eq!(seen, WINNING.context()),
            }
            assert_eq!(Context::current(), here);
        }
        workers_are_in(Context::default()).await;
    });
    let snapshot = heap();
    assert_adds_up(&snapshot);
    assert_eq!(context(&snapshot, "losing", None).live_bytes(), 0);
    assert_eq!(context(&snapshot, "losing/winning", None).live_bytes(), 0);
}

#[test]
fn an_aborted_task_frees_in_its_own_context_and_leaves_the_worker_clean() {
    runtime(1).block_on(async {
        for _ in 0..50 {
            let task = OUTER.scope(|| {
                spawn(async {
                    let _kept = vec![1_u8; 1_000];
                    std::future::pending::<()>().await;
                })
            });
            tokio::task::yield_now().await;
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
            workers_are_in(Context::default()).await;
        }
    });
}

#[test]
fn a_panic_in_a_poll_leaves_the_worker_in_its_own_context() {
    runtime(1).block_on(async {
        for _ in 0..20 {
            let task = OUTER.scope(|| {
                spawn(async {
                    tokio::task::yield_now().await;
                    let _scope = INNER.enter();
                    std::panic::resume_unwind(Box::new("on purpose"));
                })
            });
            assert!(task.await.unwrap_err().is_panic());
            workers_are_in(Context::default()).await;
        }
    });
}

#[test]
fn blocking_closures_run_in_their_callers_context_and_leave_the_thread_clean() {
    runtime(1).block_on(async {
        for _ in 0..50 {
            let (outer, seen) = OUTER.scope(|| (Context::current(), spawn_blocking(Context::current)));
            assert_eq!(seen.await.expect("the test can go on"), outer);
            assert_eq!(
                tokio::task::spawn_blocking(Context::current).await.expect("the test can go on"),
                Context::default()
            );
            let panicking =
                OUTER.scope(|| spawn_blocking(|| std::panic::resume_unwind(Box::new("on purpose"))));
            assert!(panicking.await.is_err_and(|error: tokio::task::JoinError| error.is_panic()));
            assert_eq!(
                tokio::task::spawn_blocking(Context::current).await.expect("the test can go on"),
                Context::default()
            );
        }
    });
}

#[test]
fn a_spawned_task_hands_its_components_and_kind_on_to_those_it_spawns() {
    runtime(2).block_on(async {
        let kind = RequestKind::named("session.fail");
        let outer = OUTER.scope(|| Context::current().with_kind(kind));
        let expected = {
            let _scope = outer.enter();
            INNER.context()
        };
        let seen = outer
            .charge(async {
                spawn(async {
                    tokio::task::yield_now().await;
                    let inner = INNER.charge(async {
                        spawn(async { Context::current() }).await.expect("the test can go on")
                    });
                    let unasked = tokio::spawn(async { Context::current() });
                    (inner.await, unasked.await.expect("the test can go on"), Context::current())
                })
                .await
                .expect("the test can go on")
            })
            .await;
        assert_eq!(seen, (expected, Context::default(), outer));
        workers_are_in(Context::default()).await;
    });
}
