use std::ops::Range;

use crate::{Event, Moment, Recording, Snapshot};

/// A stretch of a recording in which one and the same process was looked at: from its baseline to its last snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The stretch as a recording of its own: its cycles, requests and time begin at its baseline. It has the stacks of
    /// the whole.
    pub recording: Recording,
    /// Cycles of the whole recording before it.
    pub cycles_before: u32,
    /// Requests answered before it.
    pub requests_before: u64,
}

impl Recording {
    /// The stretches between restarts of the server, in order; a single one where it was not restarted. What a process
    /// counted says nothing of the one before it: counters, cohorts and addresses begin anew with each.
    ///
    /// Costs a copy of the recording.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        self.stretches().into_iter().map(|stretch| self.part(stretch)).collect()
    }

    /// The longest of them, by its cycles, the later one of two as long: the one that is judged. None where the server was
    /// not restarted, and the whole is judged.
    #[must_use]
    pub fn longest_part(&self) -> Option<Part> {
        let longest = self.has_restarts().then(|| self.longest())?;
        longest.map(|stretch| self.part(stretch))
    }

    /// The snapshots that are judged: all of them, where the server was not restarted.
    #[must_use]
    pub fn longest_stretch(&self) -> &[Snapshot] {
        match self.longest() {
            Some(longest) if self.has_restarts() => &self.snapshots[longest],
            _ => &self.snapshots,
        }
    }

    fn longest(&self) -> Option<Range<usize>> {
        let cycles = |stretch: &Range<usize>| {
            let first = if stretch.start == 0 { 0 } else { self.snapshots[stretch.start].cycle };
            self.snapshots[stretch.end - 1].cycle - first
        };
        self.stretches().into_iter().max_by_key(cycles)
    }

    /// Positions of the snapshots of each process.
    fn stretches(&self) -> Vec<Range<usize>> {
        let begins = |index: usize| index == 0 || self.snapshots[index].moment == Moment::Baseline;
        let starts: Vec<usize> = (0..self.snapshots.len()).filter(|index| begins(*index)).collect();
        let ends = starts.iter().skip(1).copied().chain([self.snapshots.len()]);
        starts.iter().zip(ends).map(|(&start, end)| start..end).collect()
    }

    /// Whether the server was restarted in it.
    #[must_use]
    pub fn has_restarts(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Restarted { .. }))
    }

    fn part(&self, stretch: Range<usize>) -> Part {
        let first = &self.snapshots[stretch.start];
        let (cycles_before, requests_before) = match first.moment {
            Moment::Baseline => (first.cycle, first.requests),
            // A recording without a baseline begins with its first cycle.
            Moment::CycleEnd | Moment::AfterAdvance => (0, 0),
        };
        let (kinds, elapsed, clock) = (first.kinds.clone(), first.elapsed_ms, first.clock_ms);
        let mut snapshots = self.snapshots[stretch].to_vec();
        let last_cycle = snapshots.last().map_or(0, |snapshot| snapshot.cycle);
        if cycles_before > 0 {
            for snapshot in &mut snapshots {
                snapshot.cycle -= cycles_before;
                snapshot.requests = snapshot.requests.saturating_sub(requests_before);
                snapshot.elapsed_ms = snapshot.elapsed_ms.saturating_sub(elapsed);
                snapshot.clock_ms = snapshot.clock_ms.saturating_sub(clock);
                for (count, before) in snapshot.kinds.iter_mut().zip(&kinds) {
                    count.sent = count.sent.saturating_sub(before.sent);
                    count.ok = count.ok.saturating_sub(before.ok);
                    count.expected_errors = count.expected_errors.saturating_sub(before.expected_errors);
                    count.failed = count.failed.saturating_sub(before.failed);
                }
            }
        }
        let within = |event: &&Event| {
            let cycle = event.cycle();
            (cycle > cycles_before || cycles_before == 0) && cycle <= last_cycle
        };
        let events = self.events.iter().filter(within).map(|event| event.earlier(cycles_before)).collect();
        let mut header = self.header.clone();
        header.plan.cycles = last_cycle - cycles_before;
        let recording =
            Recording { header, snapshots, events, stacks: self.stacks.clone(), end: self.end.clone() };
        Part { recording, cycles_before, requests_before }
    }
}

impl Event {
    /// The cycle it happened in.
    #[must_use]
    pub fn cycle(&self) -> u32 {
        match self {
            Event::ClockAdvanced { cycle, .. }
            | Event::ClockFaked { cycle, .. }
            | Event::RequestFailed { cycle, .. }
            | Event::NotQuiet { cycle, .. }
            | Event::Extended { cycle, .. }
            | Event::PhaseDone { cycle, .. }
            | Event::Restarted { cycle, .. }
            | Event::ControlPlanted { cycle, .. }
            | Event::ControlMissing { cycle, .. }
            | Event::AnswerTimes { cycle, .. }
            | Event::OwnHeap { cycle, .. }
            | Event::Resumed { cycle, .. } => *cycle,
            Event::Folded { .. } | Event::Attached { .. } => 0,
        }
    }

    /// The same so many cycles earlier.
    fn earlier(&self, by: u32) -> Event {
        self.clone().in_cycle(|cycle| cycle.saturating_sub(by))
    }
}
