use serde::{Deserialize, Serialize};

/// Version of the recording's format. A reader refuses a higher one, naming both, and reads every lower one.
///
/// Version 2 has lines with [stacks](crate::Stacks), version 3 events of phases, restarts and faked clocks.
pub const FORMAT_VERSION: u32 = 3;

/// What a run is, written before its first request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT_VERSION`] of the writer.
    pub format_version: u32,
    /// Version of the tool that recorded.
    pub tool_version: String,
    /// Start of the run, milliseconds since the Unix epoch.
    pub started_unix_ms: u64,
    /// Name of the scenario.
    pub scenario: String,
    /// One sentence on what the scenario exercises.
    pub description: String,
    /// Text of the scenario with every include resolved (TOML), so that the run can be repeated from its recording.
    pub scenario_source: String,
    /// Seed the requests were drawn with.
    pub seed: u64,
    /// The server under test.
    pub target: Target,
    /// What was planned.
    pub plan: Plan,
    /// Request kinds, in the order of [`Snapshot::kinds`](crate::Snapshot::kinds).
    pub kinds: Vec<Kind>,
    /// What somebody claimed about this server before it was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// What the run, by its nature, can't see, in sentences.
    #[serde(default)]
    pub not_analysed: Vec<String>,
}

/// The server under test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Name for people, e.g. `autopilot (as found: session.tool-ids)`.
    pub name: String,
    /// Program and arguments it was started with; empty when it was not started by the tool.
    pub command: Vec<String>,
    /// Process id.
    pub pid: u32,
    /// Defects switched on in the built-in server.
    #[serde(default)]
    pub as_found: Vec<String>,
    /// Memory limit the server's cgroup sets, in bytes; none when unlimited or unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
}

/// What a run was asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Cycles: requests, rest, snapshot.
    pub cycles: u32,
    /// Up to how many cycles the run may be extended while it is undecided.
    pub max_cycles: u32,
    /// Requests per cycle.
    pub requests_per_cycle: u64,
    /// Requests in flight at once.
    pub concurrency: u32,
}

/// A request kind of the scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kind {
    /// Name, `component.what`, e.g. `cache.miss`.
    pub name: String,
    /// Share of the requests relative to the other kinds.
    pub weight: f64,
}

/// A cost somebody stated before it was measured (from reading code, from a review).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// Component it is about.
    pub component: String,
    /// The claim in its author's words.
    pub says: String,
    /// Growth claimed, bytes per 1,000 requests to the component.
    pub bytes_per_1000_requests: u64,
    /// Whether the growth was claimed to go on for ever.
    pub unbounded: bool,
}
