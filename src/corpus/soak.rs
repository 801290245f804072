use std::time::{Duration, Instant};

use heapsoak_probe::{Component, RequestKind, clock, count, heap};
use heapsoak_record::{
    Captured, End, Event, FORMAT_VERSION, Header, Kind, KindCount, Moment, OWN_COMPONENT, Outcome as Ending,
    Plan, Recording, Snapshot, Target,
};
use heapsoak_verdict::{RunVerdict, judge};

use crate::Draw;
use crate::outcome::Outcome;
use crate::rebase::rebase;
use crate::rest::rest;
use crate::stacks::Capture;

/// What a soak keeps of its own is charged to the tool, and left out of every verdict.
static OWN: Component = Component::new(OWN_COMPONENT);

/// A soak of an async step function in this process.
///
/// At the end of each cycle the program comes to rest, what is alive is counted, and the next cohort begins. When the
/// planned cycles are done and the verdict is undecided, the soak goes on up to its limit.
#[derive(Debug, Clone)]
pub struct Soak {
    name: &'static str,
    cycles: u32,
    most_cycles: Option<u32>,
    steps_per_cycle: u64,
    uneven: bool,
    seed: u64,
    kinds: Vec<(&'static str, u64)>,
    advance: Option<(Duration, u32)>,
    capture: Option<Captured>,
}

/// A soak under way.
struct Run {
    recording: Recording,
    started: Instant,
    clock_at_start: Duration,
    /// Cohort of the probe that this soak calls 0.
    base: u32,
    steps: u64,
    kinds: Vec<KindCount>,
    capture: Option<Capture>,
}

impl Soak {
    /// A soak whose steps are charged to a component of this name: 40 cycles of 250 steps, extended up to 160.
    #[must_use]
    pub fn new(name: &'static str) -> Soak {
        Soak {
            name,
            cycles: 40,
            most_cycles: None,
            steps_per_cycle: 250,
            uneven: false,
            seed: 1,
            kinds: vec![("step", 1)],
            advance: None,
            capture: None,
        }
    }

    /// Cycles to run.
    #[must_use]
    pub fn cycles(self, cycles: u32) -> Soak {
        Soak { cycles: cycles.max(1), ..self }
    }

    /// Cycles to run at most while the verdict is undecided. Four times the planned ones when not given.
    #[must_use]
    pub fn extend_up_to(self, cycles: u32) -> Soak {
        Soak { most_cycles: Some(cycles), ..self }
    }

    /// Steps in a cycle.
    #[must_use]
    pub fn steps_per_cycle(self, steps: u64) -> Soak {
        Soak { steps_per_cycle: steps.max(1), ..self }
    }

    /// Makes cycles between half and one and a half times as long, drawn from the seed: what grows with time is then
    /// told from what grows with steps.
    #[must_use]
    pub fn uneven_cycles(self) -> Soak {
        Soak { uneven: true, ..self }
    }

    /// Seed of what the soak draws.
    #[must_use]
    pub fn seed(self, seed: u64) -> Soak {
        Soak { seed, ..self }
    }

