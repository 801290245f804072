use crate::{Event, Recording};

/// How the cycles and cohorts of a run are numbered in its recording: the same, until it is folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folding {
    /// Cycles of the run that are one of the recording's.
    each: u32,
    /// The server's cohort when the run began.
    first: u32,
    /// The cycle of the run at whose end each later cohort was complete, counted from the process's first.
    ends: Vec<u32>,
    /// Cycles of the run before the process, once the server was restarted: from then on cycles keep the run's numbers.
    since: Option<u32>,
}

impl Default for Folding {
    fn default() -> Folding {
        Folding { each: 1, first: 0, ends: Vec::new(), since: None }
    }
}

impl Folding {
    /// That of a recording which is to go on; with it the cycles of the run that it has.
    #[must_use]
    pub fn of(recording: &Recording) -> (Folding, u32) {
        let mut folding = Folding::default();
        let mut cycle = 0;
        for event in &recording.events {
            match event {
                Event::Attached { cohort } => folding.first = *cohort,
                Event::Folded { after, .. } => {
                    folding.catch_up(&mut cycle, *after);
                    folding.fold();
                }
                _ => {}
            }
        }
        let recorded = recording.snapshots.last().map_or(0, |snapshot| snapshot.cycle);
        folding.catch_up(&mut cycle, recorded * folding.each);
        (folding, cycle)
    }

    fn catch_up(&mut self, cycle: &mut u32, to: u32) {
        while *cycle < to {
            *cycle += self.each;
            self.ends.push(*cycle);
        }
    }

    /// Cycles of the run that are one of the recording's.
    #[must_use]
    pub fn each(&self) -> u32 {
        self.each
    }

    /// Whether a cycle of the run is the last of one of the recording's.
    #[must_use]
    pub fn is_whole(&self, cycle: u32) -> bool {
        self.own(cycle).is_multiple_of(self.each)
    }

    /// The first such cycle from one on.
    #[must_use]
    pub fn next_whole(&self, cycle: u32) -> u32 {
        cycle - self.own(cycle) + self.own(cycle).next_multiple_of(self.each)
    }

    /// A cycle of the run, as it is numbered in the recording: by the one it is part of, or by the run's last of those.
    #[must_use]
    pub fn cycle(&self, cycle: u32) -> u32 {
        match self.since {
            None => cycle.div_ceil(self.each),
            Some(since) if cycle < since => cycle,
            Some(_) => self.next_whole(cycle),
        }
    }

    /// Cycles of the process, in the recording, up to one of the run.
    #[must_use]
    pub fn kept(&self, cycle: u32) -> u32 {
        self.own(cycle).div_ceil(self.each)
    }

    /// Cycles of the run in the process, up to one.
    #[must_use]
    pub fn own(&self, cycle: u32) -> u32 {
        cycle.saturating_sub(self.since.unwrap_or(0))
    }

    /// The server's cohort when the run begins.
    pub fn begin(&mut self, cohort: u32) {
        self.first = cohort;
    }

    /// The server's cohort at the end of a cycle of the run.
    pub fn close(&mut self, cohort: u32, cycle: u32) {
        if cohort > self.newest() {
            self.ends.push(self.own(cycle));
        }
    }

    /// The newest of the server's cohorts that is complete.
    #[must_use]
    pub fn newest(&self) -> u32 {
        self.first + u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// A cohort of the server, as it is numbered in the recording.
    #[must_use]
    pub fn cohort(&self, cohort: u32) -> u32 {
        let Some(later) = cohort.checked_sub(self.first + 1) else { return 0 };
        let last = self.ends.len().saturating_sub(1);
        let place = usize::try_from(later).unwrap_or(usize::MAX).min(last);
        self.ends.get(place).map_or(0, |end| end.div_ceil(self.each))
    }

    /// Whether every number stays as it is.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.each == 1 && self.first == 0
    }

    /// From here on, twice as many cycles of the run are one of the recording's.
    pub fn fold(&mut self) {
        self.each *= 2;
    }

    /// The server was restarted after a cycle of the run: its new process counts anew.
    pub fn restart(&mut self, cycle: u32) {
        *self = Folding { since: Some(cycle), ..Folding::default() };
    }

    /// Whether the server was restarted: cycles have the run's numbers then.
    #[must_use]
    pub fn has_restarted(&self) -> bool {
        self.since.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_until_the_recording_is_folded_and_are_halved_then() {
        let mut folding = Folding::default();
        for cycle in 1..=4 {
            folding.close(cycle, cycle);
            folding.close(cycle, cycle);
        }
        assert!(folding.is_plain());
        assert_eq!([0, 1, 2, 3, 4].map(|cohort| folding.cohort(cohort)), [0, 1, 2, 3, 4]);
        folding.fold();
        assert_eq!([0, 1, 2, 3, 4].map(|cohort| folding.cohort(cohort)), [0, 1, 1, 2, 2]);
        assert!(!folding.is_whole(5) && folding.is_whole(6));
        folding.close(5, 6);
        assert_eq!((folding.cohort(5), folding.cycle(6), folding.newest()), (3, 3, 5));
        folding.fold();
        folding.close(6, 8);
        assert_eq!([4, 5, 6].map(|cohort| folding.cohort(cohort)), [1, 2, 2]);
    }

    #[test]
    fn after_a_restart_cycles_keep_the_numbers_of_the_run_and_cohorts_begin_anew() {
        let mut folding = Folding::default();
        folding.close(1, 1);
        folding.fold();
        folding.restart(7);
        assert_eq!((folding.each(), folding.newest(), folding.cycle(9)), (1, 0, 9));
        for cohort in 1..=4 {
            folding.close(cohort, 7 + cohort);
        }
        folding.fold();
        assert_eq!([0, 1, 2, 3, 4].map(|cohort| folding.cohort(cohort)), [0, 1, 1, 2, 2]);
        assert_eq!([7, 8, 9, 10].map(|cycle| folding.cycle(cycle)), [7, 9, 9, 11]);
        assert!(folding.is_whole(9) && !folding.is_whole(10));
        assert_eq!((folding.kept(12), folding.own(12), folding.next_whole(12)), (3, 5, 13));
    }

    #[test]
    fn cohorts_a_server_had_before_count_as_start_up() {
        let mut folding = Folding::default();
        folding.begin(7);
        folding.close(8, 1);
        assert_eq!([0, 7, 8].map(|cohort| folding.cohort(cohort)), [0, 0, 1]);
    }
}
