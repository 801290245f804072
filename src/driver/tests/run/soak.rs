//! What a run sends and records.

use std::collections::BTreeMap;

use crate::bench::Bench;
use heapsoak_driver::{Doing, Progress, Run, Scenario, Watcher, run};
use heapsoak_record::{Event, KindCount, Moment, Outcome, Recording};

const PLAIN: &str = r#"
version = 1
seed = 11
[target]
args = ["--log", "{log}"]
[load]
cycles = 4
max-cycles = 6
requests-per-cycle = 60
concurrency = 3
[clock]
advance = "6m"
every = 2
[weights]
"a.ok" = 6
"a.refused" = 2
"b.flow" = 1
"b.replay" = 1
"b.never" = 0
[kind."a.ok"]
path = "/ok/{{counter}}/{{uuid}}"
expect = { ok = [200] }
[kind."a.refused"]
path = "/status/404"
expect = { error = [404] }
[kind."b.flow"]
setup = [{ method = "POST", path = "/first", body = "{}", expect = { ok = [200] }, remember = { session = "/id", number = "/nested/number" } }]
let = { issue = "I-{{hex:8}}" }
method = "POST"
path = "/second"
body = { session = "{{$session}}", issue = "{{$issue}}", number = "{{$number}}" }
sign = { header = "linear-signature" }
expect = { ok = [200] }
[kind."b.replay"]
replay-of = "b.flow"
append = { linear-signature = "junk{{hex:4}}" }
expect = { ok = [200] }
[kind."b.never"]
path = "/never"
expect = { ok = [200] }
"#;

fn total(recording: &Recording) -> KindCount {
    recording.snapshots.last().unwrap().kinds.iter().copied().sum()
}

#[tokio::test]
async fn every_cycle_plants_its_share_of_the_control_unless_none_is_wanted() {
    let bench = Bench::new(PLAIN);
    let recording = bench.run().await.unwrap();
    let planted: Vec<_> = recording
        .events
        .iter()
        .filter_map(|event| match event {
            Event::ControlPlanted { cycle, blocks, bytes } => Some((*cycle, *blocks, *bytes)),
            _ => None,
        })
        .collect();
    // 1,024 bytes per 1,000 requests are 61 a cycle of 60, in four blocks.
    assert_eq!(planted, [(1, 4, 60), (2, 4, 64), (3, 4, 60), (4, 4, 60)]);
    let bench = Bench::new(PLAIN);
    let path = bench.recording();
    let silent = Run { control_per_1000: 0.0, ..bench.plan(&path) };
    let recording = run(silent, &mut heapsoak_driver::Silent).await.unwrap();
    assert!(!recording.events.iter().any(|event| matches!(event, Event::ControlPlanted { .. })));
}

#[tokio::test]
async fn a_run_records_a_baseline_and_every_cycle_and_advance() {
    let bench = Bench::new(PLAIN);
    let recording = bench.run().await.unwrap();
    let moments: Vec<_> = recording.snapshots.iter().map(|s| (s.cycle, s.moment)).collect();
    let (end, after) = (Moment::CycleEnd, Moment::AfterAdvance);
    let expected = [(0, Moment::Baseline), (1, end), (2, end), (2, after), (3, end), (4, end), (4, after)];
    assert_eq!(moments, expected);
    assert!(recording.snapshots.iter().all(|snapshot| snapshot.quiet));
    let last = recording.snapshots.last().unwrap();
    assert!(last.clock_ms >= last.elapsed_ms + 2 * 360_000);
    assert_eq!(last.heap.as_ref().unwrap().cohort.0, 4);
    assert_eq!(recording.end.as_ref().unwrap().outcome, Outcome::Completed);
    assert_eq!(recording.header.target.memory_limit_bytes, Some(1 << 30));
    assert!(recording.header.not_analysed.iter().any(|sentence| sentence.contains("b.never")));
    assert_eq!(Recording::read(&bench.recording()).unwrap(), recording);
}

#[tokio::test]
async fn every_request_is_counted_under_its_kind_on_both_sides() {
    let bench = Bench::new(PLAIN);
    let recording = bench.run().await.unwrap();
    let last = recording.snapshots.last().unwrap();
    let counted: BTreeMap<_, _> = recording
        .header
        .kinds
        .iter()
        .zip(&last.kinds)
        .collect::<Vec<_>>()
        .into_iter()
        .map(|(kind, count)| (kind.name.as_str(), count.sent))
        .collect();
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for context in &last.heap.as_ref().unwrap().contexts {
        if let Some(kind) = &context.kind {
            seen.insert(kind, context.allocated_blocks);
        }
    }
    assert_eq!(counted, seen);
    let total = total(&recording);
    assert_eq!(total.failed, 0);
    assert_eq!(total.sent, total.ok + total.expected_errors);
    assert!((240..=248).contains(&total.sent), "{total:?}");
    assert_eq!(last.requests, total.sent);
}

