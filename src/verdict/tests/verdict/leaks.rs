//! Servers that leak are said to, with the right amount and the right cause.

use std::collections::VecDeque;

use crate::server::{Step, soak};
use heapsoak_verdict::{ComponentVerdict, Pattern, RunVerdict, judge};

#[test]
fn a_leak_of_64_bytes_a_request_is_found_with_its_exact_size() {
    let recording = soak(&[("store.put", 1)]).run(|server, step| {
        if let Step::Request(..) = step {
            server.churn("store", 500);
            std::mem::forget(server.alloc("store", 64));
        }
    });
    let judgement = judge(&recording);
    let store = judgement.component("store").unwrap();
    assert_eq!(judgement.verdict, RunVerdict::Leak, "{:?}", judgement.reasons);
    assert_eq!(store.verdict, ComponentVerdict::Leak);
    let growth = store.growth_bytes_per_1000_requests;
    assert!((growth.estimate - 64_000.0).abs() < 1.0, "{growth:?}");
    assert!(growth.low > 63_000.0 && growth.high < 65_000.0, "{growth:?}");
    assert_eq!(judgement.findings.len(), 1);
    assert_eq!(judgement.findings[0].triggered_by, ["store.put"]);
    assert!((judgement.findings[0].at_10000_requests_bytes - 640_000.0).abs() < 10.0);
    assert!((judgement.combined_impact_at_10000_requests_bytes - 640_000.0).abs() < 10.0);
    assert!((store.allocated_bytes_per_request - 564.0).abs() < 0.01);
}

#[test]
fn a_leak_in_one_request_of_fifty_is_found() {
    let recording = soak(&[("store.put", 1)]).run(|server, step| {
        if let Step::Request(..) = step
            && server.random(50) == 0
        {
            std::mem::forget(server.alloc("store", 64));
        }
    });
    let judgement = judge(&recording);
    let growth = judgement.component("store").unwrap().growth_bytes_per_1000_requests;
    assert_eq!(judgement.verdict, RunVerdict::Leak);
    assert!(growth.low < 1280.0 && growth.high > 1280.0, "{growth:?}");
    assert!((growth.estimate - 1280.0).abs() < 200.0, "{growth:?}");
}

#[test]
fn a_leak_rarer_than_once_a_cohort_is_found_by_pooling_cohorts() {
    let mut soak = soak(&[("store.put", 1)]);
    soak.cycles = 40;
    let recording = soak.run(|server, step| {
        if let Step::Request(_, number) = step
            && number % 700 == 699
        {
            std::mem::forget(server.alloc("store", 64_000));
        }
    });
    let judgement = judge(&recording);
    let growth = judgement.component("store").unwrap().growth_bytes_per_1000_requests;
    assert_eq!(judgement.verdict, RunVerdict::Leak, "{:?}", judgement.component("store").unwrap().evidence);
    assert!((growth.estimate - 91_429.0).abs() < 9000.0, "{growth:?}");
}

#[test]
fn a_leak_whose_oldest_judged_cohorts_left_nothing_by_chance_is_found() {
    for pause in [600..700, 700..800, 800..900] {
        let mut soak = soak(&[("store.put", 1)]);
        (soak.cycles, soak.per_cycle) = (60, 100);
        let recording = soak.run(|server, step| {
            if let Step::Request(_, number) = step
                && server.random(8) == 0
                && !pause.contains(&number)
            {
                std::mem::forget(server.alloc("store", 64));
            }
        });
        let store = &judge(&recording).components[0];
        assert_eq!(store.verdict, ComponentVerdict::Leak, "none in {pause:?}: {:?}", store.evidence);
    }
}

#[test]
fn a_leak_hidden_in_a_large_sawtooth_is_found() {
    let mut window = VecDeque::new();
    let recording = soak(&[("store.put", 1)]).run(|server, step| {
        if let Step::Request(..) = step {
            window.push_back(server.alloc("store", 4000));
            if window.len() > 1700 {
                for block in window.drain(..1500) {
                    server.free(block);
                }
            }
            std::mem::forget(server.alloc("store", 48));
        }
    });
    let judgement = judge(&recording);
    let store = judgement.component("store").unwrap();
    assert_eq!(store.verdict, ComponentVerdict::Leak, "{:?}", store.evidence);
    assert!((store.growth_bytes_per_1000_requests.estimate - 48_000.0).abs() < 480.0, "{store:?}");
}

#[test]
fn a_leak_whose_total_falls_is_found() {
    let mut start_up = Vec::new();
    let recording = soak(&[("store.put", 1)]).run(|server, step| match step {
        Step::Start => start_up = (0..1000).map(|_| server.alloc("store", 10_000)).collect(),
        Step::Request(..) => std::mem::forget(server.alloc("store", 64)),
        Step::Rest => {
            for block in start_up.drain(start_up.len().saturating_sub(30)..) {
                server.free(block);
            }
        }
        Step::Advanced => {}
    });
    let judgement = judge(&recording);
    let store = judgement.component("store").unwrap();
    assert!(store.live_bytes.end < store.live_bytes.start);
    assert_eq!(store.verdict, ComponentVerdict::Leak);
}

