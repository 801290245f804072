//! Tasks and futures that are not brought to an end.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use heapsoak_probe::{clock, spawn};
use tokio::task::JoinSet;

use crate::case::{Amount, Case, Growth, ONE_IN_TEN, with};
use crate::cost::cost_of;
use crate::trial::ROOM;
use crate::{Outcome, Trial};

pub(super) const CASES: &[Case] = &[
    Case::pair("JoinSet never drained", Growth::Changing, join_set),
    Case::pair("task that never ends", Growth::Steady(endless), endless_task),
    Case::pair("interval task per connection never cancelled", Growth::Changing, interval),
    Case::pair("cancelled future skipping its clean-up", Growth::SteadyOf(1, with!(0)), cancelled)
        .at(ONE_IN_TEN),
    Case::pair("panic between acquire and release", Growth::SteadyOf(1, with!(0)), panicking).at(ONE_IN_TEN),
];

/// The twin takes the results.
fn join_set(trial: Trial) -> Outcome {
    let drains = !trial.faulty;
    let mut tasks = JoinSet::new();
    trial.run(async |mut step| {
        // stays: JoinSet never drained
        if let Some(result) = step.event() {
            // stays: JoinSet never drained
            tasks.spawn(async move { result });
        }
        tokio::task::yield_now().await;
        while drains && tasks.try_join_next().is_some() {}
    })
}

async fn wait_for_ever(held: Box<[u8]>) -> usize {
    pending::<()>().await;
    held.len()
}

fn endless(amount: &Amount) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it needs nothing");
    let _inside = runtime.enter();
    amount.rate() * (amount.bytes as f64 + cost_of(|| spawn(wait_for_ever(Box::default()))))
}

/// The twin aborts its task when the step is over.
fn endless_task(trial: Trial) -> Outcome {
    let faulty = trial.faulty;
    trial.run(async |mut step| {
        // stays: task that never ends
        let Some(held) = step.event() else { return };
        // stays: task that never ends
        let task = spawn(wait_for_ever(held));
        if !faulty {
            task.abort();
        }
    })
}

/// A heartbeat per connection; the twin stops it when the connection closes.
fn interval(trial: Trial) -> Outcome {
    let faulty = trial.faulty;
    trial.advancing(20, 4).run(async |mut step| {
        // stays: interval task per connection never cancelled
        let Some(state) = step.event() else { return };
        // stays: interval task per connection never cancelled
        let heartbeat = spawn(async move {
            let mut beats = state.len();
            loop {
                clock::sleep(Duration::from_secs(15)).await;
                beats += state.len();
                std::hint::black_box(beats);
            }
        });
        tokio::task::yield_now().await;
        if !faulty {
            heartbeat.abort();
        }
    })
}

/// Takes an entry out of a register when dropped.
struct Registered<'a>(&'a RefCell<HashMap<u64, Box<[u8]>>>, u64);

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.0.borrow_mut().remove(&self.1);
    }
}

/// One request in ten is given up half-way; the twin's guard cleans up then, too.
fn cancelled(trial: Trial) -> Outcome {
    let faulty = trial.faulty;
    let register = RefCell::new(HashMap::with_capacity(ROOM));
    trial.kinds(&[("work.done", 9), ("work.cancelled", 1)]).run(async |mut step| {
        // stays: cancelled future skipping its clean-up
        let Some(state) = step.event() else { return };
        let number = step.number;
        let work = async {
            register.borrow_mut().insert(number, state);
            let guard = Registered(&register, number);
            if faulty {
                std::mem::forget(guard);
            } else {
                std::hint::black_box(&guard);
                tokio::task::yield_now().await;
                return;
            }
            tokio::task::yield_now().await;
            register.borrow_mut().remove(&number);
        };
        if step.kind == 1 {
            // Polled once, then dropped.
            tokio::select! {
                biased;
                () = work => {}
                () = std::future::ready(()) => {}
            }
        } else {
            work.await;
        }
    })
}

/// One request in ten panics while it holds something; the twin releases by a guard.
fn panicking(trial: Trial) -> Outcome {
    let faulty = trial.faulty;
    let busy = RefCell::new(HashMap::with_capacity(ROOM));
    trial.kinds(&[("work.done", 9), ("work.panics", 1)]).run(async |mut step| {
        // stays: panic between acquire and release
        let Some(state) = step.event() else { return };
        let number = step.number;
        busy.borrow_mut().insert(number, state);
        let guard = (!faulty).then(|| Registered(&busy, number));
        let ended = catch_unwind(AssertUnwindSafe(|| {
            if step.kind == 1 {
                resume_unwind(Box::new("on purpose"));
            }
        }));
        if ended.is_ok() {
            busy.borrow_mut().remove(&number);
        }
        drop(guard);
    })
}
