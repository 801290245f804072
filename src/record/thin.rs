//! How a recording stays short whose server is restarted again and again. Its cycles keep the run's numbers, so that each
//! restart stands where it was.

use crate::fold::half;
use crate::{Event, Recording, Stretch};

/// What is kept of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// All that there is.
    Whole,
    /// Its baseline and its last cycle, with everything it did as one.
    Ends,
    /// Nothing but that it was there.
    Count,
}

impl Recording {
    /// Numbers the cycles of a recording that was [folded](Recording::fold) as the run did: so many of the run's are one
    /// of it, and `last` was the last. Needed before the first restart; from there on each process is folded for itself.
    pub fn number_as_run(&mut self, cycles_each: u32, last: u32) {
        let number = |cycle: u32| cycle.saturating_mul(cycles_each).min(last);
        for snapshot in &mut self.snapshots {
            snapshot.cycle = number(snapshot.cycle);
        }
        self.events = self.events.drain(..).map(|event| event.in_cycle(number)).collect();
    }

    /// Folds the cycles of the newest process: of every two that its [stretch](Stretch) has, one is made.
    pub fn fold_newest(&mut self) {
        let Some(stretch) = self.stretches().pop() else { return };
        let each = stretch.cycles_each.saturating_mul(2);
        let (before, last) = (stretch.cycles_before, stretch.last_cycle());
        let number = |cycle: u32| match cycle.checked_sub(before) {
            Some(own) if cycle <= last => (before + own.next_multiple_of(each)).min(last),
            _ => cycle,
        };
        let own = self.snapshots.split_off(stretch.snapshots.start);
        self.snapshots.extend(own.into_iter().filter(|snapshot| number(snapshot.cycle) == snapshot.cycle));
        for heap in self.snapshots[stretch.snapshots.start..].iter_mut().filter_map(|one| one.heap.as_mut()) {
            heap.renumber(half);
        }
        self.number_snapshots();
        self.join_events(number);
        self.events.push(Event::Folded { after: last, cycles_each: each });
    }

    /// Leaves of every process but the longest-lived what it held at its start and at its end: all that is compared from
    /// restart to restart. If there are more than twice `most` processes, it keeps no more than about `most` of them, at
    /// about even distances, with the first two and the last; of the others stays how many they were.
    ///
    /// For the moment of a restart: the newest process is over.
    pub fn thin(&mut self, most: usize) {
        let stretches = self.stretches();
        let keep = fates(&stretches, most);
        let mut snapshots = std::mem::take(&mut self.snapshots).into_iter();
        for (stretch, keep) in stretches.iter().zip(&keep) {
            let own = snapshots.by_ref().take(stretch.snapshots.len());
            self.snapshots.extend(own.filter_map(|mut snapshot| match keep {
                Keep::Whole => Some(snapshot),
                Keep::Ends
                    if snapshot.cycle == stretch.cycles_before || snapshot.cycle == stretch.last_cycle() =>
                {
                    if let Some(heap) = &mut snapshot.heap {
                        heap.renumber(|cohort| cohort.min(1));
                    }
                    Some(snapshot)
                }
                Keep::Ends | Keep::Count => None,
            }));
        }
        self.number_snapshots();
        self.thin_events(&stretches, &keep);
    }

    fn thin_events(&mut self, stretches: &[Stretch], keep: &[Keep]) {
        // What happened in a process of which nothing is kept stands before the next that is, in no stretch.
        let number = |cycle: u32| {
            let at = stretches.partition_point(|stretch| stretch.last_cycle() < cycle);
            match (stretches.get(at), keep.get(at)) {
                (Some(stretch), Some(Keep::Whole)) if stretch.has(cycle) => cycle,
                (Some(stretch), Some(Keep::Ends)) if stretch.has(cycle) && cycle > 0 => stretch.last_cycle(),
                _ if cycle == 0 => 0,
                _ => {
                    let later = (at..stretches.len())
                        .find(|&later| stretches[later].cycles_before >= cycle && keep[later] != Keep::Count);
                    later.map_or(cycle, |later| stretches[later].cycles_before)
                }
            }
        };
        let mut events: Vec<Event> = Vec::with_capacity(self.events.len());
        let mut process = 0;
        let mut passed = 0;
        for event in std::mem::take(&mut self.events) {
            match event {
                Event::Restarted { cycle, pid, killed, took_ms, times } => {
                    events.extend(folded(stretches.get(process), keep.get(process)));
                    process = stretches.partition_point(|stretch| stretch.cycles_before < cycle);
                    passed += times;
                    if keep.get(process) != Some(&Keep::Count) {
                        events.push(Event::Restarted { cycle, pid, killed, took_ms, times: passed });
                        passed = 0;
                    }
                }
                Event::Folded { .. } if keep.get(process).is_some_and(|keep| *keep != Keep::Whole) => {}
                other => other.in_cycle(number).join(&mut events),
            }
        }
        events.extend(folded(stretches.get(process), keep.get(process)));
        self.events = events;
    }
}

/// What says that only the ends of a process are kept.
fn folded(stretch: Option<&Stretch>, keep: Option<&Keep>) -> Option<Event> {
    let stretch = stretch.filter(|stretch| keep == Some(&Keep::Ends) && stretch.cycles > 1)?;
    Some(Event::Folded { after: stretch.last_cycle(), cycles_each: stretch.cycles })
}

fn fates(stretches: &[Stretch], most: usize) -> Vec<Keep> {
    let longest = (0..stretches.len()).max_by_key(|&index| stretches[index].cycles);
    let many = stretches.len() > 2 * most;
    let run = stretches.last().map_or(0, Stretch::last_cycle);
    // Of any two distances that are left, one after the other, the sum is more than this: so they are `most` at most.
    let distance = run / u32::try_from(most.max(1)).unwrap_or(u32::MAX) * 2;
    let mut since = 0;
    let fate = |index: usize| {
        let next = stretches.get(index + 1).filter(|next| many && next.cycles_before - since <= distance);
        let keep = match next {
            _ if Some(index) == longest => Keep::Whole,
            Some(_) if index > 1 => Keep::Count,
            _ => Keep::Ends,
        };
        if keep != Keep::Count {
            since = stretches[index].cycles_before;
        }
        keep
    };
    (0..stretches.len()).map(fate).collect()
}
