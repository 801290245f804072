//! The judgement of the run made by hand.

use heapsoak_record::{Moment, OWN_COMPONENT, Recording, Unit};
use heapsoak_verdict::{
    Answer, ClaimJudgement, CohortSurvivors, ComponentJudgement, ComponentVerdict, Finding, Growth,
    Judgement, Live, OutOfMemory, Pattern, Point, Quality, Requests, ResourceJudgement, ResourcePoint,
    RunVerdict, Severity,
};

/// What a judge would say of the recording.
pub(super) fn judgement(recording: &Recording) -> Judgement {
    let growth = growth(89_200.0, 700.0);
    Judgement {
        verdict: RunVerdict::Leak,
        reasons: vec![
            "session keeps a steady rest of every cohort.".to_owned(),
            "fds.pipe grows with every process.grandchild.".to_owned(),
        ],
        requests: Requests { sent: 12_000, ok: 10_799, expected_errors: 1_200, failed: 1 },
        quality: Quality {
            cycles: super::CYCLES,
            snapshots: 29,
            landed: 0.999_916,
            warm_up_requests: 1_500,
            ..Quality::default()
        },
        components: ["cache", "process", "session", "unscoped", "verifier"]
            .into_iter()
            .filter(|name| *name != OWN_COMPONENT)
            .map(|name| component(recording, name))
            .collect(),
        resources: recording.snapshots[0]
            .resources
            .iter()
            .map(|r| resource(recording, &r.name, r.unit))
            .collect(),
        findings: findings(growth),
        combined_impact_at_10000_requests_bytes: 892_000.0,
        out_of_memory: OutOfMemory {
            growth_bytes_per_1000_requests: growth,
            requests_per_second: 1_250.0,
            resident_bytes: 26_880_000,
            limit_bytes: None,
        },
        claims: claims(recording),
        wanted_requests: None,
        not_analysed: recording.header.not_analysed.clone(),
    }
}

fn growth(estimate: f64, half: f64) -> Growth {
    Growth { estimate, low: estimate - half, high: estimate + half }
}

fn component(recording: &Recording, name: &str) -> ComponentJudgement {
    let mut series: Vec<Point> = Vec::new();
    for snapshot in &recording.snapshots {
        let heap = snapshot.heap.as_ref().unwrap();
        let contexts = || heap.contexts.iter().filter(|context| context.component() == name);
        series.push(Point {
            requests: snapshot.requests,
            elapsed_ms: snapshot.elapsed_ms,
            clock_ms: snapshot.clock_ms,
            after_advance: snapshot.moment == Moment::AfterAdvance,
            live_bytes: contexts().map(heapsoak_record::ContextHeap::live_bytes).sum(),
            allocated_bytes_per_request: None,
        });
    }
    let last = recording.snapshots.last().unwrap().heap.as_ref().unwrap();
    let survivors = (0..=super::CYCLES)
        .map(|cohort| {
            let cells = last.contexts.iter().filter(|c| c.component() == name).flat_map(|c| &c.survivors);
            CohortSurvivors {
                cohort,
                requests: if cohort == 0 { 0 } else { super::PER_CYCLE },
                live_bytes: cells.clone().filter(|c| c.cohort.0 == cohort).map(|c| c.live_bytes).sum(),
                live_blocks: cells.filter(|c| c.cohort.0 == cohort).map(|c| c.live_blocks).sum(),
                judged: (3..=20).contains(&cohort),
            }
        })
        .collect();
    let (verdict, growth, bound) = match name {
        "session" => (ComponentVerdict::Leak, growth(89_200.0, 700.0), None),
        "verifier" => (ComponentVerdict::Bounded, growth(0.0, 310.0), Some(1_200_000)),
        "process" => (ComponentVerdict::Bounded, growth(0.0, 95.0), Some(98_304)),
        _ => (ComponentVerdict::Stable, growth(12.0, 40.0), None),
    };
    let live = series.iter().map(|point| point.live_bytes);
    ComponentJudgement {
        name: name.to_owned(),
        verdict,
        growth_bytes_per_1000_requests: growth,
        minimum_detectable_bytes_per_1000_requests: 640.0,
        bound_bytes: bound,
        lifetime_ms: (name == "process").then_some(300_000),
        live_bytes: Live {
            start: live.clone().next().unwrap(),
            end: live.clone().next_back().unwrap(),
            peak: live.max().unwrap(),
        },
        allocated_bytes_per_request: 3_140.0,
        allocations_per_request: 21.5,
        series,
        survivors,
        kinds: Vec::new(),
        evidence: vec!["Made by hand.".to_owned()],
    }
}

