//! Requests that arrive at a rate.

use crate::bench::Bench;
use heapsoak_record::{Arrivals, Event, Percentiles, Recording};

/// A scenario with so much in `[load]`, against the fake server.
fn bench(load: &str, path: &str) -> Bench {
    Bench::new(&format!(
        r#"
version = 1
seed = 3
[target]
args = ["--log", "{{log}}"]
[load]
cycles = 2
{load}
[weights]
"a.ok" = 1
[kind."a.ok"]
path = "{path}"
expect = {{ ok = [200] }}
"#
    ))
}

fn answer_times(recording: &Recording) -> (Percentiles, Option<Arrivals>) {
    let times = recording.events.iter().find_map(|event| match event {
        Event::AnswerTimes { cycle: 2, from_sent, arrivals } => Some((*from_sent, *arrivals)),
        _ => None,
    });
    times.expect("every run that was answered has them")
}

/// Time the requests of a cycle took, in milliseconds, without the wait for rest.
fn sending_ms(recording: &Recording, cycle: usize) -> u64 {
    let (before, after) = (&recording.snapshots[cycle - 1], &recording.snapshots[cycle]);
    after.elapsed_ms - before.elapsed_ms - after.waited_ms
}

#[tokio::test]
async fn requests_arrive_no_faster_than_asked_for() {
    for spread in ["constant", "poisson"] {
        let load = format!("requests-per-cycle = 100\nconcurrency = 4\nrate = 200\narrivals = \"{spread}\"");
        let recording = bench(&load, "/").run().await.unwrap();
        let (_, arrivals) = answer_times(&recording);
        let arrivals = arrivals.unwrap();
        assert_eq!((arrivals.asked_per_1000_s, arrivals.count), (200_000, 200));
        // 100 gaps of 5 ms on average; of 100 at random, one sum in millions is below half of that.
        for cycle in [1, 2] {
            assert!(sending_ms(&recording, cycle) >= 250, "{spread}: {}", sending_ms(&recording, cycle));
        }
        if spread == "constant" {
            assert!(arrivals.came_per_1000_s <= 200_000, "{arrivals:?}");
        }
    }
}

#[tokio::test]
async fn what_waits_behind_a_slow_answer_counts_as_slow_too() {
    // One connection, an answer takes 20 ms, and one is due every 2 ms: the last of 50 is due long before it is sent.
    let load = "requests-per-cycle = 50\nconcurrency = 1\nrate = 500";
    let recording = bench(load, "/slow/20").run().await.unwrap();
    let (sent, arrivals) = answer_times(&recording);
    let arrivals = arrivals.unwrap();
    assert!(sent.p50_us >= 20_000, "{sent:?}");
    // Half of them wait for 25 others: 25 x (20 - 2) ms; the last for 49.
    assert!(arrivals.from_due.p50_us >= 400_000, "{arrivals:?}");
    assert!(arrivals.from_due.max_us >= 880_000, "{arrivals:?}");
    assert!(arrivals.late >= 98, "{arrivals:?}");
    assert!(arrivals.came_per_1000_s < 60_000, "{arrivals:?}");
    // What a closed loop would have said.
    assert!(sent.p50_us < arrivals.from_due.p50_us / 4, "{sent:?} {arrivals:?}");
}

#[tokio::test]
async fn without_a_rate_there_is_nothing_to_correct() {
    let recording = bench("requests-per-cycle = 50", "/").run().await.unwrap();
    let (sent, arrivals) = answer_times(&recording);
    assert_eq!(arrivals, None);
    let rising = [sent.p50_us, sent.p90_us, sent.p99_us, sent.p999_us, sent.max_us];
    assert!(rising.is_sorted() && rising[0] > 0, "{sent:?}");
}
