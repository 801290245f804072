use serde::{Deserialize, Serialize};

use crate::{Gauge, Heap, Resource};

/// The state of the server at a quiet point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Number of the snapshot in its recording, from 0.
    pub sequence: u32,
    /// The cycle it ends, from 1; 0 for the baseline.
    pub cycle: u32,
    /// Where in the cycle it was taken.
    pub moment: Moment,
    /// Real time since the target was ready, in milliseconds.
    pub elapsed_ms: u64,
    /// The server's own clock since the target was ready, in milliseconds: real time and every advance.
    pub clock_ms: u64,
    /// Requests answered since the start, all kinds together.
    pub requests: u64,
    /// Requests since the start by kind, in the order of [`Header::kinds`](crate::Header::kinds).
    pub kinds: Vec<KindCount>,
    /// Whether the server came to rest before the snapshot (nothing in flight, no busy gauge above zero, nothing
    /// allocated or freed between polls).
    pub quiet: bool,
    /// How long the driver waited for rest, in milliseconds.
    pub waited_ms: u64,
    /// Heap counts; none for a target without the probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heap: Option<Heap>,
    /// Non-heap resources.
    #[serde(default)]
    pub resources: Vec<Resource>,
    /// Gauges the server registered.
    #[serde(default)]
    pub gauges: Vec<Gauge>,
}

impl Snapshot {
    /// The value of a resource by its name.
    #[must_use]
    pub fn resource(&self, name: &str) -> Option<u64> {
        self.resources.iter().find(|resource| resource.name == name).map(|resource| resource.value)
    }
}

/// Where in its cycle a snapshot was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Before the first request, and before the first one after a restart of the server.
    Baseline,
    /// After the requests of a cycle, at rest.
    CycleEnd,
    /// After the clock was advanced at the end of a cycle, at rest again. No request was sent since the cycle's
    /// [`CycleEnd`](Moment::CycleEnd): what was freed in between, time freed.
    AfterAdvance,
}

/// Requests of one kind since the start. Written as `[sent, ok, expected_errors, failed]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64, u64, u64)", into = "(u64, u64, u64, u64)")]
pub struct KindCount {
    /// Requests sent.
    pub sent: u64,
    /// Answered with success, as the kind expects.
    pub ok: u64,
    /// Answered with an error, as the kind expects (an error path on purpose).
    pub expected_errors: u64,
    /// Not answered as the kind expects.
    pub failed: u64,
}

impl From<(u64, u64, u64, u64)> for KindCount {
    fn from((sent, ok, expected_errors, failed): (u64, u64, u64, u64)) -> Self {
        KindCount { sent, ok, expected_errors, failed }
    }
}

impl From<KindCount> for (u64, u64, u64, u64) {
    fn from(count: KindCount) -> Self {
        (count.sent, count.ok, count.expected_errors, count.failed)
    }
}

impl std::ops::Add for KindCount {
    type Output = KindCount;

    fn add(self, other: KindCount) -> KindCount {
        KindCount {
            sent: self.sent + other.sent,
            ok: self.ok + other.ok,
            expected_errors: self.expected_errors + other.expected_errors,
            failed: self.failed + other.failed,
        }
    }
}

impl std::iter::Sum for KindCount {
    fn sum<I: Iterator<Item = KindCount>>(counts: I) -> KindCount {
        counts.fold(KindCount::default(), std::ops::Add::add)
    }
}
