use heapsoak_record::{ContextHeap, OWN_COMPONENT, Snapshot};

use crate::Run;
use crate::units::Bytes;

/// What the resident memory of the server is made of at the end of the run, part by part.
#[derive(Debug, Clone, PartialEq)]
pub struct Footprint {
    /// Resident bytes, as the system counts them.
    pub resident_bytes: u64,
    /// The parts, to be added up.
    pub parts: Vec<FootprintPart>,
}

/// One part of the resident memory; negative where it is taken away from another.
#[derive(Debug, Clone, PartialEq)]
pub struct FootprintPart {
    /// What it is.
    pub name: &'static str,
    /// How many bytes.
    pub bytes: i64,
    /// How it is known, in a few words.
    pub note: &'static str,
}

impl Footprint {
    /// Adds up the last quiet snapshot; none where the run does not know what its memory is made of.
    #[must_use]
    pub fn of(run: &Run<'_>) -> Option<Footprint> {
        let snapshots = &run.recording.snapshots;
        let known = |snapshot: &&Snapshot| snapshot.resource("memory.heap").is_some();
        let last = snapshots.iter().rfind(|one| one.quiet && known(one)).or(snapshots.iter().rfind(known))?;
        Footprint::at(last)
    }

    fn at(snapshot: &Snapshot) -> Option<Footprint> {
        let value =
            |name: &str| snapshot.resource(name).map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        let resident = value("rss")?;
        let heap = value("memory.heap")?;
        let whole = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let live = snapshot.heap.as_ref().map(|heap| whole(heap.total_live_bytes));
        let own = snapshot.heap.as_ref().map(|heap| {
            let own = heap.contexts.iter().filter(|context| context.component() == OWN_COMPONENT);
            whole(own.map(ContextHeap::live_bytes).sum())
        });
        let mut parts = Vec::new();
        let mut add = |name, bytes: Option<i64>, note| {
            parts.extend(bytes.filter(|bytes| *bytes != 0).map(|bytes| FootprintPart { name, bytes, note }));
        };
        let servers = live.zip(own).map(|(live, own)| live - own);
        add("live heap", servers, "asked for by the server and not freed, counted by the probe to the byte");
        if let (Some(live), Some(rounding), Some(counted)) =
            (live, value("jemalloc.rounding"), value("jemalloc.resident"))
        {
            add("size-class rounding", Some(rounding), "blocks are rounded up to their size class");
            let retained = counted - live - rounding;
            add(
                "allocator-retained",
                Some(retained),
                "freed and kept for later, and the allocator's own books",
            );
            // What the allocator takes for resident, less what of it the system ever backed.
            add(
                "never touched",
                Some((heap - counted).min(0)),
                "allocated, but no page of it was ever written to",
            );
        } else if let Some(live) = live {
            // An allocator that says nothing of itself: what it holds beyond what is alive.
            add(
                "allocator",
                Some(heap - live),
                "rounding, what is kept for later, the allocator's own books",
            );
        } else {
            add("heap", Some(heap), "the target carries no probe: not told apart");
        }
        add("mapped files", value("memory.files"), "code, static data, shared libraries, shared memory");
        add("stacks", value("memory.stacks"), "of all threads");
        add("heap of the C library", value("memory.c-heap"), "beside the Rust allocator: malloc of C code");
        let probe = value("memory.probe").map(|tables| tables + own.unwrap_or_default());
        add("heapsoak's own", probe, "the probe's tables and buffers: not there without it");
        let sum: i64 = parts.iter().map(|part| part.bytes).sum();
        parts.push(FootprintPart {
            name: "unexplained",
            bytes: resident - sum,
            note: "mapped by others, or changed while it was read",
        });
        Some(Footprint { resident_bytes: resident.unsigned_abs(), parts })
    }

    /// The part that no row explains, as a share of all.
    #[must_use]
    pub fn unexplained(&self) -> f64 {
        let bytes = self.parts.last().map_or(0, |part| part.bytes);
        bytes.unsigned_abs() as f64 / (self.resident_bytes as f64).max(1.0)
    }
}

impl FootprintPart {
    /// Its size in words.
    pub(crate) fn size(&self) -> String {
        Bytes(self.bytes as f64).to_string()
    }

    /// Its share of the whole in percent.
    pub(crate) fn percent(&self, of: u64) -> String {
        format!("{:.1} %", self.bytes as f64 * 100.0 / (of as f64).max(1.0)).replace('-', "−")
    }
}

#[cfg(test)]
mod tests {
    use heapsoak_record::{Heap, Moment, Resource, Unit};

    use super::*;

    fn snapshot(figures: &[(&str, u64)]) -> Snapshot {
        Snapshot {
            sequence: 0,
            cycle: 0,
            moment: Moment::CycleEnd,
            elapsed_ms: 0,
            clock_ms: 0,
            requests: 0,
            kinds: Vec::new(),
            quiet: true,
            waited_ms: 0,
            heap: Some(Heap { total_live_bytes: 1_000, ..Heap::default() }),
            resources: figures
                .iter()
                .map(|(name, value)| Resource { name: (*name).to_owned(), value: *value, unit: Unit::Bytes })
                .collect(),
            gauges: Vec::new(),
        }
    }

    fn of(figures: &[(&str, u64)]) -> Vec<(&'static str, i64)> {
        let footprint = Footprint::at(&snapshot(figures)).unwrap();
        assert_eq!(footprint.parts.iter().map(|part| part.bytes).sum::<i64>(), figures[0].1 as i64);
        footprint.parts.iter().map(|part| (part.name, part.bytes)).collect()
    }

    const SYSTEM: [(&str, u64); 5] = [
        ("rss", 5_000),
        ("memory.heap", 1_500),
        ("memory.files", 3_000),
        ("memory.stacks", 300),
        ("memory.probe", 190),
    ];

    #[test]
    fn the_parts_add_up_and_what_was_never_touched_is_taken_away() {
        let jemalloc = [("jemalloc.rounding", 100), ("jemalloc.resident", 1_900)];
        let parts = of(&[SYSTEM.as_slice(), &jemalloc].concat());
        let expected = [
            ("live heap", 1_000),
            ("size-class rounding", 100),
            ("allocator-retained", 800),
            ("never touched", -400),
            ("mapped files", 3_000),
            ("stacks", 300),
            ("heapsoak's own", 190),
            ("unexplained", 10),
        ];
        assert_eq!(parts, expected);
    }

    #[test]
    fn memory_that_the_allocator_knows_nothing_of_is_unexplained() {
        let jemalloc = [("jemalloc.rounding", 100), ("jemalloc.resident", 1_200)];
        let parts = of(&[SYSTEM.as_slice(), &jemalloc].concat());
        assert_eq!(parts.last(), Some(&("unexplained", 310)));
    }

    #[test]
    fn an_allocator_that_says_nothing_of_itself_is_one_part() {
        assert_eq!(of(&SYSTEM)[1], ("allocator", 500));
        assert!(Footprint::at(&snapshot(&[("rss", 5)])).is_none());
    }
}
