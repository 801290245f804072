use crate::{Cohort, Event, Heap, MergedCohorts, Recording};

impl Recording {
    /// Makes one cycle of every two: half as many snapshots, half as many cohorts, cycles of twice the requests. What is
    /// left is the recording of a run whose cycles were twice as long; nothing else is lost but what happened within them.
    ///
    /// Cycles 1 and 2 become cycle 1, 3 and 4 cycle 2, and so on; of a last cycle without a second one, only that. Costs
    /// time in proportion to the recording and no memory. One with restarts is [folded by its
    /// stretches](Recording::fold_newest).
    pub fn fold(&mut self) {
        let last = self.snapshots.last().map_or(0, |snapshot| snapshot.cycle);
        self.snapshots.retain(|snapshot| snapshot.cycle.is_multiple_of(2) || snapshot.cycle == last);
        self.number_snapshots();
        for snapshot in &mut self.snapshots {
            snapshot.cycle = half(snapshot.cycle);
            if let Some(heap) = &mut snapshot.heap {
                heap.renumber(half);
            }
        }
        self.join_events(half);
        for mark in self.stacks.iter_mut().flat_map(|stacks| &mut stacks.marks) {
            mark.cycle = half(mark.cycle);
        }
    }

    /// Gives the events' cycles other numbers; what comes in every cycle is summed up where they become one.
    pub(crate) fn join_events(&mut self, number: impl Fn(u32) -> u32) {
        let mut events = Vec::with_capacity(self.events.len());
        for event in self.events.drain(..) {
            event.in_cycle(&number).join(&mut events);
        }
        self.events = events;
    }

    /// After some were left out.
    pub(crate) fn number_snapshots(&mut self) {
        self.snapshots.shrink_to_fit();
        for (sequence, snapshot) in self.snapshots.iter_mut().enumerate() {
            snapshot.sequence = u32::try_from(sequence).unwrap_or(u32::MAX);
        }
    }
}

impl Heap {
    /// Gives the cohorts other numbers. `number` never falls; cohorts that get the same become one.
    pub fn renumber(&mut self, number: impl Fn(u32) -> u32) {
        self.cohort = Cohort(number(self.cohort.0));
        let mut merged: Vec<MergedCohorts> = Vec::new();
        for group in &self.merged {
            let (first, last) = (Cohort(number(group.first.0)), Cohort(number(group.last.0)));
            match merged.last_mut() {
                Some(before) if before.last >= first => before.last = before.last.max(last),
                _ => merged.push(MergedCohorts { first, last }),
            }
        }
        merged.retain(|group| group.first < group.last);
        let group_of = |cohort: Cohort| {
            let group = merged.iter().find(|group| (group.first..=group.last).contains(&cohort));
            group.map_or(cohort, |group| group.first)
        };
        for context in &mut self.contexts {
            for cell in &mut context.survivors {
                cell.cohort = group_of(Cohort(number(cell.cohort.0)));
            }
            // They are in the order of their cohorts.
            context.survivors.dedup_by(|later, earlier| {
                let same = later.cohort == earlier.cohort;
                if same {
                    earlier.live_bytes += later.live_bytes;
                    earlier.live_blocks += later.live_blocks;
                }
                same
            });
            context.survivors.shrink_to_fit();
        }
        self.merged = merged;
    }
}

impl Event {
    /// The same in a cycle with another number.
    #[must_use]
    pub fn in_cycle(mut self, number: impl Fn(u32) -> u32) -> Event {
        match &mut self {
            Event::ClockAdvanced { cycle, .. }
            | Event::RequestFailed { cycle, .. }
            | Event::NotQuiet { cycle, .. }
            | Event::Extended { cycle, .. }
            | Event::PhaseDone { cycle, .. }
            | Event::AnswerTimes { cycle, .. }
            | Event::OwnHeap { cycle, .. }
            | Event::ClockFaked { cycle, .. }
            | Event::Restarted { cycle, .. }
            | Event::ControlPlanted { cycle, .. }
            | Event::ControlMissing { cycle, .. }
            | Event::Resumed { cycle, .. } => *cycle = number(*cycle),
            // Says of which cycle of the run it is.
            Event::Folded { .. } | Event::Attached { .. } => {}
        }
        self
    }

