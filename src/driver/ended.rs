use heapsoak_record::{Recording, Stretch};

use crate::recorder::{MOST_CELLS, MOST_CYCLES, count_cells};

/// What a recording has of processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    pub(crate) cycles: u32,
    /// Counts of survivors.
    pub(crate) cells: usize,
}

impl Weight {
    fn add(&mut self, other: Weight) {
        self.cycles += other.cycles;
        self.cells += other.cells;
    }

    /// Whether it is time to keep less.
    pub(crate) fn is_long(&self) -> bool {
        self.cycles >= MOST_CYCLES || self.cells > MOST_CELLS
    }
}

/// What a recording has of the processes of a server that are over.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    /// The longest-lived, by cycles of the run: what is kept of it is kept for the verdict.
    longest: u32,
    of_longest: Weight,
    /// All others together.
    pub(crate) others: Weight,
}

impl Ended {
    /// A process that lived for so many cycles of the run is over. Of two as long the later one counts as longer.
    pub(crate) fn add(&mut self, lived: u32, weight: Weight) {
        if lived < self.longest {
            return self.others.add(weight);
        }
        self.others.add(self.of_longest);
        (self.longest, self.of_longest) = (lived, weight);
    }

    /// Those of a recording.
    pub(crate) fn of(recording: &Recording) -> Ended {
        let mut ended = Ended::default();
        for stretch in recording.stretches() {
            ended.add(stretch.cycles, weight(recording, &stretch));
        }
        ended
    }
}

fn weight(recording: &Recording, stretch: &Stretch) -> Weight {
    let cells = recording.snapshots[stretch.snapshots.clone()].iter().map(count_cells).sum();
    Weight { cycles: stretch.kept_cycles(), cells }
}
