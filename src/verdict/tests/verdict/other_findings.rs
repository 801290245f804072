//! Churn, resources and claims.

use crate::server::{Step, soak};
use heapsoak_record::Claim;
use heapsoak_verdict::{Answer, ComponentVerdict, Pattern, RunVerdict, Severity, judge};

const EIGHT: [(&str, u64); 8] = [
    ("a.one", 40),
    ("a.two", 30),
    ("b.one", 40),
    ("b.two", 30),
    ("c.one", 20),
    ("c.two", 15),
    ("process.ok", 20),
    ("process.grandchild", 10),
];

#[test]
fn allocation_that_grows_with_the_entries_is_churn_and_names_the_gauge() {
    let recording = soak(&[("cache.hit", 9), ("cache.miss", 1)]).run(|server, step| {
        let entries = *server.gauges.entry("cache.entries").or_insert(0);
        match step {
            Step::Request("cache.miss", _) if entries < 1000 => {
                server.gauges.insert("cache.entries", entries + 1);
            }
            Step::Request("cache.hit", _) => server.churn("cache", 200 + 24 * entries as u64),
            _ => {}
        }
    });
    let judgement = judge(&recording);
    assert_eq!(judgement.verdict, RunVerdict::Clean, "{:?}", judgement.reasons);
    let [finding] = &judgement.findings[..] else { panic!("{:#?}", judgement.findings) };
    assert_eq!((finding.pattern, finding.severity), (Pattern::Churn, Severity::Medium));
    assert_eq!(finding.triggered_by, ["cache.hit"]);
    assert!(
        finding.evidence.iter().any(|sentence| sentence.contains("cache.entries")),
        "{:?}",
        finding.evidence
    );
}

#[test]
fn allocation_in_proportion_is_no_churn_finding() {
    let judgement = judge(&soak(&[("a.b", 1)]).run(|server, step| {
        if let Step::Request(..) = step {
            let bytes = 20_000 + server.random(20_000);
            server.churn("a", bytes);
        }
    }));
    assert!(judgement.findings.is_empty(), "{:#?}", judgement.findings);
}

#[test]
fn descriptors_left_by_one_kind_of_eight_are_charged_to_it() {
    let judgement = judge(&soak(&EIGHT).run(|server, step| {
        if let Step::Request(kind, _) = step {
            server.churn("process", 1000);
            if kind == "process.grandchild" {
                *server.resources.entry("fds.pipe").or_insert(4) += 2;
            }
        }
    }));
    let pipes = judgement.resource("fds.pipe").unwrap();
    assert_eq!(pipes.verdict, ComponentVerdict::Leak, "{pipes:?}");
    assert_eq!(pipes.triggered_by, ["process.grandchild"]);
    let [finding] = &judgement.findings[..] else { panic!("{:#?}", judgement.findings) };
    assert_eq!(finding.pattern, Pattern::ResourceLifecycle);
    assert_eq!((finding.component.as_str(), finding.severity), ("process", Severity::High));
    assert_eq!(judgement.verdict, RunVerdict::Leak);
}

#[test]
fn heap_descriptors_and_processes_of_one_kind_are_one_finding() {
    let judgement = judge(&soak(&EIGHT).run(|server, step| {
        if let Step::Request(kind, _) = step {
            server.churn("process", 1000);
            if kind == "process.grandchild" {
                std::mem::forget(server.alloc("process", 8000));
                std::mem::forget(server.alloc("unscoped", 300));
                *server.resources.entry("fds.pipe").or_insert(4) += 2;
                *server.resources.entry("children").or_insert(0) += 1;
            }
        }
    }));
    let [finding] = &judgement.findings[..] else { panic!("{:#?}", judgement.findings) };
    assert_eq!((finding.pattern, finding.severity), (Pattern::ResourceLifecycle, Severity::Critical));
    assert_eq!(finding.component, "process");
    assert_eq!(finding.triggered_by, ["process.grandchild"]);
    assert_eq!(finding.resources, ["children", "fds.pipe"]);
    let own = finding.growth_bytes_per_1000_triggering_requests.unwrap();
    assert!((own.estimate - 8e6).abs() < 1.0, "{own:?}");
    let children = judgement.resource("children").unwrap().growth_per_1000_requests;
    assert!((children.estimate - 48.8).abs() < 5.0, "{children:?}");
}

#[test]
fn what_waits_for_time_is_told_from_what_stays_when_both_hold_descriptors() {
    let mut soak = soak(&EIGHT);
    soak.advance_every = Some(5);
    let mut waiting = 0;
    let judgement = judge(&soak.run(|server, step| {
        let held = match step {
            Step::Request("process.ok", _) => {
                waiting += 3;
                3
            }
            Step::Request("process.grandchild", _) => 2,
            Step::Advanced => -std::mem::take(&mut waiting),
            _ => 0,
        };
        let fds = server.resources.entry("fds.pipe").or_insert(4);
        *fds = fds.checked_add_signed(held).expect("no more is closed than was opened");
    }));
    let pipes = judgement.resource("fds.pipe").unwrap();
    assert_eq!(pipes.verdict, ComponentVerdict::Leak, "{pipes:?}");
    assert_eq!(pipes.triggered_by, ["process.grandchild"]);
}