    /// Adds itself to events before it; what comes in every cycle is summed up.
    pub fn join(self, events: &mut Vec<Event>) {
        let recent = events.iter_mut().rev().take(MOST_IN_A_CYCLE);
        let joined = recent.into_iter().any(|before| match (before, &self) {
            (
                Event::ControlPlanted { cycle, blocks, bytes },
                Event::ControlPlanted { cycle: of, blocks: more, bytes: larger },
            ) if cycle == of => {
                *blocks += more;
                *bytes += larger;
                true
            }
            (Event::ClockAdvanced { cycle, by_ms }, Event::ClockAdvanced { cycle: of, by_ms: more })
                if cycle == of =>
            {
                *by_ms += more;
                true
            }
            (
                Event::PhaseDone { cycle, phase, requests, took_ms, .. },
                Event::PhaseDone { cycle: of, phase: same, requests: more, took_ms: longer, .. },
            ) if cycle == of && phase == same => {
                *requests += more;
                *took_ms += longer;
                true
            }
            (Event::NotQuiet { cycle, .. }, Event::NotQuiet { cycle: of, .. }) => cycle == of,
            _ => false,
        });
        if !joined {
            events.push(self);
        }
    }
}

/// How far back the other event of a cycle is looked for.
const MOST_IN_A_CYCLE: usize = 32;

/// The cycle that a cycle becomes part of.
pub(crate) fn half(cycle: u32) -> u32 {
    cycle.div_ceil(2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Cell;
    use crate::heap::ContextHeap;

    fn heap(cells: &[(u32, u64)], merged: &[(u32, u32)]) -> Heap {
        let survivors =
            cells.iter().map(|&(cohort, blocks)| Cell::from((cohort, 10 * blocks, blocks))).collect();
        let contexts = vec![ContextHeap { path: vec!["a".to_owned()], survivors, ..ContextHeap::default() }];
        let group = |&(first, last)| MergedCohorts { first: Cohort(first), last: Cohort(last) };
        Heap { contexts, merged: merged.iter().map(group).collect(), ..Heap::default() }
    }

    fn survivors(heap: &Heap) -> Vec<(u32, u64)> {
        heap.contexts[0].survivors.iter().map(|cell| (cell.cohort.0, cell.live_blocks)).collect()
    }

    #[test]
    fn two_cohorts_become_one() {
        let mut heap = heap(&[(0, 1), (1, 2), (2, 3), (5, 4)], &[]);
        heap.renumber(half);
        assert_eq!(survivors(&heap), [(0, 1), (1, 5), (3, 4)]);
        assert!(heap.merged.is_empty());
    }

    #[test]
    fn what_the_probe_merged_across_two_becomes_one_with_both() {
        // Cohorts 2 and 3 become parts of 1 and 2, which the probe can't tell apart any more.
        let mut heap = heap(&[(1, 1), (2, 2), (4, 4), (5, 8)], &[(2, 3)]);
        heap.renumber(half);
        assert_eq!(survivors(&heap), [(1, 7), (3, 8)]);
        assert_eq!(heap.merged, [MergedCohorts { first: Cohort(1), last: Cohort(2) }]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_when_cohorts_become_one(
            blocks in prop::collection::btree_map(0_u32..60, 1_u64..100, 0..40),
            folds in 1_u32..6,
        ) {
            let cells: Vec<_> = blocks.into_iter().collect();
            let mut heap = heap(&cells, &[]);
            for _ in 0..folds {
                heap.renumber(half);
            }
            let after = survivors(&heap);
            prop_assert_eq!(
                after.iter().map(|cell| cell.1).sum::<u64>(),
                cells.iter().map(|cell| cell.1).sum::<u64>()
            );
            prop_assert!(after.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }
}