#[test]
fn a_leak_on_one_error_path_is_a_cleanup_gap_of_that_path_alone() {
    let mut soak =
        soak(&[("session.ok", 20), ("session.cancel", 5), ("session.slow", 5), ("session.fail", 2)]);
    soak.errors = vec!["session.fail"];
    let recording = soak.run(|server, step| {
        if let Step::Request(kind, _) = step {
            server.churn("session", 2000);
            if kind == "session.fail" {
                std::mem::forget(server.alloc("session", 450));
            }
        }
    });
    let judgement = judge(&recording);
    let [finding] = &judgement.findings[..] else { panic!("{:#?}", judgement.findings) };
    assert_eq!(finding.pattern, Pattern::CleanupGap);
    assert_eq!(finding.component, "session");
    assert_eq!(finding.triggered_by, ["session.fail"]);
    let own = finding.growth_bytes_per_1000_triggering_requests.unwrap();
    assert!((own.estimate - 450_000.0).abs() < 1.0, "{own:?}");
    let session = judgement.component("session").unwrap();
    for kind in session.kinds.iter().filter(|kind| kind.kind.as_deref() != Some("session.fail")) {
        assert_eq!(kind.verdict, ComponentVerdict::Stable, "{kind:?}");
    }
}

#[test]
fn two_leaks_of_one_component_that_differ_much_are_two_findings() {
    let recording = soak(&[("verifier.valid", 10), ("verifier.junk", 2)]).run(|server, step| {
        if let Step::Request(kind, _) = step {
            let bytes = if kind == "verifier.valid" { 100 } else { 7000 };
            std::mem::forget(server.alloc("verifier", bytes));
        }
    });
    let findings = judge(&recording).findings;
    let triggers: Vec<&str> =
        findings.iter().flat_map(|finding| &finding.triggered_by).map(String::as_str).collect();
    assert_eq!(triggers, ["verifier.junk", "verifier.valid"]);
}

#[test]
fn strings_in_a_doubling_table_leak_and_the_table_is_told_apart() {
    let mut table = None;
    let (mut entries, mut capacity) = (0_u64, 0_u64);
    let recording = soak(&[("store.put", 1)]).run(|server, step| {
        if let Step::Request(..) = step {
            std::mem::forget(server.alloc("store", 64));
            entries += 1;
            if entries > capacity {
                capacity = (2 * capacity).max(4);
                let larger = server.alloc("store", 40 * capacity);
                if let Some(old) = table.replace(larger) {
                    server.free(old);
                }
            }
        }
    });
    let judgement = judge(&recording);
    let store = judgement.component("store").unwrap();
    assert_eq!(store.verdict, ComponentVerdict::Leak, "{:?}", store.evidence);
    assert!((store.growth_bytes_per_1000_requests.estimate - 64_000.0).abs() < 2000.0, "{store:?}");
}

#[test]
fn a_block_that_grows_in_place_in_every_cycle_leaks() {
    let mut log = None;
    let recording = soak(&[("audit.write", 1)]).run(|server, step| match step {
        Step::Start => log = Some(server.alloc("audit", 4096)),
        Step::Request(..) => {
            let log = log.as_mut().expect("made at start-up");
            server.grow(log, 32);
        }
        Step::Rest | Step::Advanced => {}
    });
    let judgement = judge(&recording);
    let audit = judgement.component("audit").unwrap();
    assert_eq!(audit.verdict, ComponentVerdict::Leak, "{:?}", audit.evidence);
    assert!((audit.growth_bytes_per_1000_requests.estimate - 32_000.0).abs() < 320.0, "{audit:?}");
}

#[test]
fn growth_in_the_background_is_driven_by_time() {
    let mut cycle = 0_u64;
    let recording = soak(&[("a.ping", 1)]).run(|server, step| match step {
        Step::Request(..) => server.churn("a", 100),
        // Cycles take very different times, and the poller adds an entry every ten milliseconds.
        Step::Rest => {
            cycle += 1;
            let took = 200 + (cycle * 7919) % 3000;
            server.elapsed_ms += took;
            server.clock_ms += took;
            for _ in 0..(took + 200) / 10 {
                std::mem::forget(server.alloc("poller", 80));
            }
        }
        Step::Start | Step::Advanced => {}
    });
    let judgement = judge(&recording);
    let [finding] = &judgement.findings[..] else { panic!("{:#?}", judgement.findings) };
    assert_eq!((finding.component.as_str(), finding.pattern), ("poller", Pattern::TimeDriven));
    assert!(finding.triggered_by.is_empty());
    assert_eq!(judgement.component("poller").unwrap().verdict, ComponentVerdict::Leak);
}
