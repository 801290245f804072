//! What a subject is asked to do, and what it answers: one JSON object each way.

use serde::{Deserialize, Serialize};

/// What a subject does. Its only argument, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Requests to the server.
    Requests(Requests),
    /// Pairs of an allocation of 64 bytes and its free.
    Pairs(Pairs),
    /// Snapshots while many threads run. The probe alone can.
    Snapshots(Snapshots),
}

/// Requests to the server in this process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// Before the clock starts.
    pub warm_up: u32,
    /// Measured.
    pub requests: u32,
    /// Entries in the server's cache before the first request: what a server holds.
    pub entries: u32,
    /// A new cohort after each so many requests; none when absent. The probe alone can.
    pub cohort_every: Option<u32>,
    /// Whether each request is charged to its kind. The probe alone can.
    pub kinds: bool,
}

/// Pairs of an allocation of 64 bytes and its free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairs {
    /// Threads that do it at once.
    pub threads: u32,
    /// Pairs of each thread.
    pub pairs: u32,
}

/// Snapshots while threads run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshots {
    /// Contexts that hold memory.
    pub contexts: u32,
    /// Cohorts in which each of them does.
    pub cohorts: u32,
    /// Threads that allocated it, and that go on.
    pub threads: u32,
    /// Snapshots taken.
    pub snapshots: u32,
}

/// What a subject measured. Its only output, as JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// CPU time of the process for one request, one pair or one snapshot, in nanoseconds.
    pub cpu_ns: f64,
    /// Wall time of the same; the median for snapshots.
    pub wall_ns: f64,
    /// Resident memory when the work is done and its data still alive, in KiB.
    pub resident_kib: u64,
    /// The most that was resident, in KiB.
    pub peak_kib: u64,
    /// Allocations in one request, where the subject counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocations: Option<f64>,
    /// Frees in one request, where the subject counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frees: Option<f64>,
}
