//! What time frees, or a batch.

use std::collections::VecDeque;

use heapsoak_probe::clock::monotonic;

use crate::{Case, Outcome, Trial};

pub(super) const CASES: &[Case] = &[
    Case::healthy("TTL sawtooth", |trial| swept(trial, 60, 4)),
    Case::healthy("TTL longer than a third of the run", long_lived),
    Case::healthy("expired entries waiting for housekeeping", |trial| swept(trial, 10, 7)),
    Case::healthy("arena reset per batch", arena),
    Case::healthy("rotating filter", rotating),
    Case::healthy("batching exporter sawtooth", exporter),
    Case::healthy("one-off reload step", reload),
    Case::healthy("burst of young objects at the last sample", young),
];

/// Entries live for so long, and are looked for every so many cycles of ten seconds.
fn swept(trial: Trial, seconds: u64, cycles: u64) -> Outcome {
    let mut entries: Vec<(u64, Box<[u8]>)> = Vec::new();
    let mut next = monotonic().as_secs() + 10 * cycles;
    trial.advancing(10, 1).run(async |mut step| {
        let now = monotonic().as_secs();
        entries.push((now + seconds, step.block(64)));
        if now >= next {
            next = now + 10 * cycles;
            entries.retain(|(until, _)| *until > now);
        }
    })
}

/// Entries live for sixteen cycles of forty.
fn long_lived(trial: Trial) -> Outcome {
    let mut entries: VecDeque<(u64, Box<[u8]>)> = VecDeque::new();
    trial.advancing(10, 1).run(async |mut step| {
        let now = monotonic().as_secs();
        entries.push_back((now + 160, step.block(64)));
        while entries.front().is_some_and(|(until, _)| *until < now) {
            entries.pop_front();
        }
    })
}

/// Everything of a batch goes at once.
fn arena(trial: Trial) -> Outcome {
    let mut arena = Vec::new();
    trial.run(async |mut step| {
        arena.push(step.block(64));
        if step.number % 430 == 429 {
            arena.clear();
        }
    })
}

/// Two generations of seen keys: when the younger is full the older is forgotten.
fn rotating(trial: Trial) -> Outcome {
    let size = trial.events_in(15);
    let (mut old, mut new) = (Vec::new(), Vec::new());
    trial.run(async |mut step| {
        new.push(step.block(64));
        if new.len() >= size {
            old = std::mem::take(&mut new);
        }
        std::hint::black_box(&old);
    })
}

/// Spans wait until there are enough of them, or chance flushes them.
fn exporter(trial: Trial) -> Outcome {
    let mut waiting = Vec::new();
    trial.run(async |mut step| {
        waiting.push(step.block(200));
        if waiting.len() >= 2048 || step.draw.one_in(3000) {
            waiting.clear();
        }
    })
}

/// A new configuration is read at four tenths of the run, and is larger than the one before.
fn reload(trial: Trial) -> Outcome {
    let at = trial.steps() * 4 / 10;
    let mut configuration = vec![vec![1_u8; 100]; 500];
    trial.run(async |mut step| {
        if step.number == at {
            configuration = (0..1200).map(|_| step.block(100).into_vec()).collect();
        }
        drop(step.block(64));
        std::hint::black_box(&configuration);
    })
}

/// Requests of the last two cycles planned are still worked on when they are counted; so are some of every cycle.
fn young(trial: Trial) -> Outcome {
    let (late, steps) = (trial.steps() - 500, trial.steps());
    let mut working = VecDeque::new();
    trial.run(async |mut step| {
        working.push_back(step.block(64));
        let most = if (late..steps).contains(&step.number) { 540 } else { 40 };
        while working.len() > most {
            working.pop_front();
        }
    })
}
