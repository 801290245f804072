//! Snapshots while many threads run.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use heapsoak_bench::subject::{Clock, measured_process};
use heapsoak_bench::work::{Figures, Snapshots};
use heapsoak_probe::{Component, RequestKind};

static COMPONENTS: [Component; 10] = [
    Component::new("snapshot-0"),
    Component::new("snapshot-1"),
    Component::new("snapshot-2"),
    Component::new("snapshot-3"),
    Component::new("snapshot-4"),
    Component::new("snapshot-5"),
    Component::new("snapshot-6"),
    Component::new("snapshot-7"),
    Component::new("snapshot-8"),
    Component::new("snapshot-9"),
];

/// How long a thread rests between two bursts of allocations: a server's threads mostly wait.
const REST: Duration = Duration::from_millis(1);
/// Blocks of a burst.
const BURST: u32 = 20;

/// Every thread allocates a block in each context in each cohort and keeps it, then goes on allocating and freeing
/// while the snapshots are taken.
pub(crate) fn run(work: &Snapshots) -> Figures {
    let ready = Barrier::new(work.threads as usize + 1);
    let done = AtomicBool::new(false);
    let mut times: Vec<(f64, f64)> = Vec::new();
    thread::scope(|scope| {
        for _ in 0..work.threads {
            scope.spawn(|| hold(work, &ready, &done));
        }
        for _ in 0..work.cohorts {
            ready.wait(); // every thread is about to allocate in this cohort
            ready.wait(); // every thread has
            let _ = heapsoak_probe::advance_cohort(); // all survive
        }
        ready.wait();
        for _ in 0..work.snapshots {
            let (wall, cpu) = (Instant::now(), Clock::Thread.now_ns());
            let heap = heapsoak_probe::heap();
            times.push((wall.elapsed().as_secs_f64() * 1e9, Clock::Thread.now_ns() - cpu));
            let cells: usize = heap.contexts.iter().map(|context| context.survivors.len()).sum();
            assert!(cells >= (work.contexts * work.cohorts) as usize, "only {cells} survivors seen");
            thread::sleep(REST);
        }
        done.store(true, Ordering::Relaxed);
    });
    let median = |mut figures: Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
    };
    measured_process(Figures {
        wall_ns: median(times.iter().map(|(wall, _)| *wall).collect()),
        cpu_ns: median(times.iter().map(|(_, cpu)| *cpu).collect()),
        ..Figures::default()
    })
}

fn hold(work: &Snapshots, ready: &Barrier, done: &AtomicBool) {
    let kinds: Vec<RequestKind> =
        (0..work.contexts.div_ceil(10)).map(|kind| RequestKind::named(&format!("snapshot.{kind}"))).collect();
    let mut kept = Vec::new();
    for _ in 0..work.cohorts {
        ready.wait();
        for context in 0..work.contexts as usize {
            let _kind = kinds[context / COMPONENTS.len()].enter();
            kept.push(COMPONENTS[context % COMPONENTS.len()].scope(|| vec![0_u8; 48]));
        }
        ready.wait();
    }
    ready.wait();
    while !done.load(Ordering::Relaxed) {
        for block in 0..BURST {
            COMPONENTS[block as usize % COMPONENTS.len()].scope(|| drop(vec![0_u8; 64]));
        }
        thread::sleep(REST);
    }
    drop(kept);
}