#[tokio::test]
async fn flows_remember_bind_sign_and_replay() {
    let bench = Bench::new(PLAIN);
    bench.run().await.unwrap();
    let log = bench.log();
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let second = log.iter().find(|line| line.starts_with("b.flow POST /second")).unwrap();
    assert!(second.contains("\"session\":\"s-") && second.contains("\"issue\":\"I-"), "{second}");
    assert!(second.contains("\"number\":\"7\""), "{second}");
    assert_eq!(words(second).last().unwrap().len(), 64);
    let replays: Vec<_> = log.iter().filter(|line| line.starts_with("b.replay ")).collect();
    assert!(!replays.is_empty());
    for replay in replays {
        let (body, signature) = (&words(replay)[3], &words(replay)[4]);
        let original =
            log.iter().find(|line| line.starts_with("b.flow POST /second") && words(line)[3] == *body);
        let original = words(original.unwrap());
        assert!(signature.starts_with(&format!("{}junk", original[4])), "{signature}");
    }
}

#[tokio::test]
async fn the_seed_alone_decides_what_is_sent() {
    let sent = async |concurrency: u32, seed: u64| {
        let bench = Bench::new(PLAIN);
        let path = bench.recording();
        let plan = Run { concurrency: Some(concurrency), seed: Some(seed), ..bench.plan(&path) };
        run(plan, &mut heapsoak_driver::Silent).await.unwrap();
        // Ids the server gives depend on the order it sees requests in; all else must not.
        let fixed = |line: &String| line.starts_with("a.");
        let mut log: Vec<_> = bench.log().into_iter().filter(fixed).collect();
        log.sort();
        log
    };
    let first = sent(1, 5).await;
    assert!(first.len() > 100);
    assert_eq!(first, sent(8, 5).await);
    assert_ne!(first, sent(1, 6).await);
}

#[tokio::test]
async fn answers_that_are_not_expected_are_failures_with_the_first_few_recorded() {
    let bench = Bench::new(
        r#"
version = 1
[load]
cycles = 1
requests-per-cycle = 20
[weights]
"a.wrong" = 1
[kind."a.wrong"]
path = "/status/500"
expect = { ok = [200], error = [404] }
"#,
    );
    let recording = bench.run().await.unwrap();
    assert_eq!(total(&recording), KindCount { sent: 20, failed: 20, ..KindCount::default() });
    let failure = Event::RequestFailed {
        cycle: 1,
        kind: "a.wrong".to_owned(),
        got: "status 500".to_owned(),
        expected: "status 200 or 404".to_owned(),
    };
    let failures: Vec<_> =
        recording.events.iter().filter(|event| matches!(event, Event::RequestFailed { .. })).collect();
    assert_eq!(failures, [&failure; 3]);
}

const HELD: &str = r#"
version = 1
[load]
cycles = 3
requests-per-cycle = 4
[clock]
advance = "6m"
every = 3
[weights]
"a.held" = 1
[kind."a.held"]
path = "/hold"
expect = { ok = [202] }
"#;

#[tokio::test]
async fn work_that_stands_still_is_held_and_not_waited_for_to_the_end() {
    let unannounced = Bench::new(HELD).run().await.unwrap();
    assert!(unannounced.snapshots.iter().all(|snapshot| snapshot.quiet));
    assert!(unannounced.snapshots[1].waited_ms >= 300, "{:?}", unannounced.snapshots[1].waited_ms);
    let announced = HELD.replace("path = ", "holds = \"fake.busy\"\npath = ");
    let announced = Bench::new(&announced).run().await.unwrap();
    assert!(announced.snapshots[1].waited_ms < 300, "{:?}", announced.snapshots[1].waited_ms);
}

/// Wants two more cycles whenever it is asked, and notes what it saw.
#[derive(Default)]
struct Greedy {
    asked: Vec<usize>,
    doing: Vec<Doing>,
    last: Option<Progress>,
}

impl Watcher for Greedy {
    fn progress(&mut self, progress: &Progress) {
        self.doing.push(progress.doing);
        self.last = Some(progress.clone());
    }

    fn planned_done(&mut self, recording: &Recording) -> u32 {
        self.asked.push(recording.snapshots.len());
        5
    }
}

