//! Servers that are stopped and started again within a run.

use crate::bench::{Bench, processes_with};
use heapsoak_record::{Event, Moment, Outcome};

const RESTARTS: &str = r#"
version = 1
[target]
args = ["--log", "{log}"]
[load]
cycles = 6
requests-per-cycle = 40
concurrency = 3
[clock]
advance = "6m"
every = 3
[restart]
every = 2
[weights]
"a.ok" = 1
[kind."a.ok"]
path = "/ok/{{counter}}/{{now-ms}}"
expect = { ok = [200] }
"#;

#[tokio::test]
async fn a_server_is_restarted_between_cycles_and_its_counters_begin_anew() {
    let bench = Bench::new(RESTARTS);
    let recording = bench.run().await.unwrap();
    assert_eq!(recording.end.as_ref().unwrap().outcome, Outcome::Completed);
    let restarts: Vec<_> = recording
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Restarted { cycle, pid, killed, .. } => Some((*cycle, *pid, *killed)),
            _ => None,
        })
        .collect();
    // Not after the last cycle.
    assert_eq!(restarts.iter().map(|restart| restart.0).collect::<Vec<_>>(), [2, 4]);
    assert!(restarts.iter().all(|restart| !restart.2));
    assert!(restarts[0].1 != restarts[1].1 && restarts[0].1 != recording.header.target.pid);
    let baselines: Vec<_> =
        recording.snapshots.iter().filter(|snapshot| snapshot.moment == Moment::Baseline).collect();
    assert_eq!(baselines.iter().map(|snapshot| snapshot.cycle).collect::<Vec<_>>(), [0, 2, 4]);
    // The driver goes on counting, the new process begins.
    assert_eq!(baselines.iter().map(|snapshot| snapshot.requests).collect::<Vec<_>>(), [0, 80, 160]);
    let counted = |snapshot: &heapsoak_record::Snapshot| -> u64 {
        let contexts = &snapshot.heap.as_ref().unwrap().contexts;
        contexts.iter().filter(|context| context.kind.is_some()).map(|context| context.allocated_blocks).sum()
    };
    assert!(baselines.iter().all(|snapshot| counted(snapshot) == 0));
    let last = recording.snapshots.last().unwrap();
    assert_eq!((last.requests, counted(last), last.heap.as_ref().unwrap().cohort.0), (240, 80, 2));
    assert_eq!(last.kinds[0].failed, 0);
    // A clock that went ahead stays ahead: times in requests never go back.
    let times: Vec<u64> = bench
        .log()
        .iter()
        .filter(|line| line.starts_with("a.ok "))
        .map(|line| line.split_whitespace().nth(2).unwrap().rsplit('/').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(times.len(), 240);
    assert!(times[239] >= times[0] + 360_000, "{} {}", times[0], times[239]);
    let log = bench.folder.path().join("log").display().to_string();
    assert_eq!(processes_with(&["__autopilot", &log]), Vec::<i32>::new());
}

#[tokio::test]
async fn each_stretch_is_a_recording_of_its_own() {
    let bench = Bench::new(&RESTARTS.replace("every = 2", "every = 4\nkill = true"));
    let recording = bench.run().await.unwrap();
    assert!(
        recording.events.iter().any(|event| matches!(event, Event::Restarted { cycle: 4, killed: true, .. }))
    );
    let parts = recording.parts();
    let sizes: Vec<_> = parts
        .iter()
        .map(|part| (part.cycles_before, part.requests_before, part.recording.header.plan.cycles))
        .collect();
    assert_eq!(sizes, [(0, 0, 4), (4, 160, 2)]);
    let second = &parts[1].recording.snapshots;
    assert_eq!((second[0].moment, second[0].cycle, second[0].requests), (Moment::Baseline, 0, 0));
    let last = second.last().unwrap();
    assert_eq!((last.cycle, last.requests, last.kinds[0].sent), (2, 80, 80));
    let planted = |part: usize| {
        let events = parts[part].recording.events.iter();
        events
            .filter(|event| matches!(event, Event::ControlPlanted { .. }))
            .filter_map(Event::cycle)
            .collect::<Vec<_>>()
    };
    assert_eq!((planted(0), planted(1)), (vec![1, 2, 3, 4], vec![1, 2]));
    // The stacks are those of the longest stretch, which is judged.
    assert_eq!(recording.stacks[0].marks.last().unwrap().requests, 160);
}

