//! What follows the load.

use std::collections::VecDeque;

use crate::{Case, Outcome, Trial};

pub(super) const CASES: &[Case] = &[
    Case::healthy("load going up and down", waves),
    Case::healthy("load going up in the last third", rising),
    Case::healthy("sessions of random length", sessions),
];

/// As much is in use as the load asks for, which goes up and down three times.
fn waves(trial: Trial) -> Outcome {
    let steps = trial.steps() as f64;
    let mut in_use = VecDeque::new();
    trial.run(async |mut step| {
        in_use.push_back(step.block(64));
        let phase = 3.0 * std::f64::consts::TAU * step.number as f64 / steps;
        let wanted = (1200.0 - 1000.0 * phase.cos()) as usize;
        while in_use.len() > wanted {
            in_use.pop_front();
        }
    })
}

/// Twice as much is in use from two thirds of the run on.
fn rising(trial: Trial) -> Outcome {
    let late = trial.steps() * 2 / 3;
    let mut in_use = VecDeque::new();
    trial.run(async |mut step| {
        in_use.push_back(step.block(64));
        let wanted = if step.number < late { 300 } else { 600 };
        while in_use.len() > wanted {
            in_use.pop_front();
        }
    })
}

/// Sessions end after a random number of steps, a few of them late.
fn sessions(trial: Trial) -> Outcome {
    let mut open: Vec<(u64, Box<[u8]>)> = Vec::new();
    trial.run(async |mut step| {
        let longest = if step.draw.one_in(50) { 2000 } else { 400 };
        let ends = step.number + 1 + step.draw.below(longest);
        open.push((ends, step.block(250)));
        open.retain(|(ends, _)| *ends > step.number);
    })
}
