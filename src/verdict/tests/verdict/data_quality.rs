//! Data that can't carry a verdict makes a run invalid, whatever it shows.

use crate::server::{Step, soak};
use heapsoak_record::{Outcome, Recording};
use heapsoak_verdict::{ComponentVerdict, Judgement, RunVerdict, judge};

fn leaking() -> Recording {
    soak(&[("a.b", 1)]).run(|server, step| {
        if let Step::Request(..) = step {
            std::mem::forget(server.alloc("a", 64));
        }
    })
}

fn assert_invalid(judgement: &Judgement, because: &str) {
    assert_eq!(judgement.verdict, RunVerdict::Invalid);
    assert!(judgement.reasons.iter().any(|reason| reason.contains(because)), "{:?}", judgement.reasons);
}

#[test]
fn a_target_that_died_is_judged_up_to_then_and_invalid() {
    let mut recording = leaking();
    recording.snapshots.truncate(20);
    recording.end.as_mut().unwrap().outcome =
        Outcome::TargetDied { status: "signal 9".to_owned(), stderr: String::new() };
    let judgement = judge(&recording);
    assert_invalid(&judgement, "signal 9");
    assert_eq!(judgement.component("a").unwrap().verdict, ComponentVerdict::Leak);
}

#[test]
fn a_recording_without_an_end_is_invalid() {
    let mut recording = leaking();
    recording.end = None;
    assert_invalid(&judge(&recording), "no end");
    recording.snapshots.clear();
    assert_invalid(&judge(&recording), "no cycle");
}

#[test]
fn fewer_than_99_percent_landed_is_invalid_and_99_are_not() {
    let run = |every: u64| {
        judge(&soak(&[("a.b", 1)]).run(|server, step| {
            if let Step::Request(_, number) = step
                && number % every == 0
            {
                server.fail();
            }
        }))
    };
    assert_invalid(&run(50), "98.00 %");
    assert_eq!(run(100).verdict, RunVerdict::Clean);
}

#[test]
fn too_many_snapshots_without_rest_are_invalid() {
    let mut recording = leaking();
    for snapshot in &mut recording.snapshots[4..12] {
        snapshot.quiet = false;
    }
    assert_invalid(&judge(&recording), "8 of 31 snapshots");
}

#[test]
fn contexts_that_do_not_add_up_are_invalid() {
    let mut recording = leaking();
    recording.snapshots[9].heap.as_mut().unwrap().total_live_bytes += 16;
    assert_invalid(&judge(&recording), "do not add up");
}

#[test]
fn a_lost_snapshot_is_noticed() {
    let mut recording = leaking();
    recording.snapshots.remove(7);
    assert_invalid(&judge(&recording), "1 of 30 cycles");
}

#[test]
fn a_target_without_the_probe_is_judged_by_its_resources() {
    let mut recording = leaking();
    for snapshot in &mut recording.snapshots {
        snapshot.heap = None;
    }
    let judgement = judge(&recording);
    assert_eq!(judgement.verdict, RunVerdict::Clean);
    assert!(judgement.components.is_empty());
    assert!(judgement.not_analysed.iter().any(|sentence| sentence.contains("the heap")));
}

#[test]
fn cohorts_merged_by_the_probe_are_judged_as_one() {
    let mut recording = leaking();
    let groups: Vec<(u32, u32)> = (1..16).step_by(2).map(|first| (first, first + 1)).collect();
    for snapshot in &mut recording.snapshots {
        let heap = snapshot.heap.as_mut().unwrap();
        if heap.cohort.0 < 20 {
            continue;
        }
        heap.merged = groups
            .iter()
            .map(|&(first, last)| heapsoak_record::MergedCohorts {
                first: heapsoak_record::Cohort(first),
                last: heapsoak_record::Cohort(last),
            })
            .collect();
        for context in &mut heap.contexts {
            for &(first, last) in &groups {
                let more = context.survivors.iter().find(|cell| cell.cohort.0 == last).copied();
                context.survivors.retain(|cell| cell.cohort.0 != last);
                if let (Some(more), Some(cell)) =
                    (more, context.survivors.iter_mut().find(|cell| cell.cohort.0 == first))
                {
                    cell.live_bytes += more.live_bytes;
                    cell.live_blocks += more.live_blocks;
                }
            }
        }
    }
    let judgement = judge(&recording);
    assert_eq!(judgement.verdict, RunVerdict::Leak, "{:?}", judgement.reasons);
    let growth = judgement.component("a").unwrap().growth_bytes_per_1000_requests;
    assert!((growth.estimate - 64_000.0).abs() < 1.0, "{growth:?}");
}
