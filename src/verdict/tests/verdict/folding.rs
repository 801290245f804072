//! Recordings of long runs, folded: they say what the whole ones say.

use std::collections::VecDeque;

use heapsoak_record::Recording;
use heapsoak_verdict::{ComponentJudgement, ComponentVerdict, Judgement, judge};
use proptest::prelude::*;

use crate::server::{Soak, Step, soak};

/// A leak, a cache that fills and turns over, a table that is there from the start, and a component that keeps nothing.
fn recording(seed: u64, cycles: u32, one_in: u64, bytes: u64, capacity: usize) -> Recording {
    let mut cache = VecDeque::new();
    let soak = Soak { cycles, per_cycle: 100, seed, ..soak(&[("get", 3), ("put", 1)]) };
    soak.run(|server, step| match step {
        Step::Start => drop(server.alloc("table", 4_096)),
        Step::Request("put", _) => {
            if server.random(one_in) == 0 {
                drop(server.alloc("leaky", bytes));
            }
            cache.push_back(server.alloc("cache", 200));
            if cache.len() > capacity {
                let oldest = cache.pop_front().expect("it is not empty");
                server.free(oldest);
            }
        }
        Step::Request(..) => server.churn("churner", 1_000),
        Step::Rest | Step::Advanced => {}
    })
}

fn find<'a>(judgement: &'a Judgement, name: &str) -> &'a ComponentJudgement {
    judgement.components.iter().find(|component| component.name == name).expect("it allocated")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_folded_recording_finds_the_same_leak_within_its_interval(
        seed: u64,
        cycles in 128_u32..260,
        one_in in 1_u64..8,
        bytes in 16_u64..400,
        capacity in 20_usize..400,
        folds in 1_u32..3,
    ) {
        let whole = recording(seed, cycles, one_in, bytes, capacity);
        let mut folded = whole.clone();
        for _ in 0..folds {
            folded.fold();
        }
        let (before, after) = (judge(&whole), judge(&folded));
        prop_assert_eq!(before.verdict, after.verdict);
        prop_assert_eq!(&before.requests, &after.requests);
        prop_assert!(after.quality.failures.is_empty(), "{:?}", after.quality.failures);
        let (of_whole, of_folded) = (find(&before, "leaky"), find(&after, "leaky"));
        prop_assert_eq!(of_whole.verdict, ComponentVerdict::Leak);
        prop_assert_eq!(of_folded.verdict, ComponentVerdict::Leak);
        let (one, other) = (of_whole.growth_bytes_per_1000_requests, of_folded.growth_bytes_per_1000_requests);
        prop_assert!((other.low..=other.high).contains(&one.estimate), "{one:?} {other:?}");
        prop_assert!((one.low..=one.high).contains(&other.estimate), "{one:?} {other:?}");
        for healthy in ["cache", "table", "churner"] {
            let (one, other) = (find(&before, healthy).verdict, find(&after, healthy).verdict);
            prop_assert_ne!(one, ComponentVerdict::Leak, "{}", healthy);
            prop_assert_ne!(other, ComponentVerdict::Leak, "{}", healthy);
        }
        prop_assert_eq!(find(&before, "leaky").live_bytes.end, find(&after, "leaky").live_bytes.end);
    }
}
