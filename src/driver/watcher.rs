use std::fmt;
use std::path::Path;
use std::time::Duration;

use heapsoak_record::{Plan, Recording, Snapshot};

/// Follows a run.
pub trait Watcher: Send {
    /// Called several times a second, and whenever the run turns to something else.
    fn progress(&mut self, progress: &Progress);

    /// Called when every planned cycle is done: how many more are wanted? The run is never longer than the scenario's
    /// `max-cycles`.
    fn planned_done(&mut self, recording: &Recording) -> u32;

    /// Called when a snapshot of the server was recorded: no request is in flight.
    fn recorded(&mut self, _snapshot: &Snapshot) {}

    /// Called when the server's profiler has written its profile, or with the reason why there is none. Only if the run
    /// asked for one.
    fn profiled(&mut self, _file: &Path, _result: Result<(), String>) {}
}

/// Watches nothing and wants no more cycles than planned.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Watcher for Silent {
    fn progress(&mut self, _: &Progress) {}

    fn planned_done(&mut self, _: &Recording) -> u32 {
        0
    }
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The cycle under way, from 1; 0 before the first.
    pub cycle: u32,
    /// Cycles planned by now.
    pub cycles: u32,
    /// Requests answered.
    pub done: u64,
    /// Requests planned by now.
    pub planned: u64,
    /// Requests answered per second since the target was ready.
    pub rate: f64,
    /// Real time since the target was ready.
    pub elapsed: Duration,
    /// Median time to an answer, in microseconds.
    pub median_us: u64,
    /// Time to an answer that 99 of 100 requests stay below, in microseconds.
    pub p99_us: u64,
    /// What the run is at.
    pub doing: Doing,
}

/// What a run is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Starting the server.
    Starting,
    /// Sending requests.
    Sending,
    /// Stopping the server and starting it again.
    Restarting,
    /// In a phase that sends nothing.
    Idle,
    /// Waiting for the server to come to rest.
    Resting,
    /// Waiting for the server's profiler to write its profile.
    Profiling,
    /// Ending the server.
    Ending,
}

/// Progress before there is a server.
pub(crate) fn starting(plan: &Plan) -> Progress {
    Progress {
        cycle: 0,
        cycles: plan.cycles,
        done: 0,
        planned: u64::from(plan.cycles) * plan.requests_per_cycle,
        rate: 0.0,
        elapsed: Duration::ZERO,
        median_us: 0,
        p99_us: 0,
        doing: Doing::Starting,
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Doing::Starting => "starting the server",
            Doing::Sending => "sending",
            Doing::Restarting => "restarting the server",
            Doing::Idle => "idle, as the scenario says",
            Doing::Resting => "waiting for rest",
            Doing::Profiling => "writing the profile",
            Doing::Ending => "ending the server",
        })
    }
}
