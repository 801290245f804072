//! Scenario files: what is asked of a server, how often, and what is expected to be found.

mod body_file;
mod compile;
mod duration;
mod expect;
mod file;
mod flow;
mod hint;
mod include;
mod phase;
mod problem;
mod schema;
mod target;

use std::path::{Path, PathBuf};
use std::{fs, io};

use heapsoak_record::{Budgets, Claim};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::template::Template;

pub use duration::{DurationError, Millis};
pub use expect::{
    ClaimAnswer, Expect, ExpectedComponent, ExpectedFinding, OneOf, Pattern, RunVerdict, Severity,
    UnitVerdict, Vocabulary,
};
pub use file::Spread;
pub use flow::Fault;
pub(crate) use flow::{Action, Answers, Flow, Payload, Replay, Sign, Stage, Step};
pub(crate) use phase::{Phase, Rate, Work};
pub use problem::{Problem, ScenarioError};
pub use schema::scenario_schema;
pub use target::{HttpVersion, OwnServer, ServerSource, TargetSpec, check_url, split_command};

/// A scenario, read and checked.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Name: the file's name without `.toml`.
    pub name: String,
    /// One sentence on what it exercises.
    pub description: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// The server under test.
    pub target: TargetSpec,
    /// Request kinds with a weight above zero, by name.
    pub kinds: Vec<Kind>,
    /// Kinds its files define but that it gives no weight: paths this scenario does not exercise.
    pub unused_kinds: Vec<String>,
    /// Cycles: requests, rest, snapshot.
    pub cycles: u32,
    /// Up to how many cycles a run may be extended while it is undecided.
    pub max_cycles: u32,
    /// Requests per cycle, counting every HTTP request of every flow.
    pub requests_per_cycle: u64,
    /// Requests in flight at once.
    pub concurrency: u32,
    /// How requests that begin at a rate are spread over time.
    pub spread: Spread,
    /// Whether a connection carries more than one request.
    pub keep_alive: bool,
    /// Connections that the requests in flight share, with HTTP/2. With HTTP/1.1 each has its own.
    pub http2_connections: u32,
    /// When the server's clock is advanced, if it is.
    pub advance: Option<Advance>,
    /// When the server is restarted, if it is.
    pub restart: Option<Restart>,
    /// What is expected to be found.
    pub expect: Option<Expect>,
    /// What the server may cost under this scenario, at most.
    pub budgets: Budgets,
    /// What somebody claimed before it was measured.
    pub claims: Vec<Claim>,
    /// Text of the scenario with every include resolved, in TOML.
    pub source: String,
    /// Requests begun in a second in a cycle without phases, if not whenever one before is answered.
    pub(crate) rate: Option<Rate>,
    /// What is done once, before the first cycle.
    pub(crate) warm_up: Vec<Phase>,
    /// What each cycle's main stage consists of; its requests in one go if this is empty.
    pub(crate) phases: Vec<Phase>,
    /// The main stage first, then the others by name.
    pub(crate) stages: Vec<Stage>,
}

/// A request kind: a flow of one or more HTTP requests that are sent in order and counted under its name.
#[derive(Debug, Clone)]
pub struct Kind {
    /// Name, `component.what`.
    pub name: String,
    /// Share of the flows relative to the other kinds.
    pub weight: f64,
    pub(crate) flow: Flow,
}

impl Kind {
    /// Whether no answer to it is a success: it goes wrong on purpose.
    #[must_use]
    pub fn is_error_path(&self) -> bool {
        let answers = match (&self.flow.replay, self.flow.steps.last()) {
            (Some(replay), _) => Some(&replay.expect),
            (None, last) => last.map(|step| &step.expect),
        };
        answers.is_some_and(|answers| answers.ok.is_empty() && answers.line.is_empty())
    }
}

/// When the server is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// At the end of every so many cycles, but for the last.
    pub every: u32,
    /// Whether it is killed, instead of being asked to end.
    pub kill: bool,
}

/// Who has the server believe in an advance of the clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockSource {
    /// The probe: the server takes its time from it.
    #[default]
    Probe,
    /// A library that is loaded into the server, which asks the system for the time.
    LibFakeTime,
}

