use serde::{Deserialize, Serialize};

/// A non-heap resource of the server's process at a snapshot.
///
/// Names in use: `fds.socket`, `fds.pipe`, `fds.file`, `fds.other`, `threads`, `tokio.tasks`, `children`, `zombies`
/// (counts); `rss`, `jemalloc.allocated`, `jemalloc.active`, `jemalloc.resident`, `jemalloc.retained`,
/// `jemalloc.rounding` (bytes); `memory.files`, `memory.stacks`, `memory.c-heap`, `memory.probe`, `memory.heap` (bytes:
/// what `rss` is made of, by the system's books).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What is counted.
    pub name: String,
    /// How many, or how many bytes.
    pub value: u64,
    /// What `value` counts.
    pub unit: Unit,
}

/// Unit of a [`Resource`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Things: descriptors, threads, tasks, processes.
    Count,
    /// Bytes.
    Bytes,
}

/// A gauge the server registered with the probe, e.g. `cache.entries`.
///
/// The part of the name before the first dot is the component it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gauge {
    /// Name as registered.
    pub name: String,
    /// Value at the snapshot.
    pub value: i64,
    /// Whether the gauge counts work under way: a server is at rest only when all of these are zero.
    pub busy: bool,
}
