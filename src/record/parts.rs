use crate::{Event, Recording, Snapshot, Stretch};

/// A stretch of a recording in which one and the same process was looked at: from its baseline to its last snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The stretch as a recording of its own: its cycles, requests and time begin at its baseline, and if it was folded,
    /// its cycles are numbered as it has them. It has the stacks of the whole.
    pub recording: Recording,
    /// Cycles of the run before it.
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
        self.stretches().iter().map(|stretch| self.part(stretch)).collect()
    }

    /// The longest of them, by its cycles, the later one of two as long: the one that is judged. None where the server was
    /// not restarted, and the whole is judged.
    #[must_use]
    pub fn longest_part(&self) -> Option<Part> {
        let longest = self.has_restarts().then(|| self.longest())?;
        longest.map(|stretch| self.part(&stretch))
    }

    /// The snapshots that are judged: all of them, where the server was not restarted.
    #[must_use]
    pub fn longest_stretch(&self) -> &[Snapshot] {
        match self.longest() {
            Some(longest) if self.has_restarts() => &self.snapshots[longest.snapshots],
            _ => &self.snapshots,
        }
    }

    fn part(&self, stretch: &Stretch) -> Part {
        let first = &self.snapshots[stretch.snapshots.start];
        let cycles_before = stretch.cycles_before;
        let requests_before = if cycles_before > 0 { first.requests } else { 0 };
        let (kinds, elapsed, clock) = (first.kinds.clone(), first.elapsed_ms, first.clock_ms);
        let mut snapshots = self.snapshots[stretch.snapshots.clone()].to_vec();
        for snapshot in &mut snapshots {
            snapshot.cycle = stretch.cycle(snapshot.cycle);
        }
        if cycles_before > 0 {
            for snapshot in &mut snapshots {
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
        let within = |event: &&Event| event.cycle().is_some_and(|cycle| stretch.has(cycle));
        let renumber = |event: &Event| event.clone().in_cycle(|cycle| stretch.cycle(cycle));
        let events = self.events.iter().filter(within).map(renumber).collect();
        let mut header = self.header.clone();
        header.plan.cycles = stretch.cycles;
        let recording =
            Recording { header, snapshots, events, stacks: self.stacks.clone(), end: self.end.clone() };
        Part { recording, cycles_before, requests_before }
    }
}

impl Event {
    /// The cycle it happened in; none for what is told of a whole recording.
    #[must_use]
    pub fn cycle(&self) -> Option<u32> {
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
            | Event::Resumed { cycle, .. } => Some(*cycle),
            Event::Folded { .. } | Event::Attached { .. } => None,
        }
    }
}
