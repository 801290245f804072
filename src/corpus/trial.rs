use std::time::Duration;

use crate::{Amount, Draw, Outcome, Soak};

/// Entries a table holds without growing, where its doubling would blur the truth: more than the longest run makes.
pub(crate) const ROOM: usize = 1 << 16;

/// One run of a case.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Seed of everything drawn.
    pub seed: u64,
    /// How much each event of the case holds, and how often there is one.
    pub amount: Amount,
    /// Whether the case has its fault; its healthy twin has not.
    pub faulty: bool,
    /// How it is soaked.
    pub soak: Soak,
    /// A leak of its own beside whatever the case does.
    pub planted: Option<Planted>,
}

/// A leak added to a case: blocks of a size, each kept for ever.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planted {
    /// Size of a block.
    pub bytes: usize,
    /// Blocks per step, on average.
    pub rate: f64,
}

/// One step of a trial.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its number, from 0.
    pub number: u64,
    /// Position of its kind among the soak's.
    pub kind: usize,
    /// Numbers drawn for it.
    pub draw: Draw,
    amount: Amount,
}

impl Trial {
    /// A run of a case as the corpus runs it: 10,000 steps in 40 cycles, extended up to 40,000.
    #[must_use]
    pub fn new(seed: u64, amount: Amount, faulty: bool) -> Trial {
        Trial { seed, amount, faulty, soak: Soak::new("case").seed(seed), planted: None }
    }

    /// Soaks the steps.
    pub(crate) fn run(self, mut step: impl AsyncFnMut(Step)) -> Outcome {
        let Trial { seed, amount, planted, soak, .. } = self;
        let mut leaked = Vec::with_capacity(1 << 20);
        let kinds = soak.clone();
        let outcome = soak.run(async |number| {
            step(Step { number, kind: kinds.kind_of(number), draw: Draw::new(seed, number), amount }).await;
            if let Some(Planted { bytes, rate }) = planted {
                let mut draw = Draw::new(seed ^ 0x0070_6c61_6e74, number);
                let blocks = rate.floor() + f64::from(u8::from(draw.unit() < rate.fract()));
                for _ in 0..blocks as u64 {
                    leaked.push(vec![1_u8; bytes].into_boxed_slice());
                }
            }
        });
        drop(leaked);
        outcome
    }

    /// The same, with cycles between half and one and a half times as long.
    pub(crate) fn uneven(self) -> Trial {
        Trial { soak: self.soak.uneven_cycles(), ..self }
    }

    /// The same, with the clock advanced at the end of every n-th cycle.
    pub(crate) fn advancing(self, seconds: u64, every: u32) -> Trial {
        Trial { soak: self.soak.advance_clock(Duration::from_secs(seconds), every), ..self }
    }

    /// The same, with kinds of steps.
    pub(crate) fn kinds(self, kinds: &[(&'static str, u64)]) -> Trial {
        Trial { soak: self.soak.kinds(kinds), ..self }
    }

    /// Steps planned.
    pub(crate) fn steps(&self) -> u64 {
        self.soak.planned_steps()
    }

    /// So many events happen in a share (in per cent) of the run: what a healthy twin holds at most.
    pub(crate) fn events_in(&self, per_cent: u64) -> usize {
        let events = self.steps() * per_cent / 100 / self.amount.every.max(1);
        usize::try_from(events).unwrap_or(usize::MAX).max(1)
    }

    /// `bound` for the healthy twin, no bound for the leak: the one number they differ by.
    pub(crate) fn bound(&self, bound: usize) -> usize {
        if self.faulty { usize::MAX } else { bound }
    }
}

impl Step {
    /// The block of this step's event, of a size between half and one and a half times the case's; none when the step
    /// has no event.
    pub(crate) fn event(&mut self) -> Option<Box<[u8]>> {
        let Amount { bytes, every } = self.amount;
        (every <= 1 || self.draw.one_in(every)).then(|| self.block(bytes))
    }

    /// A block of about this size.
    pub(crate) fn block(&mut self, bytes: u64) -> Box<[u8]> {
        vec![1_u8; self.size(bytes)].into_boxed_slice()
    }

    /// A size between half and one and a half times `bytes`, which is its mean.
    pub(crate) fn size(&mut self, bytes: u64) -> usize {
        usize::try_from(bytes / 2 + self.draw.below(bytes + 1)).unwrap_or(usize::MAX)
    }
}
