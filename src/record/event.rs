use serde::{Deserialize, Serialize};

/// Something that happened between two snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Event {
    /// The server's clock was advanced.
    ClockAdvanced {
        /// Cycle it happened in.
        cycle: u32,
        /// By how much, in milliseconds.
        by_ms: u64,
    },
    /// A request was not answered as its kind expects. The first few of each kind are recorded.
    RequestFailed {
        /// Cycle it happened in.
        cycle: u32,
        /// Request kind.
        kind: String,
        /// What came instead.
        got: String,
        /// What the kind expects.
        expected: String,
    },
    /// The server did not come to rest in time before a snapshot.
    NotQuiet {
        /// Cycle it happened in.
        cycle: u32,
        /// What was still busy.
        busy: String,
    },
    /// The run was made longer because its verdict was undecided.
    Extended {
        /// Cycle it happened after.
        cycle: u32,
        /// Cycles now planned.
        cycles: u32,
        /// Why.
        why: String,
    },
    /// The server takes its time from a library that was loaded into it.
    ClockFaked {
        /// Cycle from which on; 0 for the whole run.
        cycle: u32,
        /// File of the library.
        library: String,
    },
    /// The server was stopped and started again. Its next snapshot is a baseline, with counters that began anew.
    Restarted {
        /// Cycle after which.
        cycle: u32,
        /// Process of the server that was started.
        pid: u32,
        /// How the old one was ended: asked to (SIGTERM), or killed.
        killed: bool,
        /// Time from the signal until the new one was ready, in milliseconds.
        took_ms: u64,
    },
    /// A phase of a cycle is over.
    PhaseDone {
        /// Cycle it is part of; 0 for what is done before the first.
        cycle: u32,
        /// Name of the phase.
        phase: String,
        /// Requests answered in it; none in an idle phase.
        requests: u64,
        /// Requests in flight at once, at most; 0 in an idle phase.
        connections: u32,
        /// Real time it took, in milliseconds.
        took_ms: u64,
    },
    /// The positive control: the probe was asked to leak so much in this cycle.
    ControlPlanted {
        /// Cycle whose memory it is part of.
        cycle: u32,
        /// Blocks that are never freed.
        blocks: u64,
        /// Their bytes, all together.
        bytes: u64,
    },
    /// The positive control could not be planted: nothing shows that this run would have found a leak.
    ControlMissing {
        /// Cycle it was first wanted in.
        cycle: u32,
        /// Why.
        why: String,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// How.
    pub outcome: Outcome,
    /// Real time since the target was ready, in milliseconds.
    pub elapsed_ms: u64,
    /// Requests answered.
    pub requests: u64,
}

/// Outcome of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum Outcome {
    /// All cycles done.
    Completed,
    /// The target ended before the run did.
    TargetDied {
        /// Exit status or signal, in words.
        status: String,
        /// The last lines it wrote to stderr.
        stderr: String,
    },
    /// The user stopped the run.
    Interrupted,
    /// The run could not go on for another reason.
    Failed {
        /// The reason.
        why: String,
    },
}
