//! Containers that double, and heaps that are not what the system shows.

use std::collections::HashMap;

use crate::{Case, Outcome, Trial};

pub(super) const CASES: &[Case] = &[
    Case::healthy("table doubling", table),
    Case::healthy("amortised vector doubling", vector),
    Case::healthy("dirty-page decay", dirty_pages),
    Case::healthy("resident memory grows, live bytes do not", fragmentation),
];

/// A table of words, all of them known after somewhat more than half of the run.
fn table(trial: Trial) -> Outcome {
    let keys = trial.steps() * 55 / 100;
    let mut table = HashMap::new();
    trial.run(async |step| {
        table.insert(step.number % keys, [step.number; 4]);
    })
}

/// A vector that is emptied, and keeps its capacity: after the longest round it grows no more.
fn vector(trial: Trial) -> Outcome {
    let mut vector: Vec<u64> = Vec::new();
    trial.run(async |mut step| {
        vector.extend_from_slice(&[step.number; 8]);
        if vector.len() > 24_000 || step.draw.one_in(1000) {
            vector.clear();
        }
    })
}

/// Large blocks come and go: the system gets their pages back later.
fn dirty_pages(trial: Trial) -> Outcome {
    trial.run(async |mut step| {
        if step.number.is_multiple_of(10) {
            drop(step.block(200_000));
        }
    })
}

/// Small blocks among ever other sizes; as many are freed as are made, but not side by side.
fn fragmentation(trial: Trial) -> Outcome {
    let mut blocks: Vec<Box<[u8]>> = Vec::new();
    trial.run(async |mut step| {
        let size = 50 + step.number % 997;
        let block = step.block(size);
        if blocks.len() < 1500 {
            blocks.push(block);
        } else {
            let at = usize::try_from(step.draw.below(1500)).unwrap_or(0);
            blocks[at] = block;
        }
    })
}
