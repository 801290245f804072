//! What a soak inside a test finds, and what it says of it. The tests of this file run beside each other, in one process.

#![allow(clippy::unwrap_used, reason = "this is a test")]

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use heapsoak_probe::Component;
use heapsoak_testing::{Soak, Soaked};
use heapsoak_verdict::{ComponentVerdict, RunVerdict};

heapsoak_testing::allocator!();

static SESSION: Component = Component::new("session");
static CACHE: Component = Component::new("cache");

fn growth(soaked: &Soaked, component: &str) -> f64 {
    soaked.judgement().component(component).unwrap().growth_bytes_per_1000_requests.estimate
}

fn open_session(open: &mut HashMap<u64, Vec<u8>>, number: u64) {
    SESSION.scope(|| open.insert(number, vec![0; 250]));
}

#[test]
fn a_leak_is_found_with_component_growth_and_line() {
    let mut open = HashMap::with_capacity(100_000);
    let soaked = Soak::new("sessions").run(|number| {
        open_session(&mut open, number);
        CACHE.scope(|| std::hint::black_box(vec![1_u8; 100]));
    });
    assert_eq!(soaked.judgement().verdict, RunVerdict::Leak);
    assert!((growth(&soaked, "session") - 250_000.0).abs() < 1.0);
    assert_eq!(soaked.judgement().component("cache").unwrap().verdict, ComponentVerdict::Stable);
    let failure = soaked.failure().unwrap();
    assert!(failure.starts_with("'sessions' leaks (2000 iterations)"), "{failure}");
    assert!(failure.contains("session grows by 250000 bytes per 1,000 iterations"), "{failure}");
    assert!(failure.contains("tests/leaks.rs:") && failure.contains("open_session"), "{failure}");
    assert!(!failure.contains("requests"), "{failure}");
}

#[test]
fn a_failing_test_panics_with_the_failure() {
    let mut kept = Vec::new();
    let soaked = Soak::new("kept").run(|number| kept.push(Box::new(number)));
    let panic = std::panic::catch_unwind(|| soaked.assert_no_leak()).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), &soaked.failure().unwrap());
}

#[test]
fn a_cache_that_fills_and_turns_over_passes() {
    let mut cache: VecDeque<Vec<u8>> = VecDeque::new();
    Soak::new("a cache")
        .run(|_| {
            if cache.len() == 150 {
                cache.pop_front();
            }
            cache.push_back(vec![0; 500]);
        })
        .assert_no_leak();
}

#[test]
fn what_leaks_beside_it_on_another_thread_is_not_held_against_a_soak() {
    let stop = Arc::new(AtomicBool::new(false));
    let beside = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                // In the same component, even.
                SESSION.scope(|| kept.push(vec![0_u8; 64]));
                std::thread::yield_now();
            }
            kept.len()
        })
    };
    let soaked = Soak::new("beside a leak").run(|_| {
        SESSION.scope(|| std::hint::black_box(vec![0_u8; 300]));
    });
    stop.store(true, Ordering::Relaxed);
    assert!(beside.join().unwrap() > 0);
    soaked.assert_no_leak();
    let session = soaked.judgement().component("session").unwrap();
    assert_eq!(session.live_bytes.peak, 0);
    assert!((session.allocated_bytes_per_request - 300.0).abs() < f64::EPSILON);
}

#[test]
fn soaks_beside_each_other_each_count_their_own_to_the_byte() {
    let threads: Vec<_> = (1..=4_u64)
        .map(|thread| {
            std::thread::spawn(move || {
                let mut kept = Vec::with_capacity(100_000);
                let bytes = usize::try_from(thread * 16).unwrap();
                let soaked = Soak::new("beside").run(|_| kept.push(SESSION.scope(|| vec![0_u8; bytes])));
                (thread, growth(&soaked, "session"), soaked.judgement().requests.sent)
            })
        })
        .collect();
    for thread in threads {
        let (thread, growth, iterations) = thread.join().unwrap();
        assert_eq!(iterations, 2_000);
        assert!((growth - thread as f64 * 16_000.0).abs() < 1.0, "thread {thread}: {growth}");
    }
}

#[test]
fn tasks_of_an_async_soak_are_in_its_scope_and_waited_for() {
    let kept = RefCell::new(Vec::with_capacity(100_000));
    let soaked = Soak::new("tasks").iterations(1_000).run_async(async |number| {
        let task = tokio::spawn(async move {
            tokio::task::yield_now().await;
            vec![0_u8; 120]
        });
        if number % 2 == 0 {
            let block = task.await.unwrap();
            kept.borrow_mut().push(block);
        }
    });
    assert!((growth(&soaked, "tasks") - 60_000.0).abs() < 1_000.0, "{}", growth(&soaked, "tasks"));
}

#[test]
fn iterations_that_do_not_land_make_the_soak_invalid() {
    let soaked = Soak::new("failing").run(|number| {
        std::hint::black_box(vec![0_u8; 10]);
        number % 50 != 0
    });
    let failure = soaked.failure().unwrap();
    assert!(failure.contains("can't be judged") && failure.contains("98"), "{failure}");
}

#[test]
fn a_component_that_is_named_and_never_reached_makes_the_soak_invalid() {
    let soaked = Soak::new("misnamed").components(["session", "sesion"]).run(|_| {
        SESSION.scope(|| std::hint::black_box(vec![0_u8; 10]));
    });
    let failure = soaked.failure().unwrap();
    assert!(failure.contains("component sesion: no iteration allocates in it"), "{failure}");
}

#[test]
fn a_budget_lets_a_known_growth_pass_and_no_more() {
    let soak = |allowed: f64| {
        let mut kept = Vec::with_capacity(100_000);
        let budget =
            heapsoak_record::ComponentBudget { growth_per_1000: Some(allowed), ..Default::default() };
        Soak::new("known").budget("session", budget).run(|_| kept.push(SESSION.scope(|| vec![0_u8; 100])))
    };
    soak(110_000.0).assert_no_leak();
    assert!(soak(90_000.0).failure().unwrap().contains("budget of session"));
}

#[test]
fn an_iteration_that_allocates_nothing_passes() {
    Soak::new("nothing").run(|number| number < u64::MAX).assert_no_leak();
}
