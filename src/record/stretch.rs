use std::ops::Range;

use crate::{Event, Moment, Recording};

/// Where a recording has one and the same process of the server: from its baseline to its last snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Positions of its snapshots.
    pub snapshots: Range<usize>,
    /// Cycles of the run before it.
    pub cycles_before: u32,
    /// Cycles of the run in it.
    pub cycles: u32,
    /// Cycles of the run that one snapshot stands for; the last may stand for fewer.
    pub cycles_each: u32,
}

impl Stretch {
    /// The cycle of the run it ends with.
    #[must_use]
    pub fn last_cycle(&self) -> u32 {
        self.cycles_before + self.cycles
    }

    /// A cycle of the run, as it is numbered in the stretch alone.
    #[must_use]
    pub fn cycle(&self, cycle: u32) -> u32 {
        cycle.saturating_sub(self.cycles_before).div_ceil(self.cycles_each)
    }

    /// Cycles it has in the recording.
    #[must_use]
    pub fn kept_cycles(&self) -> u32 {
        self.cycle(self.last_cycle())
    }

    /// Whether a cycle of the run is one of its.
    pub(crate) fn has(&self, cycle: u32) -> bool {
        (cycle > self.cycles_before || self.cycles_before == 0) && cycle <= self.last_cycle()
    }
}

impl Recording {
    /// The stretches of a recording whose server was restarted, in order. Its cycles are numbered as the run's.
    #[must_use]
    pub fn stretches(&self) -> Vec<Stretch> {
        let begins = |index: usize| index == 0 || self.snapshots[index].moment == Moment::Baseline;
        let starts: Vec<usize> = (0..self.snapshots.len()).filter(|index| begins(*index)).collect();
        let ends = starts.iter().skip(1).copied().chain([self.snapshots.len()]);
        starts.iter().zip(ends).map(|(&start, end)| self.stretch(start..end)).collect()
    }

    fn stretch(&self, snapshots: Range<usize>) -> Stretch {
        let first = &self.snapshots[snapshots.start];
        let cycles_before = match first.moment {
            Moment::Baseline => first.cycle,
            // A recording without a baseline begins with its first cycle.
            Moment::CycleEnd | Moment::AfterAdvance => 0,
        };
        let last = self.snapshots[snapshots.end - 1].cycle;
        let within = |after: u32| after > cycles_before && after <= last;
        let folds = self.events.iter().filter_map(|event| match event {
            Event::Folded { after, cycles_each } if within(*after) => Some(*cycles_each),
            _ => None,
        });
        let cycles_each = folds.max().unwrap_or(1).max(1);
        Stretch { snapshots, cycles_before, cycles: last.saturating_sub(cycles_before), cycles_each }
    }

    /// The longest of them, the later one of two as long: the one that is judged.
    #[must_use]
    pub fn longest(&self) -> Option<Stretch> {
        self.stretches().into_iter().max_by_key(|stretch| stretch.cycles)
    }

    /// Cycles of the run that one of those that are judged is.
    #[must_use]
    pub fn cycles_each(&self) -> u32 {
        let longest = || self.longest().map(|longest| longest.cycles_each);
        let last = || {
            self.events.iter().rev().find_map(|event| match event {
                Event::Folded { cycles_each, .. } => Some(*cycles_each),
                _ => None,
            })
        };
        if self.has_restarts() { longest() } else { last() }.unwrap_or(1)
    }

    /// Whether the server was restarted in it.
    #[must_use]
    pub fn has_restarts(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Restarted { .. }))
    }

    /// How often the server was restarted in the run.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        let times = self.events.iter().map(|event| match event {
            Event::Restarted { times, .. } => *times,
            _ => 0,
        });
        times.sum()
    }
}