#[tokio::test]
async fn an_undecided_run_is_extended_up_to_its_limit() {
    let bench = Bench::new(PLAIN);
    let path = bench.recording();
    let mut watcher = Greedy::default();
    let recording = run(bench.plan(&path), &mut watcher).await.unwrap();
    assert_eq!(recording.snapshots.last().unwrap().cycle, 6);
    assert_eq!(watcher.asked.len(), 2);
    assert!(
        recording.events.iter().any(|event| matches!(event, Event::Extended { cycle: 4, cycles: 6, .. }))
    );
    assert_eq!(watcher.doing.first(), Some(&Doing::Starting));
    assert_eq!(watcher.doing.last(), Some(&Doing::Ending));
    let last = watcher.last.unwrap();
    assert!(last.done >= 360 && last.planned == 360 && last.rate > 0.0 && last.median_us > 0, "{last:?}");
}

#[tokio::test]
async fn fewer_requests_make_smaller_cycles_before_they_make_fewer() {
    let bench = Bench::new(&PLAIN.replace("requests-per-cycle = 60", "requests-per-cycle = 1000"));
    let path = bench.recording();
    let plan = Run { requests: Some(200), as_found: Some(vec!["session".to_owned()]), ..bench.plan(&path) };
    let recording = run(plan, &mut heapsoak_driver::Silent).await.unwrap();
    assert_eq!((recording.header.plan.cycles, recording.header.plan.requests_per_cycle), (4, 50));
    assert_eq!(recording.header.target.as_found, ["session"]);
    assert_eq!(recording.header.target.name, "autopilot (as found: session)");
}

#[tokio::test]
async fn a_stage_runs_between_its_steps() {
    let text = PLAIN.to_owned()
        + r#"
[stage.special]
before = [{ path = "/pause" }, { obstruct = "queue.json" }]
after = [{ restore = "queue.json" }, { path = "/resume" }]
"#;
    let text = text.replace("[kind.\"a.refused\"]", "[kind.\"a.refused\"]\nstage = \"special\"");
    let bench = Bench::new(&text);
    bench.run().await.unwrap();
    let mut inside = false;
    for line in bench.log() {
        match line.trim() {
            "POST /pause" => inside = true,
            "POST /resume" => inside = false,
            other if other.starts_with("a.refused") => assert!(inside, "{other}"),
            other if other.starts_with("a.ok") => assert!(!inside, "{other}"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_recording_s_source_is_a_scenario_that_plans_the_same() {
    let bench = Bench::new(PLAIN);
    let again = bench.folder.path().join("again.toml");
    std::fs::write(&again, &bench.scenario.source).unwrap();
    let again = Scenario::load(&again).unwrap();
    assert_eq!(again.source, bench.scenario.source);
    assert_eq!(again.requests(), bench.scenario.requests());
}

#[tokio::test]
async fn clients_that_misbehave_are_counted_as_expected_and_reach_the_server_as_far_as_they_went() {
    let bench = Bench::new(
        r#"
version = 1
[target]
args = ["--log", "{log}"]
[load]
cycles = 2
requests-per-cycle = 60
concurrency = 3
[weights]
"a.ok" = 1
"a.leaves" = 1
"a.cut" = 1
"a.slow" = 1
"a.half" = 1
[kind."a.ok"]
path = "/ok"
expect = { ok = [200] }
[kind."a.leaves"]
fault = "close-before-answer"
method = "POST"
path = "/leaves"
body = "{}"
[kind."a.cut"]
fault = "close-mid-body"
method = "POST"
path = "/cut"
body = "{{text:100}}"
[kind."a.slow"]
fault = "slow"
method = "POST"
path = "/slow"
body = "{{text:100}}"
expect = { ok = [200] }
[kind."a.half"]
fault = "half-open"
path = "/half"
"#,
    );
    let recording = bench.run().await.unwrap();
    let last = recording.snapshots.last().unwrap();
    let log = bench.log();
    let seen = |path: &str| log.iter().filter(|line| line.contains(path)).count() as u64;
    for (kind, count) in recording.header.kinds.iter().zip(&last.kinds) {
        assert_eq!(count.failed, 0, "{}", kind.name);
        let unanswered = ["a.leaves", "a.cut", "a.half"].contains(&kind.name.as_str());
        let expected = if unanswered { (0, count.sent) } else { (count.sent, 0) };
        assert_eq!((count.ok, count.expected_errors), expected, "{}", kind.name);
        let arrived = match kind.name.as_str() {
            "a.ok" => seen(" /ok "),
            "a.leaves" => seen(" /leaves "),
            "a.slow" => seen(" /slow "),
            _ => continue,
        };
        assert_eq!(arrived, count.sent, "{}", kind.name);
    }
    assert_eq!(recording.end.as_ref().unwrap().outcome, Outcome::Completed);
}
