//! Leaks of another shape than so much a step, or hidden among what is not.

use std::collections::VecDeque;
use std::time::Duration;

use heapsoak_probe::{Component, Context, clock, spawn};

use crate::case::{Amount, Case, FREQUENT, Growth, with};
use crate::trial::ROOM;
use crate::{Outcome, Trial};

pub(super) const CASES: &[Case] = &[
    Case::pair("leak under a 100 times larger sawtooth", Growth::Steady(with!(0)), sawtooth),
    Case::pair("32 B under a sawtooth of 30 MB", Growth::Steady(with!(0)), megabytes).at(&[Amount::each(32)]),
    Case::pair("leak that starts after a third of the run", Growth::Steady(with!(0)), late).at(FREQUENT),
    Case::pair("one step in N", Growth::Steady(with!(0)), rare).at(&[
        Amount { bytes: 64, every: 10 },
        Amount { bytes: 64, every: 100 },
        Amount { bytes: 64, every: 300 },
        Amount { bytes: 8, every: 20 },
        Amount { bytes: 1024, every: 50 },
        Amount { bytes: 1024, every: 1000 },
    ]),
    Case::pair("leak per second in the background", Growth::Steady(per_step), background).at(FREQUENT),
    Case::pair("growth with the square root", Growth::Changing, square_root).at(FREQUENT),
    Case::pair("leak while the working set shrinks", Growth::Steady(with!(0)), shrinking),
];

/// A working set that fills with blocks until it is emptied at once, at a random level around `amplitude`.
struct Sawtooth {
    held: Vec<Vec<u8>>,
    bytes: u64,
    full: u64,
    amplitude: u64,
    per_step: u64,
}

impl Sawtooth {
    fn new(amplitude: u64, steps: u64) -> Sawtooth {
        Sawtooth {
            held: Vec::new(),
            bytes: 0,
            full: amplitude,
            amplitude,
            per_step: (amplitude / steps).max(1),
        }
    }

    fn step(&mut self, step: &mut crate::Step) {
        let size = step.size(self.per_step);
        // Zeroed by the system: the pages are never touched.
        self.held.push(vec![0; size]);
        self.bytes += size as u64;
        if self.bytes > self.full {
            self.held = Vec::new();
            self.bytes = 0;
            self.full = self.amplitude / 2 + step.draw.below(self.amplitude);
        }
    }
}

/// The teeth are a hundred times as high as all that leaks in the run. The twin keeps the last few of the blocks.
fn sawtooth(trial: Trial) -> Outcome {
    let leaks = trial.events_in(100) as u64 * trial.amount.bytes;
    let teeth = Sawtooth::new(100 * leaks, trial.steps() * 9 / 100);
    with_teeth(trial, teeth)
}

/// 32 bytes a step under teeth of 30 MB.
fn megabytes(trial: Trial) -> Outcome {
    let teeth = Sawtooth::new(30_000_000, trial.steps() * 9 / 100);
    with_teeth(trial, teeth)
}

fn with_teeth(trial: Trial, mut teeth: Sawtooth) -> Outcome {
    let most = trial.bound(trial.events_in(5));
    let mut kept = VecDeque::with_capacity(ROOM);
    trial.run(async |mut step| {
        // stays: leak under a 100 times larger sawtooth
        // stays: 32 B under a sawtooth of 30 MB
        kept.extend(step.event());
        if kept.len() > most {
            kept.pop_front();
        }
        teeth.step(&mut step);
    })
}

/// The twin's cache, too, is in use only after a third of the run, and full at half of it.
fn late(trial: Trial) -> Outcome {
    let (third, most) = (trial.steps() / 3, trial.bound(trial.events_in(17)));
    let mut kept = VecDeque::with_capacity(ROOM);
    trial.run(async |mut step| {
        if step.number >= third {
            // stays: leak that starts after a third of the run
            kept.extend(step.event());
        }
        if kept.len() > most {
            kept.pop_front();
        }
    })
}

/// The twin keeps the last few.
fn rare(trial: Trial) -> Outcome {
    let most = trial.bound(trial.events_in(20));
    let mut kept = VecDeque::with_capacity(ROOM);
    trial.run(async |mut step| {
        // stays: one step in N
        kept.extend(step.event());
        if kept.len() > most {
            kept.pop_front();
        }
    })
}

/// The component that steps are charged to: what no step asked for is charged to it here.
static CASE: Component = Component::new("case");

/// Ten seconds a cycle of 250 steps, a block a second.
fn per_step(amount: &Amount) -> f64 {
    amount.bytes as f64 * 10.0 / 250.0
}

/// A task that keeps a block for every second; the twin those of the last minute.
fn background(trial: Trial) -> Outcome {
    let (most, bytes, seed) = (trial.bound(60), trial.amount.bytes, trial.seed);
    let mut task = None;
    trial.uneven().advancing(10, 1).run(async |step| {
        if step.number == 0 {
            let _outside = Context::default().enter();
            task = Some(spawn(CASE.charge(async move {
                let (mut kept, mut second) = (VecDeque::new(), clock::monotonic().as_secs());
                loop {
                    clock::sleep(Duration::from_millis(500)).await;
                    while second < clock::monotonic().as_secs() {
                        second += 1;
                        let size = bytes / 2 + crate::Draw::new(seed, second).below(bytes + 1);
                        // stays: leak per second in the background
                        kept.push_back(vec![1_u8; usize::try_from(size).unwrap_or(0)]);
                    }
                    while kept.len() > most {
                        kept.pop_front();
                    }
                }
            })));
        }
        drop(std::hint::black_box(vec![1_u8; 100]));
    })
}

/// 50 √n blocks after n steps; the twin stops when it has as many as after a fifth of the run.
fn square_root(trial: Trial) -> Outcome {
    let fifth = (trial.steps() / 5) as f64;
    let most = trial.bound((50.0 * fifth.sqrt()) as usize);
    let mut kept = VecDeque::new();
    trial.run(async |mut step| {
        let chance = 25.0 / (1.0 + step.number as f64).sqrt();
        if step.draw.unit() < chance {
            // stays: growth with the square root
            kept.extend(step.event());
        }
        if kept.len() > most {
            kept.pop_front();
        }
    })
}

/// The load goes down, and with it what is in use; the twin's register of a fixed number turns over.
fn shrinking(trial: Trial) -> Outcome {
    let (steps, most) = (trial.steps(), trial.bound(trial.events_in(10)));
    let (mut in_use, mut kept) = (VecDeque::new(), VecDeque::with_capacity(ROOM));
    let size = 4 * trial.amount.bytes / trial.amount.every.max(1) + 16;
    trial.run(async |mut step| {
        // stays: leak while the working set shrinks
        kept.extend(step.event());
        if kept.len() > most {
            kept.pop_front();
        }
        in_use.push_back(step.block(size));
        let wanted = steps * 4 / 10 - step.number.min(steps) * 35 / 100;
        while in_use.len() as u64 > wanted {
            in_use.pop_front();
        }
    })
}
