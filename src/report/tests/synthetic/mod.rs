//! A run made by hand: a server of four components, twenty-four cycles of five hundred requests.
//!
//! `session` keeps 892 bytes of every tenth of its error requests, `cache` allocates ever more per hit, `verifier`
//! levels at 1.2 MB, `process` keeps descriptors.

mod judged;
#[allow(dead_code, reason = "not every test looks at stacks")]
pub(crate) mod stacks;

use heapsoak_record::{
    Cell, Claim, Cohort, ContextHeap, End, Event, Header, Heap, Kind, KindCount, Moment, Outcome, Plan,
    Recording, Resource, Snapshot, Target, Unit,
};
use heapsoak_verdict::Judgement;

const CYCLES: u32 = 24;
const PER_CYCLE: u64 = 500;

const KINDS: [(&str, f64); 5] = [
    ("verifier.valid", 40.0),
    ("cache.hit", 30.0),
    ("session.success", 10.0),
    ("session.expired-comment-fails", 10.0),
    ("process.grandchild", 10.0),
];

/// The run and its judgement; `name` is the scenario's.
pub(crate) fn run(name: &str) -> (Recording, Judgement) {
    let recording = recording(name);
    let judgement = judged::judgement(&recording);
    (recording, judgement)
}

/// A run of so many cycles, in which every one of so many components leaks on a kind of its own, judged.
#[allow(dead_code, reason = "not every test needs a long one")]
pub(crate) fn long(cycles: u32, components: u32) -> (Recording, Judgement) {
    let mut recording = recording("long");
    let name = |component: u32| format!("component-{component}");
    let share = 1.0;
    recording.header.kinds =
        (0..components).map(|one| Kind { name: name(one) + ".ask", weight: share }).collect();
    let first = recording.snapshots[0].clone();
    recording.events.clear();
    recording.snapshots = (0..=cycles)
        .map(|cycle| {
            let contexts = (0..components).map(|component| {
                let kept = |cohort: u32| 20_000 + u64::from(cohort * 37 % 11 + component) * 100;
                let cells = (1..=cycle)
                    .map(|cohort| Cell { cohort: Cohort(cohort), live_bytes: kept(cohort), live_blocks: 40 })
                    .collect();
                context(
                    &name(component),
                    Some(&(name(component) + ".ask")),
                    u64::from(cycle) * 900_000,
                    cells,
                )
            });
            let contexts: Vec<ContextHeap> = contexts.collect();
            let live = |f: fn(&ContextHeap) -> u64| contexts.iter().map(f).sum();
            let requests = u64::from(cycle) * PER_CYCLE;
            let sent = requests / u64::from(components);
            Snapshot {
                sequence: cycle,
                cycle,
                moment: if cycle == 0 { Moment::Baseline } else { Moment::CycleEnd },
                elapsed_ms: u64::from(cycle) * 400,
                clock_ms: u64::from(cycle) * 400,
                requests,
                kinds: vec![KindCount { sent, ok: sent, expected_errors: 0, failed: 0 }; components as usize],
                heap: Some(Heap {
                    cohort: Cohort(cycle),
                    total_live_bytes: live(ContextHeap::live_bytes),
                    total_live_blocks: live(ContextHeap::live_blocks),
                    contexts,
                    ..Heap::default()
                }),
                ..first.clone()
            }
        })
        .collect();
    let judgement = heapsoak_verdict::judge(&recording);
    (recording, judgement)
}

fn recording(name: &str) -> Recording {
    let mut recording = Recording::new(Header {
        format_version: 1,
        tool_version: "0.1.0".to_owned(),
        started_unix_ms: 1_772_373_900_000,
        scenario: name.to_owned(),
        description: "The defects the review claimed, and no others.".to_owned(),
        scenario_source: String::new(),
        seed: 7,
        target: Target {
            name: "autopilot (as found: session.tool-ids, cache.order-array)".to_owned(),
            command: vec!["heapsoak".to_owned(), "__autopilot".to_owned()],
            pid: 4711,
            as_found: vec!["session.tool-ids".to_owned(), "cache.order-array".to_owned()],
            memory_limit_bytes: None,
        },
        plan: Plan { cycles: CYCLES, max_cycles: 40, requests_per_cycle: PER_CYCLE, concurrency: 8 },
        kinds: KINDS
            .iter()
            .map(|(name, weight)| Kind { name: (*name).to_owned(), weight: *weight })
            .collect(),
        claims: vec![
            claim("verifier", 64_000, true),
            claim("cache", 500_000, true),
            claim("session", 28_000, true),
        ],
        not_analysed: vec!["Memory that libraries written in C allocate by themselves.".to_owned()],
    });
    for cycle in 0..=CYCLES {
        recording.snapshots.push(snapshot(cycle, Moment::CycleEnd));
        if cycle > 0 && cycle % 6 == 0 {
            recording.events.push(Event::ClockAdvanced { cycle, by_ms: 360_000 });
            recording.snapshots.push(snapshot(cycle, Moment::AfterAdvance));
        }
    }
    recording.snapshots[0].moment = Moment::Baseline;
    recording.events.push(Event::RequestFailed {
        cycle: 3,
        kind: "cache.hit".to_owned(),
        got: "503".to_owned(),
        expected: "200".to_owned(),
    });
    recording.end =
        Some(End { outcome: Outcome::Completed, elapsed_ms: 9_600, requests: u64::from(CYCLES) * PER_CYCLE });
    recording
}