#[tokio::test]
async fn a_server_that_does_not_come_up_again_is_a_failed_run_that_says_why() {
    // The second start finds the log and refuses.
    let bench = Bench::new(&RESTARTS.replace("\"--log\"", "\"--once\", \"--log\""));
    let recording = bench.run().await.unwrap();
    let Outcome::Failed { why } = &recording.end.as_ref().unwrap().outcome else {
        panic!("{:?}", recording.end);
    };
    assert!(why.contains("the server was stopped") && why.contains("the port is in use"), "{why}");
    assert_eq!(recording.snapshots.last().unwrap().cycle, 2);
}

/// A run of so many cycles of four requests, restarted now and then.
fn long(cycles: u32, every: u32) -> Bench {
    let text = RESTARTS.replace("cycles = 6", &format!("cycles = {cycles}"));
    let text = text.replace("requests-per-cycle = 40", "requests-per-cycle = 4");
    let text = text.replace("[clock]\nadvance = \"6m\"\nevery = 3\n", "");
    Bench::new(&text.replace("[restart]\nevery = 2", &format!("[restart]\nkill = true\nevery = {every}")))
}

fn planted(recording: &heapsoak_record::Recording) -> (u64, u64) {
    let planted = recording.events.iter().filter_map(|event| match event {
        Event::ControlPlanted { blocks, bytes, .. } => Some((*blocks, *bytes)),
        _ => None,
    });
    planted.fold((0, 0), |sum, (blocks, bytes)| (sum.0 + blocks, sum.1 + bytes))
}

#[tokio::test]
async fn a_process_of_many_cycles_is_folded_and_its_restart_stands_where_it_was() {
    // 301 is odd: the last cycle of what is folded before a restart is half a one.
    let bench = long(901, 301);
    let recording = bench.run().await.unwrap();
    assert_eq!(recording.end.as_ref().unwrap().outcome, Outcome::Completed);
    let restarts: Vec<_> = recording
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Restarted { cycle, times, .. } => Some((*cycle, *times)),
            _ => None,
        })
        .collect();
    assert_eq!(restarts, [(301, 1), (602, 1)]);
    let stretches = recording.stretches();
    let seen: Vec<_> = stretches
        .iter()
        .map(|stretch| (stretch.cycles_before, stretch.cycles, stretch.cycles_each, stretch.kept_cycles()))
        .collect();
    assert_eq!(seen, [(0, 301, 2, 151), (301, 301, 2, 151), (602, 300, 2, 150)]);
    for part in recording.parts() {
        let cycles = part.recording.snapshots.iter().map(|snapshot| snapshot.cycle);
        assert!(cycles.eq(0..=u32::try_from(part.recording.snapshots.len()).unwrap() - 1));
        let last = part.recording.snapshots.last().unwrap();
        let planted = planted(&part.recording);
        assert_eq!(planted.0, 4 * u64::from(part.recording.header.plan.cycles));
        // 1,024 bytes per 1,000 requests, to the few bytes that blocks are rounded by.
        assert!(
            (planted.1 as f64 - 1.024 * last.requests as f64).abs() < 40.0,
            "{planted:?} {}",
            last.requests
        );
    }
}

#[tokio::test]
async fn a_run_of_very_many_restarts_keeps_a_bounded_number_of_processes() {
    let bench = long(640, 2);
    let recording = bench.run().await.unwrap();
    assert_eq!(recording.end.as_ref().unwrap().outcome, Outcome::Completed);
    assert_eq!(recording.restarts(), 319);
    let stretches = recording.stretches();
    // Thinned whenever those that are over have 256 cycles, to 64 of one cycle.
    assert!((32..=64 + 130).contains(&stretches.len()), "{}", stretches.len());
    assert!(recording.snapshots.len() < 3 * 194 && recording.events.len() < 1_000);
    assert!(stretches.iter().all(|stretch| stretch.cycles == 2 && stretch.cycles_before % 2 == 0));
    assert_eq!(stretches.last().unwrap().last_cycle(), 640);
    let last = recording.snapshots.last().unwrap();
    assert_eq!((last.requests, last.kinds[0].failed), (2_560, 0));
    assert_eq!(planted(&recording).0, 4 * 640);
    assert!(recording.snapshots.is_sorted_by_key(|snapshot| snapshot.requests));
}
