//! Names and labels that are kept once seen.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use heapsoak_probe::Context;
use tokio::sync::oneshot;

use crate::case::{Case, Growth, with};
use crate::trial::ROOM;
use crate::{Outcome, Trial};

pub(super) const CASES: &[Case] = &[
    Case::pair("label per raw path", Growth::Steady(with!(0)), raw_paths),
    Case::pair("Box::leak interning", Growth::Steady(with!(0)), interning),
    Case::pair("thread-local growth on a blocking thread", Growth::Steady(with!(0)), thread_local),
    Case::healthy("finite interner in random order", finite_interner),
    Case::healthy("bounded labels first seen late", late_labels),
    Case::healthy("lazy statics", lazy_statics),
];

/// The leak counts by path, the twin by route, of which there are twenty at most.
fn raw_paths(trial: Trial) -> Outcome {
    let routes = trial.bound(trial.events_in(20).min(20)) as u64;
    let mut hits: HashMap<u64, (Box<[u8]>, u64)> = HashMap::new();
    trial.run(async |mut step| {
        // stays: label per raw path
        let Some(path) = step.event() else { return };
        // stays: label per raw path
        hits.entry(step.number % routes).or_insert((path, 0)).1 += 1;
    })
}

/// The twin's words come from a vocabulary, in random order.
fn interning(trial: Trial) -> Outcome {
    let words = if trial.faulty { u64::MAX } else { trial.events_in(5) as u64 };
    let mut interned: HashSet<u64> = HashSet::with_capacity(ROOM);
    trial.run(async |mut step| {
        // stays: Box::leak interning
        let Some(text) = step.event() else { return };
        if interned.insert(step.draw.below(words)) {
            std::hint::black_box(Box::leak(text));
        }
    })
}

thread_local! {
    static SCRATCH: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// A blocking thread keeps its scratch memory; the twin some of it.
fn thread_local(trial: Trial) -> Outcome {
    let most = trial.bound(trial.events_in(5));
    // A runtime's own blocking threads are as many as chance makes them.
    let (jobs, queue) = std::sync::mpsc::channel::<(Context, Box<[u8]>, oneshot::Sender<()>)>();
    let thread = std::thread::spawn(move || {
        for (context, scratch, done) in queue {
            let _scope = context.enter();
            SCRATCH.with_borrow_mut(|kept| {
                // stays: thread-local growth on a blocking thread
                kept.push(scratch);
                if kept.len() > most {
                    kept.remove(0);
                }
            });
            done.send(()).expect("the step waits");
        }
    });
    let outcome = trial.run(async |mut step| {
        // stays: thread-local growth on a blocking thread
        let Some(scratch) = step.event() else { return };
        let (done, kept) = oneshot::channel();
        jobs.send((Context::current(), scratch, done)).expect("the thread lives");
        kept.await.expect("it is done");
    });
    drop(jobs);
    thread.join().expect("the thread does not panic");
    outcome
}

/// Every word of a language is seen in the end: the collector of coupons.
fn finite_interner(trial: Trial) -> Outcome {
    let words = trial.events_in(20) as u64;
    let mut interned = HashMap::new();
    trial.run(async |mut step| {
        let text = step.block(64);
        interned.entry(step.draw.below(words)).or_insert(text);
    })
}

/// Most labels come early, a few only when most of the run is over.
fn late_labels(trial: Trial) -> Outcome {
    let late = trial.steps() * 7 / 10;
    let mut labels = HashMap::new();
    trial.run(async |mut step| {
        let known = if step.number < late { 180 } else { 200 };
        let label = step.draw.below(known);
        let text = step.block(64);
        labels.entry(label).or_insert(text);
    })
}

/// Tables made when first needed, some of them late in the first half of the run.
fn lazy_statics(trial: Trial) -> Outcome {
    let half = trial.steps() / 2;
    let mut tables: HashMap<u64, Box<[u8]>> = HashMap::new();
    trial.run(async |mut step| {
        let needed = step.draw.below(30);
        if step.number * 30 >= needed * half {
            let table = step.block(10_000);
            tables.entry(needed).or_insert(table);
        }
    })
}
