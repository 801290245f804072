//! A small server made of counters, and soaks of it: recordings whose truth is known.

use std::collections::BTreeMap;

use heapsoak_record::{
    Cell, Claim, Cohort, ContextHeap, End, Gauge, Header, Heap, Kind, KindCount, Moment, Outcome, Plan,
    Recording, Resource, Snapshot, Target, Unit,
};

/// A block the server holds.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    component: &'static str,
    kind: Option<String>,
    cohort: u32,
    bytes: u64,
}

#[derive(Debug, Default)]
struct Counts {
    allocated: (u64, u64),
    freed: (u64, u64),
    alive: BTreeMap<u32, (u64, u64)>,
}

/// What the server counts.
#[derive(Debug, Default)]
pub(crate) struct Server {
    contexts: BTreeMap<(&'static str, Option<String>), Counts>,
    cohort: u32,
    kind: Option<String>,
    random: u64,
    failed: u64,
    /// Time on the server's clock.
    pub(crate) clock_ms: u64,
    /// Real time.
    pub(crate) elapsed_ms: u64,
    /// Resources by name.
    pub(crate) resources: BTreeMap<&'static str, u64>,
    /// Gauges by name.
    pub(crate) gauges: BTreeMap<&'static str, i64>,
}

impl Server {
    /// A server whose random numbers begin elsewhere.
    pub(crate) fn with_random(random: u64) -> Server {
        Server { random, ..Server::default() }
    }

    /// Allocates a block for the request under way.
    pub(crate) fn alloc(&mut self, component: &'static str, bytes: u64) -> Block {
        let block = Block { component, kind: self.kind.clone(), cohort: self.cohort, bytes };
        let counts = self.counts(&block);
        counts.allocated.0 += bytes;
        counts.allocated.1 += 1;
        let alive = counts.alive.entry(block.cohort).or_default();
        alive.0 += bytes;
        alive.1 += 1;
        block
    }

    /// Frees a block.
    pub(crate) fn free(&mut self, block: Block) {
        let Block { component, kind, cohort, bytes } = block;
        let counts = self.contexts.get_mut(&(component, kind)).expect("a live block has its context");
        counts.freed.0 += bytes;
        counts.freed.1 += 1;
        let alive = counts.alive.get_mut(&cohort).expect("a live block is in its cohort");
        alive.0 -= bytes;
        alive.1 -= 1;
        if alive.1 == 0 {
            counts.alive.remove(&cohort);
        }
    }

    /// Allocates and frees.
    pub(crate) fn churn(&mut self, component: &'static str, bytes: u64) {
        let block = self.alloc(component, bytes);
        self.free(block);
    }

    /// Grows a block in place.
    pub(crate) fn grow(&mut self, block: &mut Block, by: u64) {
        block.bytes += by;
        let counts = self.counts(block);
        counts.allocated.0 += by;
        counts.alive.get_mut(&block.cohort).expect("a live block is in its cohort").0 += by;
    }

    /// Grows or shrinks a block in place.
    pub(crate) fn resize(&mut self, block: &mut Block, bytes: u64) {
        if bytes >= block.bytes {
            return self.grow(block, bytes - block.bytes);
        }
        let by = block.bytes - bytes;
        block.bytes = bytes;
        let counts = self.counts(block);
        counts.freed.0 += by;
        counts.alive.get_mut(&block.cohort).expect("a live block is in its cohort").0 -= by;
    }

    /// The request under way is not answered as expected.
    pub(crate) fn fail(&mut self) {
        self.failed += 1;
    }

    /// A number below `end`, from a fixed seed.
    pub(crate) fn random(&mut self, end: u64) -> u64 {
        // Knuth's constants (MMIX); the upper bits are the good ones.
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % end
    }

    fn counts(&mut self, block: &Block) -> &mut Counts {
        self.contexts.entry((block.component, block.kind.clone())).or_default()
    }

