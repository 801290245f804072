use crate::{Outcome, Trial};

/// How much an event of a case holds, and how often there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// Bytes of an event's own block, on average.
    pub bytes: u64,
    /// One step in so many has an event.
    pub every: u64,
}

/// What a faulty case leaves behind.
#[derive(Debug, Clone, Copy)]
pub enum Growth {
    /// Bytes per step, on average, at an amount: the mean over what is drawn.
    Steady(fn(&Amount) -> f64),
    /// The same per step of a kind, by the kind's position: how many of its steps a run has is drawn.
    SteadyOf(usize, fn(&Amount) -> f64),
    /// It grows for ever, but not at one rate.
    Changing,
    /// Things that are no memory: descriptors, processes, tasks.
    Resource,
}

/// A program with a known truth.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// What it leaves behind with its fault; none when it has no faulty form.
    pub leaks: Option<Growth>,
    /// Whether it has a healthy form.
    pub healthy: bool,
    /// Amounts it is run at.
    pub amounts: &'static [Amount],
    /// Runs it.
    pub run: fn(Trial) -> Outcome,
}

impl Amount {
    /// As many bytes at every step.
    #[must_use]
    pub const fn each(bytes: u64) -> Amount {
        Amount { bytes, every: 1 }
    }

    /// Events per step.
    #[must_use]
    pub fn rate(&self) -> f64 {
        1.0 / self.every.max(1) as f64
    }

    /// For tables: `64 B`, `1,024 B in 1 of 1,000`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.every {
            0 | 1 => format!("{} B", self.bytes),
            every => format!("{} B, one in {every}", self.bytes),
        }
    }
}

/// The amounts most leaks are run at.
pub(crate) const USUAL: &[Amount] =
    &[Amount::each(8), Amount::each(64), Amount::each(1024), Amount { bytes: 1024, every: 1000 }];

/// The same for leaks on one kind of step in ten: rare means one event in 1,000 steps of all kinds.
pub(crate) const ONE_IN_TEN: &[Amount] =
    &[Amount::each(8), Amount::each(64), Amount::each(1024), Amount { bytes: 1024, every: 100 }];

/// The same for leaks that a rare event says nothing about.
pub(crate) const FREQUENT: &[Amount] = &[Amount::each(8), Amount::each(64), Amount::each(1024)];

/// Where an event is more than memory, and takes time.
pub(crate) const ONE: &[Amount] = &[Amount::each(64)];

/// What an event's block and so many bytes more make per step.
macro_rules! with {
    ($extra:expr) => {
        |amount: &crate::Amount| (amount.bytes + $extra as u64) as f64 * amount.rate()
    };
}
pub(crate) use with;

impl Case {
    /// A leak with its healthy twin, at the usual amounts.
    pub(crate) const fn pair(name: &'static str, leaks: Growth, run: fn(Trial) -> Outcome) -> Case {
        Case { name, leaks: Some(leaks), healthy: true, amounts: USUAL, run }
    }

    /// A program that does not leak.
    pub(crate) const fn healthy(name: &'static str, run: fn(Trial) -> Outcome) -> Case {
        Case { name, leaks: None, healthy: true, amounts: ONE, run }
    }

    /// The same at other amounts.
    pub(crate) const fn at(self, amounts: &'static [Amount]) -> Case {
        Case { amounts, ..self }
    }
}

/// Every case of the corpus.
#[must_use]
pub fn cases() -> Vec<Case> {
    crate::cases::all()
}
