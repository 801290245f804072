use std::path::Path;

use heapsoak_record::{
    CaptureRate, Captured, Event, FORMAT_VERSION, Header, Kind, Outcome, Plan, Recording,
    Target as TargetHeader,
};
use tokio::sync::watch;

use crate::capture::Capture;
use crate::clock::{Clock, unix_now_ms};
use crate::control::Control;
use crate::cycle::Numbering;
use crate::load::{Load, Tally};
use crate::observer::Observer;
use crate::profile::{Profile, Profiler};
use crate::recorder::Recorder;
use crate::run_error::RunError;
use crate::scenario::{ClockSource, OwnServer, Scenario, TargetSpec};
use crate::soak::{Soak, Stop};
use crate::target::{FakeTime, Ready, Target, start};
use crate::watcher::{Doing, Watcher};

/// Fewest requests a cycle is cut down to when a run is asked to be short; below that, cycles are left out.
const FEWEST_PER_CYCLE: u64 = 50;

/// Fewest cycles a run is cut down to: a verdict needs some.
const FEWEST_CYCLES: u32 = 10;

/// Positive control of a run that asks for no other, in bytes per 1,000 requests.
pub const DEFAULT_CONTROL_PER_1000: f64 = 1024.0;

/// How much of the allocations has its stack captured in a run that asks for nothing else: one in so many bytes.
const SAMPLE: CaptureRate = CaptureRate::OneIn { bytes: 64 * 1024 };

/// A run about to start.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// What is asked of the server.
    pub scenario: &'a Scenario,
    /// The program that holds the built-in server and its simulators, as hidden subcommands `__autopilot`,
    /// `__tracker`, `__agent` and `__reviewer`.
    pub program: &'a Path,
    /// The file to write the recording to; it must not exist.
    pub recording: &'a Path,
    /// Version of the tool, for the header.
    pub tool_version: &'a str,
    /// Another seed than the scenario's.
    pub seed: Option<u64>,
    /// Another number of requests than the scenario's, over all cycles.
    pub requests: Option<u64>,
    /// Other defects than the scenario's; an empty list is the healthy server.
    pub as_found: Option<Vec<String>>,
    /// Another server than the scenario's.
    pub own: Option<OwnServer>,
    /// Another number of requests in flight than the scenario's.
    pub concurrency: Option<u32>,
    /// Positive control: what the probe leaks on purpose, in bytes per 1,000 requests; zero for none.
    pub control_per_1000: f64,
    /// What of the server's allocations has its call stack captured; nothing when empty.
    pub capture: Vec<Captured>,
    /// A profiler to run in the server, and its file. Written at the end, while the server still holds what it holds.
    pub profile: Option<Profile>,
    /// A recording in the file that is to be gone on with: of this scenario, with this seed, and of a server that runs
    /// since. Its plan and its number of cycles hold.
    pub resume: Option<&'a Recording>,
    /// What this run can't see, besides what every run can't, in sentences.
    pub not_analysed: Vec<String>,
    /// The run ends when this turns true; what was recorded is kept.
    pub stop: watch::Receiver<bool>,
}

