use heapsoak_record::Unit;
use serde::Serialize;

use super::{ComponentVerdict, Growth};

/// The judgement of one non-heap resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResourceJudgement {
    /// Name, e.g. `fds.pipe`.
    pub name: String,
    /// What it counts.
    pub unit: Unit,
    /// What it does. Where the heap was counted, resources in bytes (`rss`, `jemalloc.*`) are shown and never called a
    /// leak.
    pub verdict: ComponentVerdict,
    /// Growth per 1,000 requests of the run.
    pub growth_per_1000_requests: Growth,
    /// Smallest growth per 1,000 requests of the run that would have been called a leak. Never zero.
    pub minimum_detectable_per_1000_requests: f64,
    /// The most there were, when it is bounded.
    pub bound: Option<u64>,
    /// Request kinds whose number explains the growth; empty unless it leaks.
    pub triggered_by: Vec<String>,
    /// Value at each snapshot.
    pub series: Vec<ResourcePoint>,
    /// What the verdict rests on, in sentences.
    pub evidence: Vec<String>,
}

/// A resource at one snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ResourcePoint {
    /// Requests answered by then, all kinds.
    pub requests: u64,
    /// Whether the clock was advanced since the cycle's last request.
    pub after_advance: bool,
    /// The value.
    pub value: u64,
}
