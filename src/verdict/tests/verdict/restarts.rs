//! Runs in which the server was restarted: each process counts for itself, and the report says so.

use heapsoak_record::{CONTROL_COMPONENT, Event, OWN_COMPONENT, Recording};
use heapsoak_verdict::{ComponentVerdict, Finding, Judgement, RunVerdict, judge};

use crate::golden::{Recordings, add, assert_judged_as_before};
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
        join(&mut whole, soak.run(|server, at| step(process, server, at)));
    }
    whole.expect("there is a process at least")
}

/// Adds the recording of a process to those before it.
pub(crate) fn join(whole: &mut Option<Recording>, part: Recording) {
    let Some(whole) = whole else {
        *whole = Some(part);
        return;
    };
    let last = whole.snapshots.last().expect("a run has snapshots").clone();
    whole.events.push(Event::Restarted { cycle: last.cycle, pid: 2, killed: false, took_ms: 9, times: 1 });
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
    whole.header.plan.cycles += part.header.plan.cycles;
    whole.end = part.end;
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
    judge(&loading_blocks(&[10, 10, 10, 10, 10, 12], kept))
}

fn loading_blocks(cycles: &[u32], kept: impl Fn(usize) -> u64) -> Recording {
    let mut loaded: Vec<Block> = Vec::new();
    run(cycles, |process, server, step| match step {
        Step::Start => {
            server.resources.insert("threads", 4 + process as u64);
            loaded = (0..kept(process)).map(|_| server.alloc("a", 100)).collect();
        }
        Step::Request(..) => server.churn("a", 400),
        _ => {}
    })
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

/// A server that keeps something on disk for each request of one kind, in processes of so many cycles with this share of
/// those among 100 requests.
fn loads_of_kind(shares: &[u64], noise: u64) -> Judgement {
    judge(&loading_a_kind(shares, noise))
}

fn loading_a_kind(shares: &[u64], noise: u64) -> Recording {
    let mut whole = None;
    let (mut kept, mut on_disk) = (0, 0);
    for (process, &share) in shares.iter().enumerate() {
        let kinds = [("a.get", 60 - share / 2), ("a.list", 40 - share / 2), ("a.put", share)];
        let soak = Soak { cycles: 10, per_cycle: PER_CYCLE, seed: 90 + process as u64, ..soak(&kinds) };
        let part = soak.run(|server, step| match step {
            Step::Start => {
                kept = on_disk;
                if kept > 0 {
                    drop(server.alloc("a", kept));
                }
            }
            Step::Request("a.put", _) => on_disk += 100 + server.random(noise + 1),
            Step::Request(..) => server.churn("a", 400),
            _ => {}
        });
        join(&mut whole, part);
    }
    whole.expect("there is a process at least")
}

fn loading(judgement: &Judgement) -> &Finding {
    let of_restarts = |finding: &&Finding| finding.summary.contains("loads more after each restart");
    judgement.findings.iter().find(of_restarts).expect("it loads more each time")
}

#[test]
fn what_is_loaded_again_is_told_by_the_kind_whose_requests_it_follows() {
    for noise in [0, 40] {
        let judgement = loads_of_kind(&[20, 30, 18, 24, 36, 22, 28, 34, 20, 26], noise);
        let finding = loading(&judgement);
        assert_eq!(finding.triggered_by, ["a.put"], "{:?}", finding.evidence);
        let rate = finding.growth_bytes_per_1000_triggering_requests.expect("it has a kind");
        let truth = 1000.0 * (100.0 + noise as f64 / 2.0);
        assert!((rate.estimate - truth).abs() < 0.02 * truth, "{rate:?}");
        assert!(finding.evidence.iter().any(|one| one.contains("grows with the requests of a.put")));
    }
}

#[test]
fn what_is_loaded_again_has_no_kind_when_the_mix_is_the_same_all_the_time_and_the_report_says_so() {
    let mut whole = None;
    for process in 0..8_u64 {
        let soak = Soak { cycles: 10, per_cycle: PER_CYCLE, ..soak(&[("a.one", 1), ("a.two", 1)]) };
        // The same seed: the same requests again.
        join(
            &mut whole,
            soak.run(|server, step| match step {
                Step::Start if process > 0 => {
                    drop(server.alloc("a", 50_000 * process + process * process * 37 % 900));
                }
                Step::Request(..) => server.churn("a", 400),
                _ => {}
            }),
        );
    }
    let judgement = judge(&whole.expect("there are processes"));
    let finding = loading(&judgement);
    assert!(finding.triggered_by.is_empty());
    let said = finding.evidence.iter().any(|one| one.contains("mix of the requests was the same"));
    assert!(said, "{:?}", finding.evidence);
}

#[test]
fn what_is_loaded_again_has_no_kind_when_it_follows_none_and_the_report_says_so() {
    for seed in 0..20 {
        let judgement = judge(&run(&[10, 10, 10, 10, 10, 10, 10, 12], |process, server, step| match step {
            Step::Start if process > 0 => {
                let kept = 50_000 * process as u64 + (seed * 7_919 + process as u64 * 104_729) % 9_000;
                drop(server.alloc("a", kept));
            }
            Step::Request(..) => server.churn("a", 400),
            _ => {}
        }));
        let finding = loading(&judgement);
        assert!(finding.triggered_by.is_empty(), "{:?}", finding.evidence);
        assert!(finding.evidence.iter().any(|one| one.contains("does not follow one kind")));
    }
}

#[test]
fn of_a_hundred_restarts_one_that_lost_some_does_not_hide_the_growth() {
    let cycles = vec![2; 101];
    let judgement = judge(&run(&cycles, |process, server, step| match step {
        Step::Start if process > 0 => {
            let lost = if process == 42 { 3_000 } else { 0 };
            drop(server.alloc("a", 2_000 * process as u64 - lost));
        }
        Step::Request(..) => server.churn("a", 400),
        _ => {}
    }));
    let finding = loading(&judgement);
    assert!(finding.summary.contains("100 restarts"), "{}", finding.summary);
    assert!(
        finding.evidence[0].starts_with("after 17 of 100 restarts, at even distances"),
        "{:?}",
        finding.evidence
    );
    assert!(judgement.not_analysed[0].contains("all cycles but those of one process"));
}

#[test]
fn judgements_of_runs_with_restarts_read_as_before() {
    let mut all = Recordings::new();
    add(&mut all, "steadily more", loading_blocks(&[10, 10, 10, 10, 10, 12], |process| 500 * process as u64));
    for last in [1_250, 1_249] {
        let kept = move |process: usize| [0, 0, 500, 800, 1_000, last][process];
        add(&mut all, &format!("at last {last}"), loading_blocks(&[10, 10, 10, 10, 10, 10], kept));
    }
    // Of 2,000 requests each: 64 bytes per 1,000 are 128 in a step.
    let bytes = |each: u64, size: u64| {
        run(&[10, 10, 10, 10, 10, 12], move |process, server, step| match step {
            Step::Start if process > 0 => {
                (0..each * process as u64).for_each(|_| drop(server.alloc("a", size)));
            }
            Step::Request(..) => server.churn("a", 400),
            _ => {}
        })
    };
    for (each, size) in [(127, 1), (128, 1), (10, 100), (11, 100)] {
        add(&mut all, &format!("{each} blocks of {size} bytes"), bytes(each, size));
    }
    for (name, cycles) in [("four", &[10, 10, 10, 10][..]), ("five", &[10, 12, 10, 10, 10])] {
        let recording = loading_blocks(cycles, |process| 500 * process as u64);
        add(&mut all, &format!("{name} processes"), recording);
    }
    for processes in [8, 9] {
        let mut cycles = vec![3; processes];
        (cycles[1], cycles[2], cycles[4]) = (1, 0, 12);
        add(
            &mut all,
            &format!("{processes} processes, one of them of no cycle"),
            loading_blocks(&cycles, |_| 9),
        );
    }
    let both = |leak: bool, fails: bool| {
        run(&[10, 10, 10, 10, 10, 12], move |process, server, step| match step {
            Step::Start => (0..600 * process).for_each(|_| drop(server.alloc("a", 100))),
            Step::Request(_, number) => {
                if fails && number % 50 == 0 {
                    server.fail();
                }
                drop(server.alloc(if leak { "a" } else { "b" }, 100));
                server.churn("a", 60);
            }
            _ => {}
        })
    };
    add(&mut all, "beside a leak of its own", both(true, false));
    add(&mut all, "beside a leak of another", both(false, false));
    add(&mut all, "of a run that is invalid", both(false, true));
    for noise in [0, 40, 4_000] {
        let shares = [20, 30, 18, 24, 36, 22, 28, 34, 20, 26];
        add(&mut all, &format!("of one kind, with noise of {noise}"), loading_a_kind(&shares, noise));
    }
    let resting = |process: usize| [0, 0, 500, 1_000, 1_500, 1_500, 2_000, 2_500, 3_000, 3_500][process];
    add(&mut all, "as much once as the time before", loading_blocks(&[5; 10], resting));
    let uneven: Vec<u32> = (0..18).map(|process| 1 + process * process % 7).collect();
    add(&mut all, "17 restarts at uneven distances", loading_blocks(&uneven, |process| 300 * process as u64));
    let other = run(&[10, 10, 10, 10, 10, 12], |process, server, step| match step {
        Step::Start => {
            for component in [OWN_COMPONENT, CONTROL_COMPONENT] {
                drop(server.alloc(component, 1 + 50_000 * process as u64));
            }
        }
        Step::Request(..) => server.churn("a", 400),
        _ => {}
    });
    add(&mut all, "of the probe itself", other);
    let costly = run(&[10, 10, 10, 10, 10, 12], |process, server, step| match step {
        Step::Start => drop(server.alloc("a", 50_000 * process as u64)),
        Step::Request(..) => server.churn("a", 3 << 20),
        _ => {}
    });
    add(&mut all, "beside churn", costly);
    let many = run(&[2; 40], |process, server, step| match step {
        Step::Start if process > 0 => drop(server.alloc("a", 2_000 * process as u64)),
        Step::Request(..) => server.churn("a", 400),
        _ => {}
    });
    add(&mut all, "forty processes", many);
    assert_judged_as_before("restarts", &all);
}
