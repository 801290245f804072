//! Drives a server through a scenario and collects a recording of what its heap did.
//!
//! A [`Scenario`] is read from a TOML file. [`run`] starts the built-in server as a child process, replays the
//! scenario's requests through it, waits for rest after each cycle, takes a snapshot over the probe's private socket,
//! and appends it to a recording. Whatever ends a run, nothing it started is left behind.

mod capture;
mod clock;
mod control;
mod cycle;
mod data;
mod draft;
mod draw;
mod ended;
mod load;
mod observer;
mod outside;
mod phases;
mod probe;
mod profile;
mod recorder;
mod rest;
mod run;
mod run_error;
mod scenario;
mod soak;
mod target;
mod template;
mod turn;
mod watcher;

pub use draft::{DraftError, DraftSource, draft_scenario};
pub use profile::{Profile, Profiler};
pub use run::{DEFAULT_CONTROL_PER_1000, Run, run};
pub use run_error::RunError;
pub use scenario::{
    Advance, ClaimAnswer, ClockSource, DurationError, Expect, ExpectedComponent, ExpectedFinding, Fault,
    HttpVersion, Kind, Millis, OneOf, OwnServer, Pattern, Problem, Restart, RunVerdict, Scenario,
    ScenarioError, ServerSource, Severity, Spread, TargetSpec, UnitVerdict, Vocabulary, check_url,
    scenario_schema, split_command,
};
pub use target::{Address, AddressError};
pub use template::{Template, TemplateError};
pub use watcher::{Doing, Progress, Silent, Watcher};
