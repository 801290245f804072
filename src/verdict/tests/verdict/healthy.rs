//! Servers that do not leak are not said to.

use std::collections::VecDeque;

use crate::server::{Block, Step, soak};
use heapsoak_verdict::{ComponentVerdict, Judgement, Pattern, RunVerdict, judge};

fn assert_no_leak(judgement: &Judgement) {
    let why: Vec<_> = judgement.components.iter().map(|component| &component.evidence).collect();
    assert_eq!(judgement.verdict, RunVerdict::Clean, "{:#?}", (&judgement.reasons, why));
    assert!(judgement.findings.is_empty(), "{:#?}", judgement.findings);
}

/// Keeps the newest `capacity` entries.
fn bounded_queue(capacity: usize, bytes: u64) -> impl FnMut(&mut crate::server::Server, Step<'_>) {
    let mut queue: VecDeque<Block> = VecDeque::new();
    move |server, step| {
        if let Step::Request(..) = step {
            queue.push_back(server.alloc("cache", bytes));
            if queue.len() > capacity {
                let oldest = queue.pop_front().expect("it is not empty");
                server.free(oldest);
            }
        }
    }
}

#[test]
fn requests_that_free_what_they_allocate_are_stable() {
    let judgement = judge(&soak(&[("a.b", 1)]).run(|server, step| {
        if let Step::Request(..) = step {
            server.churn("a", 3000);
        }
    }));
    assert_no_leak(&judgement);
    let a = judgement.component("a").unwrap();
    assert_eq!(a.verdict, ComponentVerdict::Stable);
    assert!(a.minimum_detectable_bytes_per_1000_requests > 0.0);
}

#[test]
fn a_cache_that_fills_and_turns_over_is_bounded_at_its_capacity() {
    // From turning over within a cycle up to filling for three quarters of the run.
    for capacity in [100, 2000, 4000, 7000, 11_000] {
        let judgement = judge(&soak(&[("cache.put", 1)]).run(bounded_queue(capacity, 200)));
        assert_no_leak(&judgement);
        let cache = judgement.component("cache").unwrap();
        assert_eq!(cache.verdict, ComponentVerdict::Bounded, "{capacity}: {:?}", cache.evidence);
        assert_eq!(cache.bound_bytes, Some(200 * capacity as u64));
    }
}

#[test]
fn a_cache_that_turned_over_only_at_the_very_end_is_not_called_a_leak() {
    for capacity in [13_000, 14_000] {
        let judgement = judge(&soak(&[("cache.put", 1)]).run(bounded_queue(capacity, 200)));
        assert_ne!(judgement.verdict, RunVerdict::Leak, "{capacity}: {:?}", judgement.reasons);
    }
}

#[test]
fn a_cache_with_random_replacement_is_not_a_leak() {
    let mut slots: Vec<Block> = Vec::new();
    let judgement = judge(&soak(&[("cache.put", 1)]).run(|server, step| {
        if let Step::Request(..) = step {
            let block = server.alloc("cache", 300);
            if slots.len() < 1500 {
                slots.push(block);
            } else {
                let at = server.random(1500) as usize;
                let old = std::mem::replace(&mut slots[at], block);
                server.free(old);
            }
        }
    }));
    assert_no_leak(&judgement);
    assert_eq!(judgement.component("cache").unwrap().verdict, ComponentVerdict::Bounded);
}

#[test]
fn a_set_trimmed_from_ten_thousand_to_five_thousand_is_bounded() {
    let mut set: VecDeque<Block> = VecDeque::new();
    let mut soak = soak(&[("verifier.valid", 1)]);
    soak.per_cycle = 1000;
    let judgement = judge(&soak.run(|server, step| {
        if let Step::Request(..) = step {
            set.push_back(server.alloc("verifier", 100));
            if set.len() > 10_000 {
                for block in set.drain(..5000) {
                    server.free(block);
                }
            }
        }
    }));
    assert_no_leak(&judgement);
    let verifier = judgement.component("verifier").unwrap();
    assert_eq!(verifier.verdict, ComponentVerdict::Bounded, "{:?}", verifier.evidence);
    let bound = verifier.bound_bytes.unwrap();
    assert!((900_000..=1_000_000).contains(&bound), "{bound}");
}

#[test]
fn a_registry_of_finitely_many_keys_is_not_a_leak() {
    let mut known = vec![false; 2000];
    let judgement = judge(&soak(&[("registry.look-up", 1)]).run(|server, step| {
        if let Step::Request(..) = step {
            let key = server.random(2000) as usize;
            if !known[key] {
                known[key] = true;
                std::mem::forget(server.alloc("registry", 150));
            }
        }
    }));
    assert_ne!(judgement.verdict, RunVerdict::Leak, "{:?}", judgement.reasons);
    assert_eq!(judgement.component("registry").unwrap().verdict, ComponentVerdict::Bounded);
}

#[test]
fn one_doubling_of_a_table_is_not_a_leak() {
    let mut table = None;
    let judgement = judge(&soak(&[("a.b", 1)]).run(|server, step| match step {
        Step::Start => table = Some(server.alloc("a", 50_000)),
        Step::Request(_, 5000) => {
            let larger = server.alloc("a", 100_000);
            server.free(table.replace(larger).expect("made at start-up"));
        }
        _ => {}
    }));
    assert_no_leak(&judgement);
    assert_eq!(judgement.component("a").unwrap().verdict, ComponentVerdict::Bounded);
}