impl<'a> Run<'a> {
    /// A run of a scenario as it is, that nobody stops.
    #[must_use]
    pub fn new(scenario: &'a Scenario, program: &'a Path, recording: &'a Path) -> Run<'a> {
        Run {
            scenario,
            program,
            recording,
            tool_version: env!("CARGO_PKG_VERSION"),
            seed: None,
            requests: None,
            as_found: None,
            own: None,
            concurrency: None,
            control_per_1000: DEFAULT_CONTROL_PER_1000,
            capture: vec![Captured { component: None, rate: SAMPLE }],
            profile: None,
            resume: None,
            not_analysed: Vec::new(),
            // Its sender is gone, so it never turns true.
            stop: watch::channel(false).1,
        }
    }

    /// What is asked for, overrides included.
    fn plan(&self) -> Plan {
        if let Some(recording) = self.resume {
            return resumed_plan(recording);
        }
        let scenario = self.scenario;
        let (mut cycles, mut max_cycles) = (scenario.cycles, scenario.max_cycles);
        let mut requests_per_cycle = scenario.requests_per_cycle;
        if let Some(requests) = self.requests {
            let affordable = u32::try_from(requests / FEWEST_PER_CYCLE).unwrap_or(u32::MAX);
            cycles = cycles.min(affordable.max(FEWEST_CYCLES));
            max_cycles = (max_cycles - scenario.cycles).saturating_add(cycles);
            requests_per_cycle = requests.div_ceil(u64::from(cycles)).max(1);
        }
        Plan {
            cycles,
            max_cycles,
            requests_per_cycle,
            concurrency: self.concurrency.unwrap_or(scenario.concurrency).max(1),
        }
    }

    fn target(&self) -> TargetSpec {
        let mut spec = self.scenario.target.clone();
        if let Some(as_found) = &self.as_found {
            spec.as_found.clone_from(as_found);
            spec.as_found.retain(|name| name != "none");
        }
        if let Some(own) = &self.own {
            spec.own = Some(own.clone());
            spec.as_found.clear();
        }
        spec
    }

    fn header(&self, ready: &Ready, spec: &TargetSpec, plan: &Plan) -> Header {
        let target = &ready.target;
        let scenario = self.scenario;
        let kind = |kind: &crate::Kind| Kind { name: kind.name.clone(), weight: kind.weight };
        Header {
            format_version: FORMAT_VERSION,
            tool_version: self.tool_version.to_owned(),
            started_unix_ms: unix_now_ms(),
            scenario: scenario.name.clone(),
            description: scenario.description.clone(),
            scenario_source: scenario.source.clone(),
            seed: self.seed.unwrap_or(scenario.seed),
            target: TargetHeader {
                name: target.name().to_owned(),
                command: target.command().to_vec(),
                pid: target.pid(),
                as_found: spec.as_found.clone(),
                memory_limit_bytes: ready.memory_limit_bytes,
            },
            plan: plan.clone(),
            kinds: scenario.kinds.iter().map(kind).collect(),
            claims: scenario.claims.clone(),
            not_analysed: list_not_analysed(scenario, &ready.observer, self.profile.as_ref()),
        }
    }
}

/// Runs a scenario and returns its recording, which is also in the file.
///
/// Must be called within a tokio runtime with time and I/O enabled. Dropping the future ends everything it started.
///
/// # Errors
///
/// Fails if the server can't be started or the recording can't be written. A server that dies later, or a run that is
/// stopped, gives a recording whose end says so.
pub async fn run(run: Run<'_>, watcher: &mut dyn Watcher) -> Result<Recording, RunError> {
    let (spec, plan) = (run.target(), run.plan());
    if let Some(name) = run.scenario.variables().into_iter().find(|name| std::env::var(name).is_err()) {
        let message =
            format!("the environment has no variable {name}, and the scenario's requests need it: set it");
        return Err(RunError::Input(message));
    }
    let seed = run.seed.unwrap_or(run.scenario.seed);
    let mut stop = Stop::new(run.stop.clone());
    let broke_off = run.resume.and_then(|recording| recording.snapshots.last());
    let tally = broke_off.map_or_else(|| Tally::new(run.scenario), |last| Tally::resume(run.scenario, last));
    watcher.progress(&crate::watcher::starting(&plan));

    let library = run.scenario.fake_time()?;
    let starting = start(run.program, &spec, run.profile.as_ref(), library.as_deref());
    let ready = tokio::select! {
        started = starting => started?,
        () = stop.asked() => return Err(RunError::Interrupted),
    };
    let mut clock = Clock::start();
    if let (Some(recording), Some(last)) = (run.resume, broke_off) {
        refuse_other(recording, &ready.target)?;
        clock =
            Clock::resume(recording.header.started_unix_ms, last.clock_ms.saturating_sub(last.elapsed_ms));
    }
    let mut header = run.header(&ready, &spec, &plan);
    let Ready { mut target, mut observer, .. } = ready;
    let mut capture = Capture::new(run.capture.clone(), plan.cycles);
    let refused = capture.begin(&mut observer).await;
    header.not_analysed.extend(run.not_analysed.iter().cloned());
    header.not_analysed.extend(refused.map(|why| format!("the lines that allocate: {why}")));
    let refused = |error| RunError::Input(format!("can't write {}: {error}", run.recording.display()));
    let (mut recorder, done) = match (run.resume, broke_off) {
        (Some(recording), Some(last)) => {
            let gone_ms = clock.elapsed_ms().saturating_sub(last.elapsed_ms);
            let (mut recorder, done) = Recorder::resume(run.recording, recording.clone()).map_err(refused)?;
            recorder.event(Event::Resumed { cycle: done, gone_ms }).map_err(refused)?;
            (recorder, done)
        }
        _ => (Recorder::create(run.recording, &header).map_err(refused)?, 0),
    };

    if let Some(clock) = target.fake_time() {
        let library = clock.library().display().to_string();
        let faked = recorder.event(Event::ClockFaked { cycle: 0, library });
        faked.map_err(|error| RunError::internal("can't write the recording", error))?;
    }
    let numbering = Numbering {
        seed,
        requests_per_cycle: plan.requests_per_cycle,
        warm_up: run.scenario.warm_up_requests(),
    };
    let connections = run.scenario.most_connections(plan.concurrency);
    let mut load = Load::new(target.dial(), run.scenario, connections, numbering)
        .map_err(|error| RunError::internal("can't make a timer for each connection", error))?;
    let mut soak = Soak {
        scenario: run.scenario,
        seed,
        cycle: done,
        plan: plan.clone(),
        target: &mut target,
        observer: &mut observer,
        load: &mut load,
        tally: &tally,
        control: Control::resume(
            run.control_per_1000,
            run.resume.map_or(&[], |recording| recording.events.as_slice()),
        ),
        capture: &mut capture,
        clock: &mut clock,
        recorder: &mut recorder,
        watcher: &mut *watcher,
    };
    let result = soak.run(&mut stop).await;
    let cycle = soak.cycle;
    if let Some(profile) = &run.profile {
        soak.show(0, Doing::Profiling);
        soak.watcher.profiled(&profile.file, write_profile(soak.observer).await);
    }
    soak.show(0, Doing::Ending);
    drop(load);
    let outcome = match result {
        Ok(()) => Outcome::Completed,
        Err(ending) => ending.outcome(&mut target).await,
    };
    let (status, stderr) = target.end().await;
    let outcome = match outcome {
        Outcome::TargetDied { .. } => Outcome::TargetDied { status, stderr },
        other => other,
    };
    let unwritable = |error| RunError::internal(&format!("can't write {}", run.recording.display()), error);
    if let Some(stacks) = capture.finish() {
        recorder.stacks(stacks).map_err(unwritable)?;
    }
    recorder.end(outcome, cycle, &tally, &clock).map_err(unwritable)
}

/// What a run that is resumed was asked to do, with the cycles it was made longer by.
fn resumed_plan(recording: &Recording) -> Plan {
    let mut plan = recording.header.plan.clone();
    for event in &recording.events {
        if let Event::Extended { cycles, .. } = event {
            plan.cycles = plan.cycles.max(*cycles);
        }
    }
    plan
}

/// What a server held is gone with its process.
fn refuse_other(recording: &Recording, target: &Target) -> Result<(), RunError> {
    let (before, now) = (recording.header.target.pid, target.pid());
    if before == now {
        return Ok(());
    }
    Err(RunError::Input(format!(
        "the server of the recording was process {before}, this one is process {now}: what the first held is gone, so there is \
         nothing to go on with; start a new run"
    )))
}

impl Scenario {
    /// The library the server is to take its time from, if it is to take it from one.
    fn fake_time(&self) -> Result<Option<std::path::PathBuf>, RunError> {
        match &self.advance {
            Some(advance) if advance.source == ClockSource::LibFakeTime => {
                FakeTime::find(advance.library.as_deref()).map(Some)
            }
            _ => Ok(None),
        }
    }
}

async fn write_profile(observer: &mut Observer) -> Result<(), String> {
    observer.write_profile().await.map_err(|error| error.to_string())
}

/// What a run of this scenario can't see.
fn list_not_analysed(scenario: &Scenario, observer: &Observer, profile: Option<&Profile>) -> Vec<String> {
    let mut sentences = match observer {
        Observer::Probe(_) => vec!["memory of the child processes the server starts".to_owned()],
        Observer::Outside(outside) => outside.blind_spots(),
    };
    sentences.push("code that no request of this scenario reaches".to_owned());
    if !scenario.unused_kinds.is_empty() {
        sentences.push(format!("request kinds known but not sent: {}", scenario.unused_kinds.join(", ")));
    }
    if profile.is_some_and(|profile| profile.profiler == Profiler::Dhat) {
        sentences.push(
            "the server's own resident memory and time: dhat, beside it, takes most of both".to_owned(),
        );
    }
    sentences
}
