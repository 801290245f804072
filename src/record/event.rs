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
        /// Restarts since the process before it in the recording: more than one where those between are not kept.
        #[serde(default = "once", skip_serializing_if = "is_once")]
        times: u32,
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
    /// The recording had become long: each of its cycles is so many of the run's from here on. Where the server is
    /// restarted, those of one process are.
    Folded {
        /// Cycle of the run after which it was.
        after: u32,
        /// Cycles of the run that are one of the recording's, from its start, or that of the process, to its end.
        cycles_each: u32,
    },
    /// The server had counted cohorts before the run; they count as start-up.
    Attached {
        /// Its cohort when the run began.
        cohort: u32,
    },
    /// The run goes on after its driver had ended, while the server ran.
    Resumed {
        /// Cycle it goes on after.
        cycle: u32,
        /// How long no driver was there, in milliseconds.
        gone_ms: u64,
    },
    /// The heap of the tool itself, by the rules that servers are judged by.
    OwnHeap {
        /// Cycle it was last looked at in.
        cycle: u32,
        /// In one word, as of a component.
        verdict: String,
        /// Bytes alive at the end.
        live_bytes: u64,
        /// Growth per 1,000 requests.
        bytes_per_1000_requests: i64,
        /// Lower end of its interval of 95 %.
        low: i64,
        /// Upper end.
        high: i64,
    },
    /// How long the requests took that were answered, all over the run.
    AnswerTimes {
        /// Cycle it ended with.
        cycle: u32,
        /// From the moment a request was sent to its answer.
        from_sent: Percentiles,
        /// How requests arrived, if they did at a rate and not whenever the one before was answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        arrivals: Option<Arrivals>,
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

fn once() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_once(times: &u32) -> bool {
    *times == 1
}

/// Times in microseconds that a share of the requests stays within; known to a tenth of a percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Half of them.
    pub p50_us: u64,
    /// Nine in ten.
    pub p90_us: u64,
    /// 99 in 100.
    pub p99_us: u64,
    /// 999 in 1,000.
    pub p999_us: u64,
    /// All of them.
    pub max_us: u64,
}

/// Requests that arrived at a rate, whether or not those before were answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrivals {
    /// Arrivals asked for in 1,000 seconds.
    pub asked_per_1000_s: u64,
    /// Arrivals in 1,000 seconds while any were due.
    pub came_per_1000_s: u64,
    /// Arrivals.
    pub count: u64,
    /// Those that were sent more than a millisecond after their time, because every connection was taken.
    pub late: u64,
    /// From the moment a request was to be sent to its answer: what was answered late also counts for those that waited
    /// behind it (corrected for coordinated omission).
    pub from_due: Percentiles,
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