#[test]
fn descriptors_left_in_the_background_are_charged_to_no_kind() {
    let judgement = judge(&soak(&EIGHT).run(|server, step| {
        let fds = server.resources.entry("fds.socket").or_insert(4);
        *fds += u64::from(step == Step::Rest) * 5;
    }));
    let sockets = judgement.resource("fds.socket").unwrap();
    assert_eq!(sockets.verdict, ComponentVerdict::Leak);
    assert!(sockets.triggered_by.is_empty(), "{:?}", sockets.triggered_by);
    assert_eq!(judgement.findings[0].component, "unscoped");
}

#[test]
fn a_pool_of_threads_that_fills_and_levels_is_bounded() {
    let judgement = judge(&soak(&[("a.b", 1)]).run(|server, step| match step {
        Step::Start => drop(server.resources.insert("threads", 3)),
        Step::Rest => {
            let threads = server.resources.entry("threads").or_insert(3);
            *threads = (*threads + 4).min(40);
        }
        _ => {}
    }));
    let threads = judgement.resource("threads").unwrap();
    assert_eq!((threads.verdict, threads.bound), (ComponentVerdict::Bounded, Some(40)));
    assert_eq!(judgement.verdict, RunVerdict::Clean);
}

#[test]
fn descriptors_that_time_closes_are_not_a_leak() {
    let mut soak = soak(&[("a.b", 1)]);
    soak.advance_every = Some(10);
    let judgement = judge(&soak.run(|server, step| {
        let fds = server.resources.entry("fds.pipe").or_insert(5);
        match step {
            Step::Rest => *fds += 12,
            Step::Advanced => *fds = 5,
            Step::Start | Step::Request(..) => {}
        }
    }));
    assert_eq!(judgement.resource("fds.pipe").unwrap().verdict, ComponentVerdict::Bounded);
}

#[test]
fn children_that_one_snapshot_alone_caught_dying_are_as_usual() {
    let run = |seen_after: &[u32]| {
        let mut rests = 0;
        judge(&soak(&[("a.b", 1)]).run(|server, step| {
            if step == Step::Rest {
                rests += 1;
            }
            let dying = if seen_after.contains(&rests) && step == Step::Rest { 8 } else { 0 };
            server.resources.insert("zombies", dying);
            server.resources.insert("children", dying);
        }))
    };
    // In the middle, early, at the very end; and twice, apart.
    for seen_after in [&[17][..], &[1], &[30], &[9, 22]] {
        let judgement = run(seen_after);
        for name in ["zombies", "children"] {
            let verdict = judgement.resource(name).unwrap().verdict;
            assert_eq!(verdict, ComponentVerdict::Stable, "{name} seen after {seen_after:?}");
        }
        assert_eq!(judgement.verdict, RunVerdict::Clean, "{:?}", judgement.reasons);
    }
    let stay: Vec<u32> = (12..=30).collect();
    assert_eq!(run(&stay).resource("zombies").unwrap().verdict, ComponentVerdict::Bounded);
}

fn claim(component: &str, bytes: u64) -> Claim {
    Claim {
        component: component.to_owned(),
        says: "grows".to_owned(),
        bytes_per_1000_requests: bytes,
        unbounded: true,
    }
}

#[test]
fn claims_are_set_beside_the_measurement() {
    let mut soak = soak(&[("right.a", 1), ("wrong.a", 1), ("under.a", 4), ("under.b", 1), ("over.a", 1)]);
    soak.claims = vec![
        claim("right", 60_000),
        claim("wrong", 60_000),
        claim("under", 28_000),
        claim("over", 500_000),
        claim("absent", 1000),
    ];
    let judgement = judge(&soak.run(|server, step| {
        if let Step::Request(kind, _) = step {
            let (component, bytes) = match kind {
                "right.a" => ("right", 64),
                "under.b" => ("under", 450),
                "over.a" => ("over", 100),
                "wrong.a" => return server.churn("wrong", 64),
                _ => return server.churn("under", 64),
            };
            std::mem::forget(server.alloc(component, bytes));
        }
    }));
    let answers: Vec<Answer> = judgement.claims.iter().map(|claim| claim.answer).collect();
    assert_eq!(
        answers,
        [Answer::Right, Answer::Wrong, Answer::Understated, Answer::Overstated, Answer::NotMeasured],
        "{:#?}",
        judgement.claims
    );
    let right = judgement.claims[0].measured_bytes_per_1000_requests.unwrap();
    assert!((right.estimate - 64_000.0).abs() < 640.0, "{right:?}");
    assert!(
        judgement.claims[2].because.contains("under.b and nowhere else"),
        "{}",
        judgement.claims[2].because
    );
}
