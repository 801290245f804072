//! The protocol of the probe's private socket.
//!
//! The probe listens on the unix socket that `HEAPSOAK_SOCKET` names. A client writes one [`Request`] as a JSON line
//! and reads one [`Response`] as a JSON line; requests are answered in order. Several clients may be connected.

use serde::{Deserialize, Serialize};

use crate::{CaptureRate, Cohort, Gauge, Heap, Resource, Stacks};

/// Version of the protocol. [`Response::Hello`] carries it; a client refuses another one.
pub const PROTOCOL_VERSION: u32 = 1;

/// Environment variable that wakes the probe: the path of the socket to listen on.
pub const SOCKET_VARIABLE: &str = "HEAPSOAK_SOCKET";

/// Environment variable that chooses what the probe does from the start: `exact` (also when not set), `stacks` (every
/// stack of every allocation), `stacks:BYTES` (a stack in so many bytes) or `zoom:COMPONENT` (every stack of one
/// component).
pub const MODE_VARIABLE: &str = "HEAPSOAK_MODE";

/// Environment variable that chooses a profiler to run beside the probe: `dhat` or `jemalloc`.
pub const PROFILER_VARIABLE: &str = "HEAPSOAK_PROFILER";

/// Environment variable that names the file the profiler writes.
pub const PROFILE_VARIABLE: &str = "HEAPSOAK_PROFILE";

/// Header in which the driver tells the server the kind of a request.
pub const KIND_HEADER: &str = "heapsoak-kind";

/// What a client asks of the probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Request {
    /// Who are you?
    Hello,
    /// A few numbers that stand still when the server does. Cheap: meant to be polled.
    Stillness,
    /// Everything, exactly.
    Snapshot,
    /// Start the next cohort: what is allocated from now on is charged to it.
    AdvanceCohort,
    /// Count each allocation from now on, if the server was started to keep a sample.
    CountExactly,
    /// Advance the server's clock; timers due by then fire.
    AdvanceClock {
        /// By how much, in milliseconds.
        by_ms: u64,
    },
    /// Leak on purpose, charged to [`CONTROL_COMPONENT`](crate::CONTROL_COMPONENT): the positive control.
    PlantControl {
        /// Blocks to leak. As many others are allocated beside them, and freed at the next planting.
        blocks: u32,
        /// Bytes of each block.
        block_bytes: u32,
    },
    /// End the profiler that was chosen when the server started, and write its profile. May take a minute.
    WriteProfile,
    /// Capture the call stacks of allocations from now on. Counts of contexts are exact all the same. A rule for one
    /// component goes before the rule for all, and a rule for all forgets those for single ones. Turned off, stacks
    /// captured before keep being counted down.
    CaptureStacks {
        /// The component (innermost of a path); none for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        component: Option<String>,
        /// How many of its allocations.
        rate: CaptureRate,
    },
    /// The stacks captured so far, with what they allocated and what of it is alive.
    Stacks,
}

/// What the probe answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Response {
    /// To [`Request::Hello`].
    Hello {
        /// [`PROTOCOL_VERSION`] of the probe.
        protocol_version: u32,
        /// Version of the probe.
        probe_version: String,
        /// Process id of the server.
        pid: u32,
        /// Memory limit of its cgroup in bytes; none when unlimited or unknown.
        memory_limit_bytes: Option<u64>,
        /// Mean distance in bytes of the samples its heap figures are estimated from; none when they are exact.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sample_interval_bytes: Option<u64>,
    },
    /// To [`Request::CountExactly`]: each allocation is counted from now on.
    CountingExactly,
    /// To [`Request::Stillness`].
    Stillness(Stillness),
    /// To [`Request::Snapshot`].
    Snapshot(Box<ProbeSnapshot>),
    /// To [`Request::AdvanceCohort`]: the cohort that now runs.
    Cohort {
        /// Its number.
        now: Cohort,
    },
    /// To [`Request::AdvanceClock`]: how far the clock has been advanced in all.
    Clock {
        /// Sum of all advances, in milliseconds.
        advanced_ms: u64,
    },
    /// To [`Request::PlantControl`]: what was leaked on purpose so far, in all.
    ControlPlanted {
        /// Blocks.
        blocks: u64,
        /// Bytes.
        bytes: u64,
    },
    /// To [`Request::WriteProfile`]: the profile is written.
    ProfileWritten,
    /// To [`Request::CaptureStacks`]: stacks are captured as asked.
    Capturing,
    /// To [`Request::Stacks`].
    Stacks(Box<Stacks>),
    /// The request could not be carried out.
    Error {
        /// Why, in a sentence.
        message: String,
    },
}

/// Numbers that stand still when the server does. The probe's own work is not in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stillness {
    /// Blocks ever allocated.
    pub allocated_blocks: u64,
    /// Blocks ever freed.
    pub freed_blocks: u64,
    /// Busy gauges above zero.
    pub busy: Vec<Gauge>,
}

/// What the probe knows at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeSnapshot {
    /// Heap counts.
    pub heap: Heap,
    /// Non-heap resources.
    pub resources: Vec<Resource>,
    /// Registered gauges.
    pub gauges: Vec<Gauge>,
    /// Sum of all advances of the clock, in milliseconds.
    pub clock_advanced_ms: u64,
    /// Requests that came through the probe's layer since it counts; none for a server without the layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
}