fn claim(component: &str, bytes: u64, unbounded: bool) -> Claim {
    let says = format!("{component} grows by {} KB per 1,000 requests", bytes / 1000);
    Claim { component: component.to_owned(), says, bytes_per_1000_requests: bytes, unbounded }
}

fn snapshot(cycle: u32, moment: Moment) -> Snapshot {
    let done = u64::from(cycle);
    let kinds = KINDS
        .iter()
        .map(|(name, weight)| {
            let sent = done * (weight * 5.0) as u64;
            let failed = u64::from(*name == "cache.hit" && cycle >= 3);
            let wrong = name.ends_with("fails");
            KindCount {
                sent,
                ok: if wrong { 0 } else { sent - failed },
                expected_errors: if wrong { sent } else { 0 },
                failed,
            }
        })
        .collect();
    let count = |name: &str, value: u64| Resource { name: name.to_owned(), value, unit: Unit::Count };
    let bytes = |name: &str, value: u64| Resource { name: name.to_owned(), value, unit: Unit::Bytes };
    Snapshot {
        sequence: cycle,
        cycle,
        moment,
        elapsed_ms: done * 400,
        clock_ms: done * 400 + done / 6 * 360_000,
        requests: done * PER_CYCLE,
        kinds,
        quiet: true,
        waited_ms: 30,
        heap: Some(heap(cycle, moment)),
        resources: vec![
            count("fds.pipe", 12 + 2 * done),
            count("threads", 6),
            count("zombies", 0),
            bytes("rss", 24_000_000 + done * 120_000),
        ],
        gauges: Vec::new(),
    }
}

fn heap(cycle: u32, moment: Moment) -> Heap {
    let kept = |per_cohort: u64, from: u32| {
        (from..=cycle)
            .map(|n| Cell { cohort: Cohort(n), live_bytes: per_cohort, live_blocks: per_cohort / 64 })
            .collect()
    };
    let done = u64::from(cycle);
    let young = cycle.saturating_sub(9).max(1);
    let pending = if moment == Moment::AfterAdvance { cycle + 1 } else { cycle / 6 * 6 + 1 };
    let contexts = vec![
        context(
            "unscoped",
            None,
            700_000,
            vec![Cell { cohort: Cohort(0), live_bytes: 700_000, live_blocks: 900 }],
        ),
        context("verifier", Some("verifier.valid"), done * 260_000, kept(120_000, young)),
        context(
            "cache",
            Some("cache.hit"),
            done * done * 90_000,
            kept(4_000, 1.max(cycle.saturating_sub(1))),
        ),
        context("session", Some("session.success"), done * 900_000, kept(1_000, cycle.max(1))),
        context("session", Some("session.expired-comment-fails"), done * 700_000, kept(44_600, 1)),
        context("process", Some("process.grandchild"), done * 500_000, kept(16_384, pending)),
        context("process", None, done * 1_000, Vec::new()),
    ];
    let live = |f: fn(&ContextHeap) -> u64| contexts.iter().map(f).sum();
    Heap {
        cohort: Cohort(cycle),
        total_live_bytes: live(ContextHeap::live_bytes),
        total_live_blocks: live(ContextHeap::live_blocks),
        contexts,
        merged: Vec::new(),
        uncounted_freed_bytes: 0,
    }
}

fn context(component: &str, kind: Option<&str>, allocated: u64, survivors: Vec<Cell>) -> ContextHeap {
    let live: u64 = survivors.iter().map(|cell| cell.live_bytes).sum();
    let blocks: u64 = survivors.iter().map(|cell| cell.live_blocks).sum();
    let allocated = allocated.max(live);
    ContextHeap {
        path: vec![component.to_owned()],
        kind: kind.map(str::to_owned),
        allocated_bytes: allocated,
        allocated_blocks: allocated / 64 + blocks,
        freed_bytes: allocated - live,
        freed_blocks: allocated / 64,
        survivors,
    }
}
