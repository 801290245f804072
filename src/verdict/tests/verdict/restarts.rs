//! Runs in which the server was restarted: each process counts for itself, and the report says so.

use heapsoak_record::{Event, Recording};
use heapsoak_verdict::{ComponentVerdict, Judgement, RunVerdict, judge};

use crate::server::{Block, Server, Soak, Step, soak};

const PER_CYCLE: u64 = 200;

/// One run of processes of so many cycles each. `step` sees the number of the process, from 0.
fn run(cycles: &[u32], mut step: impl FnMut(usize, &mut Server, Step<'_>)) -> Recording {
    let mut whole: Option<Recording> = None;
    for (process, &cycles) in cycles.iter().enumerate() {
        let soak = Soak {
            cycles,
            per_cycle: PER_CYCLE,
            seed: 7 + process as u64,
            ..soak(&[("a.one", 1), ("a.two", 1)])
        };
        let part = soak.run(|server, at| step(process, server, at));
        let Some(whole) = &mut whole else {
            whole = Some(part);
            continue;
        };
        let last = whole.snapshots.last().expect("a run has snapshots").clone();
        whole.events.push(Event::Restarted {
            cycle: last.cycle,
            pid: 2,
            killed: false,
            took_ms: 9,
            times: 1,
        });
        for mut snapshot in part.snapshots {
            snapshot.sequence += last.sequence + 1;
            snapshot.cycle += last.cycle;
            snapshot.requests += last.requests;
            snapshot.elapsed_ms += last.elapsed_ms;
            snapshot.clock_ms += last.clock_ms;
            for (count, before) in snapshot.kinds.iter_mut().zip(&last.kinds) {
                *count = *count + *before;
            }
            whole.snapshots.push(snapshot);
        }
        whole.header.plan.cycles += cycles;
        whole.end = part.end;
    }
    whole.expect("there is a process at least")
}

fn verdict(judgement: &Judgement, component: &str) -> ComponentVerdict {
    judgement.component(component).expect("it is judged").verdict
}

#[test]
fn a_healthy_server_stays_clean_over_restarts_and_the_report_says_what_was_judged() {
    let recording = run(&[12, 16, 12], |_, server, step| {
        if let Step::Request(..) = step {
            server.churn("a", 400);
        }
    });
    let judgement = judge(&recording);
    assert_eq!(judgement.verdict, RunVerdict::Clean, "{:?}", judgement.reasons);
    let said = &judgement.not_analysed[0];
    assert!(said.contains("cycles 1 to 12 and cycles 29 to 40") && said.contains("2 times"), "{said}");
    assert!(said.contains("judged is the longest stretch, cycles 13 to 28"), "{said}");
    assert_eq!(judgement.quality.cycles, 16);
    // All requests of the run, and the points where they were in it.
    assert_eq!(judgement.requests.sent, 40 * PER_CYCLE);
    let points = &judgement.component("a").unwrap().series;
    assert_eq!((points[0].requests, points.last().unwrap().requests), (12 * PER_CYCLE, 28 * PER_CYCLE));
}

#[test]
fn a_leak_is_found_at_its_rate_although_each_restart_frees_it() {
    let mut kept: Vec<Block> = Vec::new();
    let recording = run(&[14, 14, 16], |_, server, step| match step {
        // The blocks of the process before are gone with it.
        Step::Start => kept.clear(),
        Step::Request("a.two", _) => kept.push(server.alloc("a", 300)),
        _ => {}
    });
    let judgement = judge(&recording);
    assert_eq!(judgement.verdict, RunVerdict::Leak, "{:?}", judgement.reasons);
    let finding = &judgement.findings[0];
    assert_eq!(finding.triggered_by, ["a.two"]);
    let rate = finding.growth_bytes_per_1000_requests;
    // Every second request keeps 300 bytes.
    assert!((rate.estimate - 150_000.0).abs() < 15_000.0, "{rate:?}");
}

/// A server that keeps `kept` blocks on disk after `process` restarts and loads them when it starts.
fn loads(kept: impl Fn(usize) -> u64) -> Judgement {
    let mut loaded: Vec<Block> = Vec::new();
    judge(&run(&[10, 10, 10, 10, 10, 12], |process, server, step| match step {
        Step::Start => {
            loaded = (0..kept(process)).map(|_| server.alloc("a", 100)).collect();
        }
        Step::Request(..) => server.churn("a", 400),
        _ => {}
    }))
}

#[test]
fn what_is_loaded_again_after_each_restart_is_a_leak_when_it_grows_steadily() {
    let judgement = loads(|process| 500 * process as u64);
    assert_eq!(judgement.verdict, RunVerdict::Leak, "{:?}", judgement.reasons);
    assert_eq!(verdict(&judgement, "a"), ComponentVerdict::Leak);
    let finding = judgement.findings.iter().find(|finding| finding.component == "a").unwrap();
    assert!(finding.summary.contains("loads more after each restart"), "{}", finding.summary);
    // 50,000 bytes in 2,000 requests.
    let rate = finding.growth_bytes_per_1000_requests;
    assert!((rate.estimate - 25_000.0).abs() < 1.0 && rate.low > 20_000.0, "{rate:?}");
}

#[test]
fn what_is_loaded_again_and_levels_is_none() {
    // The same amount each time; a cache that fills up; a fixed cost of there being anything.
    let kept: [fn(usize) -> u64; 3] =
        [|_| 3_000, |process| 4_000 - (4_000_u64 >> process), |process| 3_000 * u64::from(process > 0)];
    for kept in kept {
        let judgement = loads(kept);
        assert_ne!(verdict(&judgement, "a"), ComponentVerdict::Leak, "{:?}", judgement.reasons);
        assert!(!judgement.findings.iter().any(|finding| finding.summary.contains("restart")));
    }
}

#[test]
fn three_restarts_are_too_few_to_tell() {
    let mut loaded: Vec<Block> = Vec::new();
    let judgement = judge(&run(&[10, 10, 10, 12], |process, server, step| match step {
        Step::Start => loaded = (0..500 * process).map(|_| server.alloc("a", 100)).collect(),
        Step::Request(..) => server.churn("a", 400),
        _ => {}
    }));
    assert_ne!(verdict(&judgement, "a"), ComponentVerdict::Leak);
}
