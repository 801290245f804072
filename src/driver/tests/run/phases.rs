//! Phases: what is sent when, and what the recording says of it.

use crate::bench::Bench;
use heapsoak_record::{Event, Moment, Outcome};

const PHASES: &str = r#"
version = 1
[target]
args = ["--log", "{log}"]
[load]
cycles = 2
requests-per-cycle = 80
concurrency = 2
[[warm-up]]
name = "ramp"
requests = 30
rate = [200, 400]
[[phase]]
name = "steady"
share = 1
rate = 400
[[phase]]
name = "idle"
idle = "150ms"
[[phase]]
name = "burst"
share = 3
connections = 16
[weights]
"a.ok" = 8
"b.replayed" = 2
"b.replay" = 2
"c.apart" = 1
[kind."a.ok"]
path = "/ok/{{counter}}"
expect = { ok = [200] }
[kind."b.replayed"]
path = "/replayed/{{counter}}"
expect = { ok = [200] }
[kind."b.replay"]
replay-of = "b.replayed"
expect = { ok = [200] }
[stage.apart]
before = [{ path = "/before" }]
[kind."c.apart"]
stage = "apart"
path = "/apart"
expect = { ok = [200] }
"#;

fn phases(events: &[Event]) -> Vec<(u32, &str, u64, u32, u64)> {
    let done = events.iter().filter_map(|event| match event {
        Event::PhaseDone { cycle, phase, requests, connections, took_ms } => {
            Some((*cycle, phase.as_str(), *requests, *connections, *took_ms))
        }
        _ => None,
    });
    done.collect()
}

#[tokio::test]
async fn every_phase_is_done_in_order_and_recorded_with_what_it_sent() {
    let bench = Bench::new(PHASES);
    let recording = bench.run().await.unwrap();
    assert_eq!(recording.end.as_ref().unwrap().outcome, Outcome::Completed);
    let done = phases(&recording.events);
    let order: Vec<_> = done.iter().map(|(cycle, phase, ..)| (*cycle, *phase)).collect();
    let cycle = |number| [(number, "steady"), (number, "idle"), (number, "burst")];
    let expected: Vec<_> = [(0, "ramp")].into_iter().chain(cycle(1)).chain(cycle(2)).collect();
    assert_eq!(order, expected);
    for (cycle, phase, requests, connections, took_ms) in done {
        match phase {
            // 30 requests at 200 to 400 a second.
            "ramp" => assert!((cycle, requests, connections) == (0, 30, 2) && took_ms >= 95, "{took_ms}"),
            "steady" => {
                assert!((12..=22).contains(&requests) && connections == 2, "{requests}, {connections}");
                // The last request begins when all but one are due.
                assert!(took_ms >= (requests - 1) * 1000 / 400 - 2, "{requests} in {took_ms} ms");
            }
            "idle" => assert!((requests, connections) == (0, 0) && took_ms >= 150, "{took_ms}"),
            _ => assert!((45..=60).contains(&requests) && connections == 16, "{requests}, {connections}"),
        }
    }
}

#[tokio::test]
async fn what_comes_before_the_cycles_is_in_none_of_the_figures() {
    let bench = Bench::new(PHASES);
    let recording = bench.run().await.unwrap();
    let baseline = &recording.snapshots[0];
    assert_eq!((baseline.moment, baseline.requests), (Moment::Baseline, 0));
    assert!(baseline.kinds.iter().all(|count| count.sent == 0));
    // The server has seen them all the same.
    let contexts = &baseline.heap.as_ref().unwrap().contexts;
    let seen: u64 = contexts
        .iter()
        .filter(|context| context.kind.is_some())
        .map(|context| context.allocated_blocks)
        .sum();
    assert_eq!(seen, 30);
    let sent: u64 = recording.snapshots.last().unwrap().kinds.iter().map(|count| count.sent).sum();
    assert!((160..=164).contains(&sent), "{sent}");
    // No counter is used twice, and stages of their own keep to the cycles.
    let log = bench.log();
    let mut counters: Vec<_> = log.iter().filter(|line| line.contains("/ok/")).collect();
    let all = counters.len();
    counters.sort_unstable();
    counters.dedup();
    assert_eq!(counters.len(), all);
    let before: Vec<_> = log.iter().take_while(|line| !line.contains("/before")).collect();
    assert!(before.iter().all(|line| !line.contains("/apart")), "{before:?}");
}

#[tokio::test]
async fn a_body_of_bytes_arrives_as_it_is() {
    let bench = Bench::new(&PHASES.replace(
        "path = \"/ok/{{counter}}\"",
        "method = \"POST\"\npath = \"/ok/{{counter}}\"\nbody-hex = \"7b7d\"",
    ));
    bench.run().await.unwrap();
    assert!(bench.log().iter().any(|line| line.starts_with("a.ok POST /ok/") && line.contains(" {} ")));
}