fn resource(recording: &Recording, name: &str, unit: Unit) -> ResourceJudgement {
    let leaks = name == "fds.pipe";
    ResourceJudgement {
        name: name.to_owned(),
        unit,
        verdict: if leaks { ComponentVerdict::Leak } else { ComponentVerdict::Stable },
        growth_per_1000_requests: if leaks { growth(4.0, 0.1) } else { growth(0.0, 0.0) },
        minimum_detectable_per_1000_requests: 0.2,
        bound: None,
        triggered_by: if leaks { vec!["process.grandchild".to_owned()] } else { Vec::new() },
        series: recording
            .snapshots
            .iter()
            .map(|snapshot| ResourcePoint {
                requests: snapshot.requests,
                after_advance: snapshot.moment == Moment::AfterAdvance,
                value: snapshot.resource(name).unwrap(),
            })
            .collect(),
        evidence: Vec::new(),
    }
}

fn findings(growth: Growth) -> Vec<Finding> {
    let finding = Finding {
        severity: Severity::High,
        component: "session".to_owned(),
        pattern: Pattern::CleanupGap,
        growth_bytes_per_1000_requests: growth,
        at_10000_requests_bytes: 892_000.0,
        triggered_by: vec!["session.expired-comment-fails".to_owned()],
        growth_bytes_per_1000_triggering_requests: Some(growth.scaled(10.0)),
        resources: Vec::new(),
        bound_bytes: None,
        summary: "session keeps memory of requests of one kind that end in an error.".to_owned(),
        evidence: vec![
            "All 18 judged cohorts keep a rest.".to_owned(),
            "What is 10 cohorts old is as much as what is 2 cohorts old.".to_owned(),
        ],
        action: "Free what the request holds on its error path as well.".to_owned(),
    };
    vec![
        Finding {
            severity: Severity::Critical,
            component: "process".to_owned(),
            pattern: Pattern::ResourceLifecycle,
            growth_bytes_per_1000_requests: Growth::default(),
            at_10000_requests_bytes: 0.0,
            triggered_by: vec!["process.grandchild".to_owned()],
            growth_bytes_per_1000_triggering_requests: None,
            resources: vec!["fds.pipe".to_owned()],
            summary: "process loses descriptors of pipes.".to_owned(),
            evidence: vec!["fds.pipe grows by 4 per 1,000 requests.".to_owned()],
            action: "Close the pipes when the child is given up.".to_owned(),
            ..finding.clone()
        },
        finding.clone(),
        Finding {
            severity: Severity::Medium,
            component: "cache".to_owned(),
            pattern: Pattern::Churn,
            growth_bytes_per_1000_requests: Growth::default(),
            at_10000_requests_bytes: 0.0,
            triggered_by: vec!["cache.hit".to_owned()],
            growth_bytes_per_1000_triggering_requests: None,
            summary: "cache allocates ever more per request: from 900 B to 28 KB.".to_owned(),
            evidence: vec!["Nothing of it is kept.".to_owned()],
            action: "Keep the order of access without rebuilding it.".to_owned(),
            ..finding
        },
    ]
}

fn claims(recording: &Recording) -> Vec<ClaimJudgement> {
    let judged = |index: usize, verdict, growth, bound_bytes, answer, because: &str| ClaimJudgement {
        claim: recording.header.claims[index].clone(),
        verdict: Some(verdict),
        measured_bytes_per_1000_requests: Some(growth),
        bound_bytes,
        answer,
        because: because.to_owned(),
    };
    vec![
        judged(
            0,
            ComponentVerdict::Bounded,
            growth(0.0, 310.0),
            Some(1_200_000),
            Answer::Wrong,
            "It levels.",
        ),
        judged(1, ComponentVerdict::Stable, growth(12.0, 40.0), None, Answer::Wrong, "Nothing is kept."),
        judged(
            2,
            ComponentVerdict::Leak,
            growth(446_000.0, 3_500.0),
            None,
            Answer::Understated,
            "It grows by 16 times as much.",
        ),
    ]
}
