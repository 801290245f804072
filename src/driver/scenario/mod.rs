//! Scenario files: what is asked of a server, how often, and what is expected to be found.

mod compile;
mod duration;
mod expect;
mod file;
mod flow;
mod include;
mod problem;
mod schema;
mod target;

use std::path::{Path, PathBuf};
use std::{fs, io};

use heapsoak_record::{Budgets, Claim};

pub use duration::{DurationError, Millis};
pub use expect::{
    ClaimAnswer, Expect, ExpectedComponent, ExpectedFinding, OneOf, Pattern, RunVerdict, Severity,
    UnitVerdict, Vocabulary,
};
pub(crate) use flow::{Action, Answers, Fault, Flow, Replay, Sign, Stage, Step};
pub use problem::{Problem, ScenarioError};
pub use schema::scenario_schema;
pub use target::{OwnServer, ServerSource, TargetSpec, check_url, split_command};

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
    /// When the server's clock is advanced, if it is.
    pub advance: Option<Advance>,
    /// What is expected to be found.
    pub expect: Option<Expect>,
    /// What the server may cost under this scenario, at most.
    pub budgets: Budgets,
    /// What somebody claimed before it was measured.
    pub claims: Vec<Claim>,
    /// Text of the scenario with every include resolved, in TOML.
    pub source: String,
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

/// When the server's clock is advanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advance {
    /// By how much.
    pub by: Millis,
    /// At the end of every so many cycles, and at the end of the last.
    pub every: u32,
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

    /// Requests of the whole run as planned.
    #[must_use]
    pub fn requests(&self) -> u64 {
        u64::from(self.cycles) * self.requests_per_cycle
    }
}
