//! What survivors per cohort miss, or mistake.

use std::collections::VecDeque;

use crate::server::{Block, Step, soak};
use heapsoak_verdict::{ComponentVerdict, RunVerdict, Weighs, explain, judge};

/// The rule that decided for a leak.
fn decided(recording: &heapsoak_record::Recording) -> Vec<&'static str> {
    let whole = explain(recording, Some("a")).into_iter().next().expect("it allocates");
    whole.pieces.iter().filter(|piece| piece.weighs == Weighs::Decided).map(|piece| piece.rule).collect()
}

/// A table of entries without blocks of their own, made anew with twice the room whenever it is full; `keys` are all
/// there are.
fn table(keys: u64) -> heapsoak_record::Recording {
    let (mut room, mut table): (u64, Option<Block>) = (4, None);
    soak(&[("a.b", 1)]).run(move |server, step| {
        if let Step::Request(_, number) = step
            && number.min(keys) >= room
        {
            room *= 2;
            let larger = server.alloc("a", 64 * room);
            if let Some(old) = table.replace(larger) {
                server.free(old);
            }
        }
    })
}

#[test]
fn a_table_that_doubles_at_the_pace_of_the_requests_leaks() {
    // 15,000 requests: the last step comes after 8,192, the next is not due yet, nor is the last one recent.
    assert_eq!(judge(&table(u64::MAX)).verdict, RunVerdict::Inconclusive);
    let mut longer = soak(&[("a.b", 1)]);
    longer.cycles = 36;
    let (mut room, mut held): (u64, Option<Block>) = (4, None);
    let recording = longer.run(move |server, step| {
        if let Step::Request(_, number) = step
            && number >= room
        {
            room *= 2;
            let larger = server.alloc("a", 64 * room);
            if let Some(old) = held.replace(larger) {
                server.free(old);
            }
        }
    });
    assert_eq!(judge(&recording).verdict, RunVerdict::Leak, "{:?}", judge(&recording).reasons);
    assert_eq!(decided(&recording), ["doubling"]);
}

#[test]
fn a_table_whose_next_step_is_overdue_does_not_leak() {
    assert_eq!(judge(&table(5_000)).verdict, RunVerdict::Clean);
}

#[test]
fn a_queue_in_which_each_entry_waits_longer_leaks_at_the_rate_it_grows() {
    let mut queue = VecDeque::new();
    let recording = soak(&[("a.b", 1)]).run(|server, step| {
        if let Step::Request(_, number) = step {
            let bytes = 50 + server.random(101);
            queue.push_back(server.alloc("a", bytes));
            if number % 2 == 0 {
                let oldest = queue.pop_front().unwrap();
                server.free(oldest);
            }
        }
    });
    let a = judge(&recording).component("a").unwrap().clone();
    assert_eq!(a.verdict, ComponentVerdict::Leak, "{:#?}", a.evidence);
    assert_eq!(decided(&recording), ["backlog"]);
    let growth = a.growth_bytes_per_1000_requests;
    assert!(growth.low < 50_000.0 && 50_000.0 < growth.high, "{growth:?}");
}

#[test]
fn growth_with_the_square_root_leaks_and_a_finite_set_does_not() {
    let run = |words: Option<u64>| {
        let mut known = std::collections::BTreeSet::new();
        soak(&[("a.b", 1)]).run(move |server, step| {
            if let Step::Request(_, number) = step {
                let new = match words {
                    Some(words) => known.insert(server.random(words)),
                    None => {
                        (server.random(1 << 20) as f64)
                            < 25.0 / (1.0_f64 + number as f64).sqrt() * f64::from(1 << 20)
                    }
                };
                if new {
                    std::mem::forget(server.alloc("a", 80));
                }
            }
        })
    };
    let root = run(None);
    assert_eq!(judge(&root).verdict, RunVerdict::Leak, "{:?}", judge(&root).reasons);
    assert_eq!(decided(&root), ["power of the requests"]);
    for words in [2_000, 5_000, 20_000] {
        let verdict = judge(&run(Some(words))).verdict;
        assert_ne!(verdict, RunVerdict::Leak, "{words} words");
    }
}

#[test]
fn blocks_that_are_used_again_do_not_make_a_full_container_a_leak() {
    let mut values = VecDeque::new();
    let recording = soak(&[("a.b", 1)]).run(|server, step| {
        if let Step::Request(..) = step {
            let bytes = 50 + server.random(101);
            values.push_back(server.alloc("a", bytes));
            if values.len() > 9_000 {
                let oldest = values.pop_front().unwrap();
                server.free(oldest);
            } else {
                // The node is handed on to the next value, and keeps its cohort.
                std::mem::forget(server.alloc("a", 40));
            }
        }
    });
    assert_ne!(judge(&recording).verdict, RunVerdict::Leak, "{:?}", judge(&recording).reasons);
}

#[test]
fn a_leak_beside_memory_that_is_made_once_is_found() {
    let recording = soak(&[("a.b", 1)]).run(|server, step| {
        if let Step::Request(_, number) = step {
            if number == 6_000 {
                (0..2_000).for_each(|_| std::mem::forget(server.alloc("a", 100)));
            }
            if number % 100 == 0 {
                std::mem::forget(server.alloc("a", 100));
            }
        }
    });
    let growth = judge(&recording).component("a").unwrap().growth_bytes_per_1000_requests;
    assert_eq!(judge(&recording).verdict, RunVerdict::Leak, "{:?}", judge(&recording).reasons);
    assert!((growth.estimate - 1_000.0).abs() < 50.0, "{growth:?}");
}