    /// Kinds of steps with their weights; which kind a step is, is drawn from the seed. [`Soak::kind_of`] tells it.
    #[must_use]
    pub fn kinds(self, kinds: &[(&'static str, u64)]) -> Soak {
        assert!(kinds.iter().any(|kind| kind.1 > 0), "one kind at least needs a weight");
        Soak { kinds: kinds.to_vec(), ..self }
    }

    /// Advances the clock of the probe at the end of every n-th cycle: what time is to free then has its chance.
    #[must_use]
    pub fn advance_clock(self, by: Duration, every: u32) -> Soak {
        Soak { advance: Some((by, every.max(1))), ..self }
    }

    /// Captures call stacks, which then are in the recording with their functions and lines. It takes a second or so at
    /// the end, to look these up.
    #[must_use]
    pub fn capture(self, what: Captured) -> Soak {
        Soak { capture: Some(what), ..self }
    }

    /// Steps planned.
    #[must_use]
    pub fn planned_steps(&self) -> u64 {
        u64::from(self.cycles) * self.steps_per_cycle
    }

    /// Position of the kind of a step among [`Soak::kinds`].
    #[must_use]
    pub fn kind_of(&self, step: u64) -> usize {
        let total = self.kinds.iter().map(|kind| kind.1).sum();
        let mut at = Draw::new(self.seed ^ 0x006b_696e_6473, step).below(total);
        for (index, (_, weight)) in self.kinds.iter().enumerate() {
            match at.checked_sub(*weight) {
                Some(rest) => at = rest,
                None => return index,
            }
        }
        0
    }

    /// Runs the steps, numbered from 0, on a runtime of its own with one thread, and judges what was recorded.
    ///
    /// # Panics
    ///
    /// If the process's global allocator is not a [`Probe`](heapsoak_probe::Probe), or no runtime can be made.
    pub fn run(self, step: impl AsyncFnMut(u64)) -> Outcome {
        count();
        let runtime = {
            let _own = OWN.enter();
            tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .expect("a runtime without I/O needs nothing that could be missing")
        };
        let outcome = runtime.block_on(self.soak(step));
        runtime.shutdown_background();
        outcome
    }

    async fn soak(&self, mut step: impl AsyncFnMut(u64)) -> Outcome {
        let contexts: Vec<_> = self
            .kinds
            .iter()
            .map(|(name, _)| {
                let _kind = RequestKind::named(name).enter();
                Component::new(self.name).context()
            })
            .collect();
        let mut run = self.start();
        self.snapshot(&mut run, 0, Moment::Baseline).await;
        advance(&mut run, 1);
        let most = self.most_cycles.unwrap_or(self.cycles.saturating_mul(4)).max(self.cycles);
        let (mut cycle, mut planned) = (0, self.cycles);
        loop {
            while cycle < planned {
                cycle += 1;
                for _ in 0..self.length(cycle) {
                    let kind = self.kind_of(run.steps);
                    contexts[kind].charge(step(run.steps)).await;
                    run.steps += 1;
                    run.kinds[kind].sent += 1;
                    run.kinds[kind].ok += 1;
                }
                self.snapshot(&mut run, cycle, Moment::CycleEnd).await;
                run.mark(cycle, cycle == planned);
                if let Some((by, every)) = self.advance
                    && (cycle.is_multiple_of(every) || cycle == planned)
                {
                    clock::advance(by);
                    let by_ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
                    let _own = OWN.enter();
                    run.recording.events.push(Event::ClockAdvanced { cycle, by_ms });
                    drop(_own);
                    self.snapshot(&mut run, cycle, Moment::AfterAdvance).await;
                }
                advance(&mut run, cycle + 1);
            }
            let _own = OWN.enter();
            let snapshot = run.recording.snapshots.last();
            run.recording.end = Some(End {
                outcome: Ending::Completed,
                elapsed_ms: snapshot.map_or(0, |snapshot| snapshot.elapsed_ms),
                requests: run.steps,
            });
            let judgement = judge(&run.recording);
            let more = more_cycles(&judgement, run.steps, cycle).min(most.saturating_sub(cycle));
            if more == 0 {
                run.recording.stacks.extend(run.capture.take().map(Capture::finish));
                return Outcome { recording: run.recording, judgement };
            }
            planned += more;
            let why = "the verdict was undecided".to_owned();
            run.recording.events.push(Event::Extended { cycle, cycles: planned, why });
        }
    }

    fn length(&self, cycle: u32) -> u64 {
        if self.uneven {
            let mut draw = Draw::new(self.seed ^ 0x006c_656e_6774_6873, u64::from(cycle));
            self.steps_per_cycle / 2 + draw.below(self.steps_per_cycle + 1)
        } else {
            self.steps_per_cycle
        }
    }

    fn start(&self) -> Run {
        let _own = OWN.enter();
        Run {
            recording: Recording::new(self.header()),
            started: Instant::now(),
            clock_at_start: clock::monotonic(),
            base: heap().cohort.0,
            steps: 0,
            kinds: vec![KindCount::default(); self.kinds.len()],
            capture: self.capture.clone().map(|rule| Capture::begin(rule, self.cycles)),
        }
    }

    async fn snapshot(&self, run: &mut Run, cycle: u32, moment: Moment) {
        let rested = rest().await;
        let _own = OWN.enter();
        let heap = rebase(rested.heap, run.base);
        let counted = heap.contexts.iter().any(|context| context.allocated_blocks > 0);
        assert!(
            counted,
            "nothing was counted: make heapsoak_probe::Probe the global allocator of this program"
        );
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        run.recording.snapshots.push(Snapshot {
            sequence: u32::try_from(run.recording.snapshots.len()).unwrap_or(u32::MAX),
            cycle,
            moment,
            elapsed_ms: millis(run.started.elapsed()),
            clock_ms: millis(clock::monotonic().saturating_sub(run.clock_at_start)),
            requests: run.steps,
            kinds: run.kinds.clone(),
            quiet: rested.quiet,
            waited_ms: millis(rested.waited),
            heap: Some(heap),
            resources: heapsoak_probe::resources(),
            gauges: Vec::new(),
        });
    }

    fn header(&self) -> Header {
        let kind = |&(name, weight): &(&str, u64)| Kind { name: name.to_owned(), weight: weight as f64 };
        Header {
            format_version: FORMAT_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            started_unix_ms: clock::unix_ms(),
            scenario: self.name.to_owned(),
            description: "a step function soaked in its own process".to_owned(),
            scenario_source: String::new(),
            seed: self.seed,
            target: Target {
                name: self.name.to_owned(),
                command: Vec::new(),
                pid: std::process::id(),
                as_found: Vec::new(),
                memory_limit_bytes: None,
            },
            plan: Plan {
                cycles: self.cycles,
                max_cycles: self.most_cycles.unwrap_or(self.cycles.saturating_mul(4)).max(self.cycles),
                requests_per_cycle: self.steps_per_cycle,
                concurrency: 1,
            },
            kinds: self.kinds.iter().map(kind).collect(),
            claims: Vec::new(),
            not_analysed: vec!["code that no step reaches".to_owned()],
        }
    }
}

impl Run {
    /// Takes the stacks, if they are captured and it is time.
    fn mark(&mut self, cycle: u32, is_last: bool) {
        let _own = OWN.enter();
        let steps = self.steps;
        if let Some(capture) = &mut self.capture {
            capture.mark(cycle, steps, is_last);
        }
    }
}

/// Begins the cohort of a cycle.
fn advance(run: &mut Run, cycle: u32) {
    let now = heapsoak_probe::advance_cohort().0;
    // Not so if somebody else in the process began a cohort, too.
    run.base = now.saturating_sub(cycle);
}

/// How many more cycles would decide a run; none when it is decided.
fn more_cycles(judgement: &heapsoak_verdict::Judgement, steps: u64, cycles: u32) -> u32 {
    if judgement.verdict != RunVerdict::Inconclusive {
        return 0;
    }
    let per_cycle = (steps / u64::from(cycles.max(1))).max(1);
    let wanted = judgement.wanted_requests.unwrap_or(steps / 4).div_ceil(per_cycle);
    u32::try_from(wanted.max(1)).unwrap_or(u32::MAX)
}
