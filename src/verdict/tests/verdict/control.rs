//! The positive control: a run that misses a leak that was planted can't say that there is none.

use heapsoak_record::{CONTROL_COMPONENT, Event, Recording};
use heapsoak_verdict::{ComponentVerdict, Policy, RunVerdict, judge, judge_with};

use crate::server::{Block, Soak, Step, soak};

/// A healthy run with a control of four blocks a cycle of which one in `loses` is freed after all; none of them for zero.
fn with_control(soak: &Soak, block_bytes: u64, loses: usize) -> Recording {
    let mut kept: Vec<Block> = Vec::new();
    let mut passing: Vec<Block> = Vec::new();
    let mut planted = 0;
    let mut recording = soak.run(|server, step| match step {
        Step::Request("a.b", _) => server.churn("a", 100),
        Step::Rest => {
            for block in passing.drain(..) {
                server.free(block);
            }
            for _ in 0..4 {
                planted += 1;
                kept.push(server.alloc(CONTROL_COMPONENT, block_bytes));
                passing.push(server.alloc(CONTROL_COMPONENT, block_bytes));
                if loses > 0 && planted % loses == 0 {
                    let lost = kept.pop().expect("one was just planted");
                    server.free(lost);
                }
            }
        }
        _ => {}
    });
    let planting = |cycle| Event::ControlPlanted { cycle, blocks: 4, bytes: 4 * block_bytes };
    recording.events = (1..=soak.cycles).map(planting).collect();
    recording
}

#[test]
fn a_control_that_is_found_leaves_the_run_clean_and_is_not_told_of() {
    let judgement = judge(&with_control(&soak(&[("a.b", 1)]), 128, 0));
    assert_eq!(judgement.verdict, RunVerdict::Clean, "{:?}", judgement.reasons);
    let control = judgement.quality.control.as_ref().unwrap();
    assert_eq!(control.missed, None);
    assert_eq!(control.verdict, ComponentVerdict::Leak);
    assert!((control.planted_bytes_per_1000_requests - 1024.0).abs() < 1.0, "{control:?}");
    assert!((control.growth_bytes_per_1000_requests.estimate - 1024.0).abs() < 50.0, "{control:?}");
    assert!(judgement.component(CONTROL_COMPONENT).is_none());
    assert!(judgement.findings.is_empty());
    assert!(judgement.combined_impact_at_10000_requests_bytes.abs() < f64::EPSILON);
}

#[test]
fn a_control_is_found_in_the_shortest_run_that_is_judged_at_all_and_with_a_clock() {
    for advance_every in [None, Some(2), Some(4)] {
        let short = Soak { cycles: 10, per_cycle: 40, advance_every, ..soak(&[("a.b", 1)]) };
        let judgement = judge(&with_control(&short, 10, 0));
        assert_eq!(judgement.verdict, RunVerdict::Clean, "{advance_every:?}: {:?}", judgement.reasons);
    }
}

#[test]
fn a_control_that_is_missed_makes_the_run_invalid() {
    let deaf = Policy { least_growth: 1e9, ..Policy::default() };
    let judgement = judge_with(&with_control(&soak(&[("a.b", 1)]), 128, 0), &deaf);
    assert_eq!(judgement.verdict, RunVerdict::Invalid);
    assert!(judgement.reasons[0].contains("was not found"), "{:?}", judgement.reasons);
}

#[test]
fn a_control_of_which_the_probe_lost_a_block_makes_the_run_invalid() {
    let judgement = judge(&with_control(&soak(&[("a.b", 1)]), 128, 20));
    assert_eq!(judgement.verdict, RunVerdict::Invalid);
    assert!(judgement.reasons[0].contains("never freed"), "{:?}", judgement.reasons);
}

#[test]
fn a_control_that_could_not_be_planted_makes_the_run_invalid_and_says_why() {
    let mut recording = soak(&[("a.b", 1)]).run(|_, _| {});
    recording.events.push(Event::ControlMissing { cycle: 1, why: "the probe is too old".to_owned() });
    let judgement = judge(&recording);
    assert_eq!(judgement.verdict, RunVerdict::Invalid);
    assert!(judgement.reasons[0].contains("too old"), "{:?}", judgement.reasons);
}

#[test]
fn a_run_too_short_to_find_the_control_is_undecided_by_its_own_words() {
    let short = Soak { cycles: 5, ..soak(&[("a.b", 1)]) };
    let judgement = judge(&with_control(&short, 128, 0));
    assert_eq!(judgement.verdict, RunVerdict::Inconclusive, "{:?}", judgement.reasons);
}
