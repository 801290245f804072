//! The positive control: a run that misses a leak that was planted can't say that there is none.

use heapsoak_record::{CONTROL_COMPONENT, Event, Recording};
use heapsoak_verdict::{ComponentVerdict, Policy, RunVerdict, judge, judge_with};

use crate::golden::{Recordings, add, assert_judged_as_before};
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

#[test]
fn judgements_of_controls_read_as_before() {
    let mut all = Recordings::new();
    let plain = Soak { per_cycle: 100, ..soak(&[("a.b", 1)]) };
    add(&mut all, "is found", with_control(&plain, 128, 0));
    add(&mut all, "is small", with_control(&plain, 1, 0));
    add(&mut all, "has lost a block", with_control(&plain, 128, 20));
    let cycles = |cycles| Soak { cycles, ..plain.clone() };
    add(&mut all, "of seven cycles", with_control(&cycles(7), 128, 0));
    add(&mut all, "of seven cycles has lost a block", with_control(&cycles(7), 128, 20));
    add(&mut all, "of eight cycles has lost a block", with_control(&cycles(8), 128, 20));
    let mut stopped = with_control(&cycles(12), 128, 0);
    stopped.events.push(Event::ControlPlanted { cycle: 13, blocks: 4, bytes: 512 });
    add(&mut all, "was planted in a cycle that was not completed", stopped);
    for (factor, of) in [(60, 16), (120, 16), (80, 40), (92, 40)] {
        let mut other = with_control(&cycles(of), 100, 0);
        for event in &mut other.events {
            if let Event::ControlPlanted { bytes, .. } = event {
                *bytes = 4 * factor;
            }
        }
        add(&mut all, &format!("of 100 bytes is told to be of {factor}, {of} cycles"), other);
    }
    let mut exact = cycles(12).run(|server, step| match step {
        Step::Request(..) => server.churn("a", 100),
        Step::Rest => (0..4).for_each(|_| std::mem::forget(server.alloc(CONTROL_COMPONENT, 128))),
        _ => {}
    });
    exact.events = (1..=12).map(|cycle| Event::ControlPlanted { cycle, blocks: 4, bytes: 512 }).collect();
    add(&mut all, "is counted to the byte", exact);
    let mut missing = with_control(&cycles(10), 128, 0);
    missing.events = vec![Event::ControlMissing { cycle: 1, why: "the probe is too old".to_owned() }];
    add(&mut all, "could not be planted", missing.clone());
    missing.events.clear();
    add(&mut all, "was not asked for", missing);
    let mut uncounted = cycles(10).run(|server, step| {
        if let Step::Request(..) = step {
            server.churn("a", 100);
        }
    });
    uncounted.events = vec![Event::ControlPlanted { cycle: 1, blocks: 4, bytes: 512 }];
    add(&mut all, "was not counted", uncounted);
    assert_judged_as_before("control", &all);
}
