use std::time::{Duration, Instant};

use heapsoak_probe::clock;
use heapsoak_record::{
    End, Event, FORMAT_VERSION, Header, Kind, KindCount, Moment, Outcome, Plan, Recording, Resource,
    Snapshot, Target, Unit,
};

use crate::cohorts::Cohorts;
use crate::rest::Rested;
use crate::scope::{KIND, Scope};
use crate::soak::Soak;

/// The recording of a soak under way.
pub(crate) struct Counted {
    pub(crate) recording: Recording,
    cohorts: Cohorts,
    started: Instant,
    pub(crate) count: KindCount,
    /// Whether what the system counts for the whole process is the soak's.
    alone: bool,
}

impl Counted {
    pub(crate) fn start(soak: &Soak) -> Counted {
        Counted {
            recording: Recording::new(header(soak)),
            cohorts: Cohorts::default(),
            started: Instant::now(),
            count: KindCount::default(),
            alone: soak.alone,
        }
    }

    /// Counts an iteration by how it went.
    pub(crate) fn landed(&mut self, well: bool) {
        self.count.sent += 1;
        if well {
            self.count.ok += 1;
        } else {
            self.count.failed += 1;
        }
    }

    /// Takes down what is alive, and begins the next cycle.
    pub(crate) fn snapshot(&mut self, scope: &Scope, name: &str, cycle: u32, rested: &Rested) {
        let heap = scope.of(&rested.heap, name, &self.cohorts);
        self.recording.snapshots.push(Snapshot {
            sequence: u32::try_from(self.recording.snapshots.len()).unwrap_or(u32::MAX),
            cycle,
            moment: if cycle == 0 { Moment::Baseline } else { Moment::CycleEnd },
            elapsed_ms: millis(self.started.elapsed()),
            clock_ms: millis(self.started.elapsed()),
            requests: self.count.sent,
            kinds: vec![self.count],
            quiet: rested.quiet,
            waited_ms: millis(rested.waited),
            heap: Some(heap),
            resources: if self.alone { lent() } else { Vec::new() },
            gauges: Vec::new(),
        });
        self.cohorts.begin();
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.recording.events.push(event);
    }

    pub(crate) fn end(&mut self) {
        let elapsed_ms = millis(self.started.elapsed());
        self.recording.end = Some(End { outcome: Outcome::Completed, elapsed_ms, requests: self.count.sent });
    }
}

fn header(soak: &Soak) -> Header {
    Header {
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        started_unix_ms: clock::unix_ms(),
        scenario: soak.name.clone(),
        description: "a soak inside a test".to_owned(),
        scenario_source: String::new(),
        seed: 0,
        target: Target {
            name: soak.name.clone(),
            command: Vec::new(),
            pid: std::process::id(),
            as_found: Vec::new(),
            memory_limit_bytes: None,
        },
        plan: Plan {
            cycles: soak.cycles,
            max_cycles: soak.most_cycles(),
            requests_per_cycle: soak.per_cycle(),
            concurrency: 1,
        },
        kinds: vec![Kind { name: KIND.to_owned(), weight: 1.0 }],
        claims: Vec::new(),
        not_analysed: not_analysed(soak),
    }
}

fn not_analysed(soak: &Soak) -> Vec<String> {
    let mut all = vec!["memory that threads outside the soak's scope allocate".to_owned()];
    if !soak.alone {
        all.push("descriptors, threads and processes: they are the whole test binary's".to_owned());
    }
    all
}

/// What the system lends to the process, counted in pieces: descriptors, threads, children.
fn lent() -> Vec<Resource> {
    let mut lent = heapsoak_probe::resources();
    lent.retain(|resource| resource.unit == Unit::Count);
    lent
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Soak {
    /// Iterations in a cycle.
    pub(crate) fn per_cycle(&self) -> u64 {
        self.iterations.div_ceil(u64::from(self.cycles))
    }

    /// Cycles to run at most.
    pub(crate) fn most_cycles(&self) -> u32 {
        self.most_cycles.unwrap_or(self.cycles.saturating_mul(4)).max(self.cycles)
    }
}