#[test]
fn a_container_that_keeps_doubling_is_left_undecided() {
    let mut capacity = 16_u64;
    let mut table = None;
    let judgement = judge(&soak(&[("a.b", 1)]).run(|server, step| {
        if let Step::Request(_, number) = step
            && number >= capacity
        {
            capacity *= 2;
            let larger = server.alloc("a", 16 * capacity);
            if let Some(old) = table.replace(larger) {
                server.free(old);
            }
        }
    }));
    assert_eq!(judgement.verdict, RunVerdict::Inconclusive, "{:#?}", judgement.components);
    assert!(judgement.wanted_requests.unwrap() > 0);
}

#[test]
fn what_five_minutes_free_is_bounded_and_driven_by_time() {
    let mut soak = soak(&[("process.time-out", 1), ("process.ok", 9)]);
    soak.advance_every = Some(5);
    soak.per_cycle = 200;
    let mut pending: Vec<(u64, Block)> = Vec::new();
    let judgement = judge(&soak.run(|server, step| match step {
        Step::Request("process.time-out", _) => {
            let due = server.clock_ms + 300_000;
            let block = server.alloc("process", 8200);
            pending.push((due, block));
        }
        Step::Request(..) => server.churn("process", 8000),
        Step::Advanced => {
            let now = server.clock_ms;
            let (due, later) = pending.drain(..).partition(|&(due, _)| due <= now);
            pending = later;
            let due: Vec<(u64, Block)> = due;
            for (_, block) in due {
                server.free(block);
            }
        }
        Step::Start | Step::Rest => {}
    }));
    assert_eq!(judgement.verdict, RunVerdict::Clean, "{:?}", judgement.reasons);
    let process = judgement.component("process").unwrap();
    assert_eq!(process.verdict, ComponentVerdict::Bounded);
    assert!(
        process.lifetime_ms.is_some_and(|lifetime| (360_000..=362_000).contains(&lifetime)),
        "{process:?}"
    );
    let [finding] = &judgement.findings[..] else { panic!("{:#?}", judgement.findings) };
    assert_eq!(finding.pattern, Pattern::TimeDriven);
    assert_eq!(finding.triggered_by, ["process.time-out"]);
    assert!(
        finding.summary.contains("8 KiB a request until time frees it, after at most 6 minutes"),
        "{}",
        finding.summary
    );
}

#[test]
fn what_never_lived_through_an_advance_is_not_judged() {
    // The same timers, in a run whose last advance is long past: the pending ones look like a leak, and are none.
    let mut soak = soak(&[("process.time-out", 1)]);
    soak.advance_every = Some(12);
    let mut pending: Vec<Block> = Vec::new();
    let judgement = judge(&soak.run(|server, step| match step {
        Step::Request(..) => pending.push(server.alloc("process", 500)),
        Step::Advanced => pending.drain(..).for_each(|block| server.free(block)),
        Step::Start | Step::Rest => {}
    }));
    assert_eq!(judgement.verdict, RunVerdict::Clean, "{:?}", judgement.reasons);
}

#[test]
fn fewer_than_eight_cycles_decide_nothing() {
    let mut soak = soak(&[("a.b", 1)]);
    soak.cycles = 7;
    let judgement = judge(&soak.run(|server, step| {
        if let Step::Request(..) = step {
            std::mem::forget(server.alloc("a", 64));
        }
    }));
    assert_eq!(judgement.verdict, RunVerdict::Inconclusive);
    assert!(judgement.wanted_requests.unwrap() >= 500);
}

/// Connections whose buffers grow for a large message and are given back when the connection closes: the highest of
/// so many levels may come at the very end.
#[test]
fn a_record_high_late_in_a_run_that_goes_up_and_down_is_chance_and_not_growth() {
    let levels = [
        2, 1, 0, 2, 2, 3, 1, 0, 1, 1, 2, 1, 0, 1, 1, 2, 2, 1, 1, 1, 2, 1, 2, 3, 3, 1, 1, 0, 1, 1, 1, 1, 1, 2,
        2, 2, 3, 4, 2,
    ];
    let mut connections: Vec<Block> = Vec::new();
    let mut wanted = levels.into_iter();
    let mut soak = soak(&[("a.b", 1)]);
    soak.cycles = 39;
    let judgement = judge(&soak.run(|server, step| match step {
        Step::Rest => {
            if connections.is_empty() {
                connections.extend((0..8).map(|_| server.alloc("unscoped", 20_000)));
            }
            let level = wanted.next().expect("there is a level for each cycle");
            for (number, connection) in connections.iter_mut().enumerate() {
                server.resize(connection, if number < level { 142_920 } else { 20_000 });
            }
        }
        _ => server.churn("unscoped", 100),
    }));
    let unscoped = judgement.component("unscoped").unwrap();
    assert_eq!(unscoped.verdict, ComponentVerdict::Bounded, "{:?}", unscoped.evidence);
    assert_eq!(unscoped.bound_bytes, Some(4 * 142_920 + 4 * 20_000));
}
