//! Pairs of an allocation of 64 bytes and its free, through the global allocator as any `Box` goes.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use crate::subject::{Clock, measured_process};
use crate::work::{Figures, Pairs};

/// Pairs before the clock starts, on each thread.
const WARM_UP: u32 = 100_000;

#[inline(never)]
fn pairs(count: u32) {
    for _ in 0..count {
        drop(black_box(Box::<[u64; 8]>::new_uninit()));
    }
}

/// Times the pairs on each thread by its own CPU clock, and answers with the mean over the threads.
#[must_use]
pub fn run(work: &Pairs) -> Figures {
    let times: Vec<(f64, f64)> = thread::scope(|scope| {
        let handles: Vec<_> = (0..work.threads)
            .map(|_| {
                scope.spawn(|| {
                    pairs(WARM_UP);
                    let (wall, cpu) = (Instant::now(), Clock::Thread.now_ns());
                    pairs(work.pairs);
                    (Clock::Thread.now_ns() - cpu, wall.elapsed().as_secs_f64() * 1e9)
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().expect("it only allocates")).collect()
    });
    let all = f64::from(work.threads) * f64::from(work.pairs);
    measured_process(Figures {
        cpu_ns: times.iter().map(|(cpu, _)| cpu).sum::<f64>() / all,
        wall_ns: times.iter().map(|(_, wall)| wall).sum::<f64>() / all,
        ..Figures::default()
    })
}
