//! What the tool itself holds while it soaks a server: its own heap, judged by the rules it judges servers by.

use heapsoak_probe::Component;
use heapsoak_record::{
    End, Event, FORMAT_VERSION, Folding, Header, Kind, KindCount, Moment, OWN_COMPONENT, Outcome, Plan,
    Recording, Snapshot, Target,
};
use heapsoak_verdict::{ComponentVerdict, judge};

/// Everything here is the probe's own business: no verdict looks at it.
static OWN: Component = Component::new(OWN_COMPONENT);

/// Cycles kept; with more, two become one.
const MOST_CYCLES: u32 = 128;

/// The tool's heap at the server's quiet points.
#[derive(Debug)]
pub(crate) struct OwnHeap {
    recording: Recording,
    folding: Folding,
    cycle: u32,
}

impl OwnHeap {
    /// Counts the tool's heap from here on.
    pub(crate) fn start() -> OwnHeap {
        heapsoak_probe::count();
        let _own = OWN.enter();
        OwnHeap { recording: Recording::new(header()), folding: Folding::default(), cycle: 0 }
    }

    /// Looks at it. `of_server` is the snapshot of the server that was just recorded.
    pub(crate) fn look(&mut self, of_server: &Snapshot) {
        let _own = OWN.enter();
        let first = self.recording.snapshots.is_empty();
        if !first && of_server.moment != Moment::CycleEnd {
            return;
        }
        if !first {
            self.cycle += 1;
            if !self.folding.is_whole(self.cycle) {
                return;
            }
        }
        let mut heap = heapsoak_probe::heap();
        if first {
            self.folding.begin(heap.cohort.0);
        } else {
            self.folding.close(heap.cohort.0, self.cycle);
        }
        heap.renumber(|cohort| self.folding.cohort(cohort));
        let count =
            KindCount { sent: of_server.requests, ok: of_server.requests, expected_errors: 0, failed: 0 };
        self.recording.snapshots.push(Snapshot {
            sequence: u32::try_from(self.recording.snapshots.len()).unwrap_or(u32::MAX),
            cycle: self.folding.cycle(self.cycle),
            moment: if first { Moment::Baseline } else { Moment::CycleEnd },
            elapsed_ms: of_server.elapsed_ms,
            clock_ms: of_server.elapsed_ms,
            requests: of_server.requests,
            kinds: vec![count],
            quiet: true,
            waited_ms: 0,
            heap: Some(heap),
            resources: Vec::new(),
            gauges: Vec::new(),
        });
        let cycles = self.folding.cycle(self.cycle);
        if cycles >= MOST_CYCLES && cycles.is_multiple_of(2) {
            self.recording.fold();
            self.folding.fold();
        }
        // Its number is in the next look.
        let _next = heapsoak_probe::advance_cohort();
    }

    /// What the verdict is; none if the tool was looked at too seldom for one.
    pub(crate) fn judge(mut self) -> Option<Event> {
        let last = self.recording.snapshots.last()?;
        let (cycle, elapsed_ms, requests) = (last.cycle, last.elapsed_ms, last.requests);
        self.recording.end = Some(End { outcome: Outcome::Completed, elapsed_ms, requests });
        let judgement = judge(&self.recording);
        // Of several parts, one that leaks, or else the largest.
        let worst = judgement.components.iter().max_by_key(|component| {
            (component.verdict == ComponentVerdict::Leak, component.live_bytes.end)
        })?;
        let growth = worst.growth_bytes_per_1000_requests;
        let whole = |bytes: f64| {
            #[expect(clippy::cast_possible_truncation, reason = "bytes a request, far below 2^63")]
            let whole = bytes.round() as i64;
            whole
        };
        Some(Event::OwnHeap {
            cycle,
            verdict: worst.verdict.word().to_owned(),
            live_bytes: worst.live_bytes.end,
            bytes_per_1000_requests: whole(growth.estimate),
            low: whole(growth.low),
            high: whole(growth.high),
        })
    }
}

fn header() -> Header {
    Header {
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        started_unix_ms: 0,
        scenario: "heapsoak".to_owned(),
        description: "the tool itself, while it soaks a server".to_owned(),
        scenario_source: String::new(),
        seed: 0,
        target: Target {
            name: "heapsoak".to_owned(),
            command: Vec::new(),
            pid: std::process::id(),
            as_found: Vec::new(),
            memory_limit_bytes: None,
        },
        plan: Plan { cycles: 1, max_cycles: 1, requests_per_cycle: 1, concurrency: 1 },
        kinds: vec![Kind { name: "request".to_owned(), weight: 1.0 }],
        claims: Vec::new(),
        not_analysed: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static PART: Component = Component::new("part");

    fn of_server(cycle: u32) -> Snapshot {
        Snapshot {
            sequence: cycle,
            cycle,
            moment: if cycle == 0 { Moment::Baseline } else { Moment::CycleEnd },
            elapsed_ms: u64::from(cycle) * 100,
            clock_ms: u64::from(cycle) * 100,
            requests: u64::from(cycle) * 500,
            kinds: Vec::new(),
            quiet: true,
            waited_ms: 0,
            heap: None,
            resources: Vec::new(),
            gauges: Vec::new(),
        }
    }

    /// Looks at a tool that keeps so many blocks of 64 bytes in each cycle.
    fn verdict(kept_a_cycle: usize, cycles: u32) -> (String, i64) {
        let mut own = OwnHeap::start();
        let mut kept: Vec<Box<[u8; 64]>> =
            Vec::with_capacity(kept_a_cycle * usize::try_from(cycles).unwrap());
        for cycle in 0..=cycles {
            let scope = PART.enter();
            for _ in 0..200 {
                drop(std::hint::black_box(Box::new([0_u8; 64])));
            }
            if cycle > 0 {
                kept.extend((0..kept_a_cycle).map(|_| Box::new([1_u8; 64])));
            }
            drop(scope);
            own.look(&of_server(cycle));
        }
        // Other tests allocate beside this one; its own part alone is looked at.
        for snapshot in &mut own.recording.snapshots {
            let heap = snapshot.heap.as_mut().unwrap();
            heap.contexts.retain(|context| context.component() == "part");
            heap.total_live_bytes = heap.contexts.iter().map(heapsoak_record::ContextHeap::live_bytes).sum();
            heap.total_live_blocks =
                heap.contexts.iter().map(heapsoak_record::ContextHeap::live_blocks).sum();
        }
        match own.judge() {
            Some(Event::OwnHeap { verdict, bytes_per_1000_requests, .. }) => {
                (verdict, bytes_per_1000_requests)
            }
            other => panic!("{other:?}"),
        }
    }

    // One test: what the others keep would be counted as this one's.
    #[test]
    fn a_tool_that_keeps_something_of_each_request_leaks_by_its_own_verdict_and_one_that_does_not_is_stable()
    {
        let (said, growth) = verdict(50, 40);
        // 50 blocks of 64 bytes in 500 requests.
        assert_eq!((said.as_str(), growth), ("leak", 6_400));
        let (said, growth) = verdict(50, 300);
        assert_eq!((said.as_str(), growth), ("leak", 6_400), "folded");
        let (said, _) = verdict(0, 40);
        assert_ne!(said, "leak");
    }
}