    fn heap(&self) -> Heap {
        let mut total = (0, 0);
        let mut contexts = Vec::new();
        for ((component, kind), counts) in &self.contexts {
            total.0 += counts.allocated.0 - counts.freed.0;
            total.1 += counts.allocated.1 - counts.freed.1;
            contexts.push(ContextHeap {
                path: vec!["server".to_owned(), (*component).to_owned()],
                kind: kind.clone(),
                allocated_bytes: counts.allocated.0,
                allocated_blocks: counts.allocated.1,
                freed_bytes: counts.freed.0,
                freed_blocks: counts.freed.1,
                survivors: counts
                    .alive
                    .iter()
                    .map(|(&cohort, &(live_bytes, live_blocks))| Cell {
                        cohort: Cohort(cohort),
                        live_bytes,
                        live_blocks,
                    })
                    .collect(),
            });
        }
        Heap {
            cohort: Cohort(self.cohort),
            contexts,
            merged: Vec::new(),
            uncounted_freed_bytes: 0,
            total_live_bytes: total.0,
            total_live_blocks: total.1,
        }
    }
}

/// What happens to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// It starts.
    Start,
    /// It gets a request of a kind, the n-th of the run.
    Request(&'a str, u64),
    /// A cycle's requests are done.
    Rest,
    /// Its clock was advanced.
    Advanced,
}

/// A soak to be run.
#[derive(Debug, Clone)]
pub(crate) struct Soak {
    /// Kinds with their weights.
    pub(crate) kinds: Vec<(&'static str, u64)>,
    /// Kinds that answer with an expected error.
    pub(crate) errors: Vec<&'static str>,
    /// Cycles.
    pub(crate) cycles: u32,
    /// Requests per cycle.
    pub(crate) per_cycle: u64,
    /// The clock is advanced by six minutes at the end of every n-th cycle.
    pub(crate) advance_every: Option<u32>,
    /// Claims in the header.
    pub(crate) claims: Vec<Claim>,
    /// Seed.
    pub(crate) seed: u64,
}

/// The soak most tests run: 30 cycles of 500 requests.
pub(crate) fn soak(kinds: &[(&'static str, u64)]) -> Soak {
    Soak {
        kinds: kinds.to_vec(),
        errors: Vec::new(),
        cycles: 30,
        per_cycle: 500,
        advance_every: None,
        claims: Vec::new(),
        seed: 1,
    }
}

impl Soak {
    /// Runs the soak against a server.
    pub(crate) fn run(&self, mut step: impl FnMut(&mut Server, Step<'_>)) -> Recording {
        let mut server = Server::with_random(self.seed);
        let mut draws = Server::with_random(self.seed ^ 0x5eed);
        let mut recording = Recording::new(self.header());
        let mut counts = vec![KindCount::default(); self.kinds.len()];
        let total: u64 = self.kinds.iter().map(|kind| kind.1).sum();
        step(&mut server, Step::Start);
        recording.snapshots.push(snapshot(&server, &recording, 0, Moment::Baseline, &counts));
        for cycle in 1..=self.cycles {
            server.cohort = cycle;
            for _ in 0..self.per_cycle {
                let mut draw = draws.random(total);
                let kind = self.kinds.iter().position(|kind| {
                    let hit = draw < kind.1;
                    draw = draw.saturating_sub(kind.1);
                    hit
                });
                let kind = kind.expect("the draw is below the sum of the weights");
                let name = self.kinds[kind].0;
                server.kind = Some(name.to_owned());
                let failed = server.failed;
                let number: u64 = counts.iter().map(|count| count.sent).sum();
                step(&mut server, Step::Request(name, number));
                server.kind = None;
                counts[kind].sent += 1;
                match (server.failed > failed, self.errors.contains(&name)) {
                    (true, _) => counts[kind].failed += 1,
                    (false, true) => counts[kind].expected_errors += 1,
                    (false, false) => counts[kind].ok += 1,
                }
            }
            server.elapsed_ms += 200;
            server.clock_ms += 200;
            step(&mut server, Step::Rest);
            recording.snapshots.push(snapshot(&server, &recording, cycle, Moment::CycleEnd, &counts));
            if self.advance_every.is_some_and(|every| cycle % every == 0) {
                server.clock_ms += 360_000;
                step(&mut server, Step::Advanced);
                recording.snapshots.push(snapshot(&server, &recording, cycle, Moment::AfterAdvance, &counts));
            }
        }
        let requests = counts.iter().map(|count| count.sent).sum();
        recording.end = Some(End { outcome: Outcome::Completed, elapsed_ms: server.elapsed_ms, requests });
        recording
    }

    fn header(&self) -> Header {
        Header {
            format_version: heapsoak_record::FORMAT_VERSION,
            tool_version: "0.1.0".to_owned(),
            started_unix_ms: 0,
            scenario: "test".to_owned(),
            description: "a server of counters".to_owned(),
            scenario_source: String::new(),
            seed: self.seed,
            target: Target {
                name: "counters".to_owned(),
                command: Vec::new(),
                pid: 1,
                as_found: Vec::new(),
                memory_limit_bytes: None,
            },
            plan: Plan {
                cycles: self.cycles,
                max_cycles: self.cycles,
                requests_per_cycle: self.per_cycle,
                concurrency: 1,
            },
            kinds: self
                .kinds
                .iter()
                .map(|&(name, weight)| Kind { name: name.to_owned(), weight: weight as f64 })
                .collect(),
            claims: self.claims.clone(),
            not_analysed: Vec::new(),
        }
    }
}

fn snapshot(
    server: &Server,
    recording: &Recording,
    cycle: u32,
    moment: Moment,
    kinds: &[KindCount],
) -> Snapshot {
    Snapshot {
        sequence: recording.snapshots.len() as u32,
        cycle,
        moment,
        elapsed_ms: server.elapsed_ms,
        clock_ms: server.clock_ms,
        requests: kinds.iter().map(|count| count.sent).sum(),
        kinds: kinds.to_vec(),
        quiet: true,
        waited_ms: 1,
        heap: Some(server.heap()),
        resources: server
            .resources
            .iter()
            .map(|(&name, &value)| Resource { name: name.to_owned(), value, unit: Unit::Count })
            .collect(),
        gauges: server
            .gauges
            .iter()
            .map(|(&name, &value)| Gauge { name: name.to_owned(), value, busy: false })
            .collect(),
    }
}
