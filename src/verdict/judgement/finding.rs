use serde::Serialize;

use super::Growth;

/// How bad a finding is.
///
/// By growth per 1,000 requests of the run: *critical* from 10 MB, *high* from 100 KB, *medium* from 10 KB, *low*
/// below (KB and MB are powers of ten). A leak of processes or zombies is always critical, one of descriptors,
/// threads or tasks at least high. What is bounded by time, but holds more than 1 MB, is medium. Churn that grows
/// through the run is medium from 4 KiB a request on, churn that does not from 2 MiB on; any is high from 4 MiB on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Fix it soon.
    Medium,
    /// Fix it before the next release.
    High,
    /// Will take the server down.
    Critical,
}

impl Severity {
    /// The word of the published contract.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// The shape of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// A container that only grows.
    UnboundedGrowth,
    /// Memory that the ordinary paths free, and an error path does not.
    CleanupGap,
    /// Memory that goes along with descriptors, processes or tasks that are never released.
    ResourceLifecycle,
    /// Allocation out of proportion to what is kept.
    Churn,
    /// Memory that time frees, or that time alone makes grow.
    TimeDriven,
}

impl Pattern {
    /// The word of the published contract.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Pattern::UnboundedGrowth => "unbounded-growth",
            Pattern::CleanupGap => "cleanup-gap",
            Pattern::ResourceLifecycle => "resource-lifecycle",
            Pattern::Churn => "churn",
            Pattern::TimeDriven => "time-driven",
        }
    }
}

/// Something to act on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Component it is in; a resource that goes with no component is charged to `unscoped`.
    pub component: String,
    /// Its shape.
    pub pattern: Pattern,
    /// Growth in bytes per 1,000 requests of the run; zero for churn and for what is bounded.
    pub growth_bytes_per_1000_requests: Growth,
    /// What it will have kept after 10,000 requests with the run's mix of kinds.
    pub at_10000_requests_bytes: f64,
    /// Request kinds that trigger it; empty when none does (background).
    pub triggered_by: Vec<String>,
    /// Growth in bytes per 1,000 requests of the kinds that trigger it; none without such kinds.
    pub growth_bytes_per_1000_triggering_requests: Option<Growth>,
    /// Resources that leak with it, e.g. `fds.pipe`; their growth is in [`ResourceJudgement`](super::ResourceJudgement).
    pub resources: Vec<String>,
    /// The most it holds, when it is bounded.
    pub bound_bytes: Option<u64>,
    /// One sentence that says what was found.
    pub summary: String,
    /// What it rests on, in sentences.
    pub evidence: Vec<String>,
    /// What to do about it, in a sentence.
    pub action: String,
}
