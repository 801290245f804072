//! A run beside its baseline.

use heapsoak_gate::Outcome;
use heapsoak_record::Recording;

use crate::asked::{assert_outcome, baseline_of, by_baseline, check, run};
use crate::server::{Soak, Step, soak};

/// Holds so many blocks of 1,000 bytes, allocates so much per request, keeps so much of every request; seeds differ.
fn server(seed: u64, holds: u64, churns: u64, keeps: u64) -> Recording {
    let mut held = Vec::new();
    run(&Soak { seed, ..soak(&[("a.b", 3), ("a.c", 1)]) }, |server, step| match step {
        Step::Start => held.extend((0..holds).map(|_| server.alloc("a", 1_000))),
        Step::Request(..) => {
            let noise = server.random(churns / 4 + 1);
            server.churn("a", churns + noise);
            if keeps > 0 {
                let more = server.random(keeps);
                held.push(server.alloc("a", keeps / 2 + more));
            }
        }
        _ => {}
    })
}

#[test]
fn other_seeds_of_the_same_server_pass_a_thousand_times() {
    let runs: Vec<Recording> = (1..=32).map(|seed| server(seed, 500, 800, 0)).collect();
    for before in &runs {
        let baseline = baseline_of(before);
        for now in &runs {
            assert_outcome(&by_baseline(now, &baseline), Outcome::Passed);
        }
    }
}

#[test]
fn what_got_worse_fails_by_its_name() {
    let baseline = baseline_of(&server(1, 500, 800, 0));
    let cases = [(1_000, 800, 0, "holds"), (500, 1_200, 0, "allocates"), (500, 800, 100, "grows by")];
    for (holds, churns, keeps, says) in cases {
        let gated = by_baseline(&server(2, holds, churns, keeps), &baseline);
        assert_outcome(&gated, Outcome::Failed);
        assert!(check(&gated, "baseline of a").says.contains(says), "{:#?}", gated.checks);
    }
}

#[test]
fn a_leak_that_was_agreed_to_may_not_grow_faster() {
    let baseline = baseline_of(&server(1, 100, 800, 100));
    let beside = |keeps| check(&by_baseline(&server(2, 100, 800, keeps), &baseline), "baseline of a").clone();
    assert_eq!(beside(100).outcome, Outcome::Passed);
    assert_eq!(beside(150).outcome, Outcome::Failed);
    let better = beside(0);
    assert_eq!(better.outcome, Outcome::Passed);
    assert!(better.says.contains("--update-baseline"), "{}", better.says);
}

#[test]
fn a_scenario_that_the_baseline_lacks_closes_the_gate() {
    let mut other = server(1, 10, 800, 0);
    other.header.scenario = "other".to_owned();
    assert_outcome(&by_baseline(&server(1, 10, 800, 0), &baseline_of(&other)), Outcome::Invalid);
}

#[test]
fn the_file_is_small_ordered_and_the_same_for_the_same_run() {
    let text = baseline_of(&server(1, 500, 800, 100)).text();
    assert_eq!(text, baseline_of(&server(1, 500, 800, 100)).text());
    insta::assert_snapshot!(text);
}
