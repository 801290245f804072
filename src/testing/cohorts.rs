use heapsoak_record::{Cell, Cohort};

/// Which of a soak's cycles a cohort of the process belongs to.
///
/// Cohorts are numbered for the whole process, and soaks beside each other begin them as they go. A soak notes the number
/// at each of its own beginnings: everything from there to the next belongs to that cycle.
#[derive(Debug, Default)]
pub(crate) struct Cohorts {
    /// The first cohort of each cycle, from cycle 1.
    first: Vec<u32>,
}

impl Cohorts {
    /// Begins the next cycle.
    pub(crate) fn begin(&mut self) {
        self.first.push(heapsoak_probe::advance_cohort().0);
    }

    /// The cycle a cohort belongs to; 0 for what was there before the first.
    fn cycle(&self, cohort: Cohort) -> Cohort {
        let cycle = self.first.partition_point(|&first| first <= cohort.0);
        Cohort(u32::try_from(cycle).unwrap_or(u32::MAX))
    }

    /// The cycle that runs.
    pub(crate) fn now(&self) -> Cohort {
        Cohort(u32::try_from(self.first.len()).unwrap_or(u32::MAX))
    }

    /// Survivors by cycle.
    pub(crate) fn renumber(&self, survivors: &[Cell]) -> Vec<Cell> {
        let mut cells: Vec<Cell> = Vec::new();
        for cell in survivors {
            let cohort = self.cycle(cell.cohort);
            match cells.last_mut().filter(|last| last.cohort == cohort) {
                Some(last) => {
                    last.live_bytes += cell.live_bytes;
                    last.live_blocks += cell.live_blocks;
                }
                None => cells.push(Cell { cohort, ..*cell }),
            }
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cohorts_that_others_began_in_between_belong_to_the_cycle_that_ran() {
        let cohorts = Cohorts { first: vec![3, 7, 8] };
        let cell = |cohort| Cell { cohort: Cohort(cohort), live_bytes: 10, live_blocks: 1 };
        let cells = cohorts.renumber(&[cell(0), cell(2), cell(3), cell(5), cell(7), cell(9)]);
        let by_cycle: Vec<_> = cells.iter().map(|cell| (cell.cohort.0, cell.live_bytes)).collect();
        assert_eq!(by_cycle, [(0, 20), (1, 20), (2, 10), (3, 10)]);
    }
}
