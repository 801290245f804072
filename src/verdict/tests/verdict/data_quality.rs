//! Data that can't carry a verdict makes a run invalid, whatever it shows.

use crate::golden::{Recordings, add, assert_judged_as_before};
use crate::server::{Soak, Step, soak};
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

/// Merges cohorts two by two up to the 16th, from the 20th cycle on.
pub(crate) fn merge(recording: &mut Recording) {
    let groups: Vec<(u32, u32)> = (1..16).step_by(2).map(|first| (first, first + 1)).collect();
    for snapshot in &mut recording.snapshots {
        let heap = snapshot.heap.as_mut().expect("it was counted");
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
}

#[test]
fn cohorts_merged_by_the_probe_are_judged_as_one() {
    let mut recording = leaking();
    merge(&mut recording);
    let judgement = judge(&recording);
    assert_eq!(judgement.verdict, RunVerdict::Leak, "{:?}", judgement.reasons);
    let growth = judgement.component("a").unwrap().growth_bytes_per_1000_requests;
    assert!((growth.estimate - 64_000.0).abs() < 1.0, "{growth:?}");
}

#[test]
fn judgements_of_doubtful_data_read_as_before() {
    let mut all = Recordings::new();
    let short = Soak { cycles: 24, per_cycle: 100, ..soak(&[("a.b", 3), ("a.never", 0)]) };
    let whole = short.run(|server, step| {
        if let Step::Request(_, number) = step {
            if number % 97 == 0 {
                server.fail();
            }
            std::mem::forget(server.alloc("a", 64));
        }
    });
    let mut with = |name: &str, change: &dyn Fn(&mut Recording)| {
        let mut recording = whole.clone();
        change(&mut recording);
        add(&mut all, name, recording);
    };
    with("one in 97 fails", &|_| {});
    with("cohorts are merged", &merge);
    with("the target died", &|recording| {
        recording.snapshots.truncate(17);
        recording.end.as_mut().unwrap().outcome =
            Outcome::TargetDied { status: "signal 9".to_owned(), stderr: String::new() };
    });
    with("the run was interrupted", &|recording| {
        recording.end.as_mut().unwrap().outcome = Outcome::Interrupted;
    });
    with("the run failed", &|recording| {
        recording.end.as_mut().unwrap().outcome = Outcome::Failed { why: "no disk".to_owned() };
    });
    with("there is no end", &|recording| recording.end = None);
    with("there is no cycle", &|recording| recording.snapshots.truncate(1));
    with("there is no snapshot", &|recording| recording.snapshots.clear());
    with("five of 25 are without rest, unbalanced", &|recording| {
        for snapshot in &mut recording.snapshots[3..8] {
            snapshot.quiet = false;
            snapshot.heap.as_mut().unwrap().total_live_bytes += 1;
        }
    });
    with("six of 25 are without rest", &|recording| {
        recording.snapshots[3..9].iter_mut().for_each(|snapshot| snapshot.quiet = false);
    });
    with("two do not add up", &|recording| {
        recording.snapshots[9].heap.as_mut().unwrap().total_live_bytes += 16;
        recording.snapshots[10].heap.as_mut().unwrap().total_live_bytes -= 16;
    });
    with("two are lost", &|recording| drop(recording.snapshots.drain(7..9)));
    with("one has no heap", &|recording| recording.snapshots[7].heap = None);
    with("no cycle before the fifth, and no baseline", &|recording| drop(recording.snapshots.drain(..5)));
    with("none has a heap", &|recording| {
        recording.snapshots.iter_mut().for_each(|snapshot| snapshot.heap = None);
    });
    with("memory was freed that was not counted, and stacks have problems", &|recording| {
        recording.snapshots.last_mut().unwrap().heap.as_mut().unwrap().uncounted_freed_bytes = 5000;
        recording.header.not_analysed.push("what it was told".to_owned());
        let problems = ["no frame pointers", "what it was told"].map(str::to_owned).to_vec();
        recording.stacks.push(heapsoak_record::Stacks { problems, ..Default::default() });
    });
    with("a kind that was never asked for allocates", &|recording| {
        let heaps = recording.snapshots.iter_mut().filter_map(|snapshot| snapshot.heap.as_mut());
        heaps
            .flat_map(|heap| &mut heap.contexts)
            .for_each(|context| context.kind = Some("a.never".to_owned()));
    });
    with("a kind was asked for once", &|recording| {
        recording.snapshots[3..].iter_mut().for_each(|snapshot| snapshot.kinds[1].sent = 1);
    });
    with("a kind that was asked for at the start alone allocates", &|recording| {
        recording.snapshots[1..].iter_mut().for_each(|snapshot| snapshot.kinds[1].sent = 1);
        let heaps = recording.snapshots.iter_mut().filter_map(|snapshot| snapshot.heap.as_mut());
        heaps
            .flat_map(|heap| &mut heap.contexts)
            .for_each(|context| context.kind = Some("a.never".to_owned()));
    });
    for failing in [24, 25] {
        with(&format!("{failing} of 2,400 fail"), &|recording| {
            for snapshot in &mut recording.snapshots {
                let kinds = &mut snapshot.kinds;
                for count in kinds.iter_mut() {
                    (count.ok, count.failed) = (count.sent, 0);
                }
                if snapshot.cycle > 3 {
                    (kinds[0].ok, kinds[0].failed) = (kinds[0].sent - failing, failing);
                }
            }
        });
    }
    let mut advanced = Soak { advance_every: Some(5), ..short }.run(|server, step| {
        if let Step::Request(..) = step {
            std::mem::forget(server.alloc("a", 64));
        }
    });
    merge(&mut advanced);
    advanced.snapshots[1].kinds.truncate(1);
    add(&mut all, "cohorts are merged where the clock is advanced", advanced);
    assert_judged_as_before("data_quality", &all);
}