impl ClockSource {
    fn is_probe(&self) -> bool {
        *self == ClockSource::Probe
    }
}

/// When the server's clock is advanced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// By how much.
    pub by: Millis,
    /// At the end of every so many cycles, and at the end of the last.
    pub every: u32,
    /// Who has the server believe in it.
    pub source: ClockSource,
    /// File of libfaketime, where it is not found.
    pub library: Option<PathBuf>,
}

impl Scenario {
    /// Reads a scenario file and what it includes.
    ///
    /// # Errors
    ///
    /// See [`ScenarioError`]. Of several mistakes the first is reported.
    pub fn load(path: &Path) -> Result<Scenario, ScenarioError> {
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        compile::compile(name, &include::read(path)?)
    }

    /// The scenario files of a folder, by name. Files in folders below it are for including and are left out.
    ///
    /// # Errors
    ///
    /// Fails if the folder can't be read.
    pub fn list(folder: &Path) -> Result<Vec<PathBuf>, ScenarioError> {
        let unreadable = |source: io::Error| ScenarioError::Unreadable { path: folder.to_owned(), source };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|extension| extension == "toml") && path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    /// The faults it has, in the order in which its kinds have them: how its clients misbehave, what is done to the
    /// server's data folder.
    #[must_use]
    pub fn faults(&self) -> Vec<&'static str> {
        let mut faults = Vec::new();
        let mut add = |fault: &'static str| {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        };
        for kind in &self.kinds {
            kind.flow.steps.iter().filter_map(|step| step.fault).for_each(|fault| add(fault.word()));
            if kind.flow.replay.is_some() {
                add("replay");
            }
            for action in &self.stages[kind.flow.stage].before {
                match action {
                    Action::Obstruct(_) => add("unwritable"),
                    Action::Fill(_) => add("disk-full"),
                    Action::Forbid(_) => add("forbidden"),
                    Action::Restore(_) | Action::Request(_) => {}
                }
            }
        }
        if self.restart.is_some() {
            add("restart");
        }
        faults
    }

    /// Names of the phases before the first cycle, and of those of each cycle.
    #[must_use]
    pub fn phase_names(&self) -> (Vec<String>, Vec<String>) {
        let names = |phases: &[Phase]| phases.iter().map(|phase| phase.name.clone()).collect();
        (names(&self.warm_up), names(&self.phases))
    }

    /// Variables of the environment that its requests are filled in from, by name.
    #[must_use]
    pub fn variables(&self) -> Vec<&str> {
        let actions = self.stages.iter().flat_map(|stage| stage.before.iter().chain(&stage.after));
        let steps = actions.filter_map(|action| match action {
            Action::Request(step) => Some(step.templates()),
            _ => None,
        });
        let templates = self.kinds.iter().flat_map(|kind| kind.flow.templates()).chain(steps.flatten());
        let mut names: Vec<&str> = templates.flat_map(Template::variables).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Requests before the first cycle.
    #[must_use]
    pub fn warm_up_requests(&self) -> u64 {
        let requests = |phase: &Phase| match phase.work {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it was made from a whole number above zero"
            )]
            Work::Send { amount, .. } => amount as u64,
            Work::Idle(_) => 0,
        };
        self.warm_up.iter().map(requests).sum()
    }

    /// Whether anything is sent at a rate.
    pub(crate) fn has_rates(&self) -> bool {
        let paced = |phase: &Phase| matches!(phase.work, Work::Send { rate: Some(_), .. });
        self.rate.is_some() || self.warm_up.iter().chain(&self.phases).any(paced)
    }

    /// Most requests in flight at once, where a phase says nothing else than `usual`.
    pub(crate) fn most_connections(&self, usual: u32) -> u32 {
        let connections = |phase: &Phase| match phase.work {
            Work::Send { connections, .. } => connections,
            Work::Idle(_) => None,
        };
        self.warm_up.iter().chain(&self.phases).filter_map(connections).fold(usual, u32::max)
    }

    /// Requests of the whole run as planned.
    #[must_use]
    pub fn requests(&self) -> u64 {
        u64::from(self.cycles) * self.requests_per_cycle
    }
}
