//! A child that a threaded process forks, without exec, can allocate and free: no lock of the probe is held for ever
//! by a thread that does not exist there.
#![allow(unsafe_code)] // fork

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use heapsoak_probe::{Component, Context, Probe, advance_cohort, count, heap};
use support::assert_adds_up;

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

static BUSY: Component = Component::new("busy");
static CHILD: Component = Component::new("child");

/// Allocates and frees in a scope, as a child that does not exec may, and ends the process.
fn be_the_child(context: Context) -> ! {
    let mut kept = Vec::with_capacity(64);
    for round in 0..1_000_usize {
        let _scope = context.enter();
        kept.push(vec![1_u8; 1 + round % 5_000]);
        if kept.len() == 64 {
            kept.clear();
        }
    }
    // SAFETY: ends the child at once; nothing of the parent's is to be flushed or dropped.
    unsafe { libc::_exit(i32::from(kept.len() != 1_000 % 64)) }
}

/// How the child ended; none if it has not within ten seconds, after which it is killed.
fn wait(child: libc::pid_t) -> Option<i32> {
    let start = Instant::now();
    let mut status = 0;
    loop {
        // SAFETY: the child is this process's own and not waited for by anyone else; `status` is writable.
        let ended = unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) };
        assert!(ended == 0 || ended == child);
        if ended == child {
            return Some(status);
        }
        if start.elapsed() > Duration::from_secs(10) {
            // SAFETY: as above: the process id can't have been used again.
            unsafe { libc::kill(child, libc::SIGKILL) };
            // SAFETY: as above.
            unsafe { libc::waitpid(child, &raw mut status, 0) };
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn children_of_a_busy_process_allocate_and_free_without_a_deadlock() {
    static STOP: AtomicBool = AtomicBool::new(false);
    count();
    let context = CHILD.context();
    let threads: Vec<_> = (0..3)
        .map(|_| {
            std::thread::spawn(|| {
                while !STOP.load(Ordering::Relaxed) {
                    // New cohorts, and threads that come and go, take the locks of the slow paths.
                    let _ = advance_cohort();
                    BUSY.scope(|| drop(std::hint::black_box(vec![1_u8; 100])));
                    let _ = std::thread::spawn(|| BUSY.scope(|| drop(Box::new(1)))).join();
                }
            })
        })
        .collect();
    for round in 0..100 {
        // SAFETY: the child calls the allocator, which is what is tested, and `_exit`.
        let child = unsafe { libc::fork() };
        assert!(child >= 0, "fork failed");
        if child == 0 {
            be_the_child(context);
        }
        assert_eq!(wait(child), Some(0), "child {round}; none: it never ended");
    }
    STOP.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().unwrap();
    }
    assert_adds_up(&heap());
}
