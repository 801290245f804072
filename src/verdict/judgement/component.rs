use serde::{Deserialize, Serialize};

use super::Growth;

/// What a component does with its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentVerdict {
    /// Old cohorts keep a steady rest: growth that does not stop.
    Leak,
    /// Grew and levelled, or turns over; the bound is stated.
    Bounded,
    /// Did not grow beyond what this run can detect.
    Stable,
    /// The run was too short to tell.
    Inconclusive,
}

impl ComponentVerdict {
    /// The word of the published contract.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            ComponentVerdict::Leak => "leak",
            ComponentVerdict::Bounded => "bounded",
            ComponentVerdict::Stable => "stable",
            ComponentVerdict::Inconclusive => "inconclusive",
        }
    }
}

/// The judgement of one component.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComponentJudgement {
    /// Name: the innermost of the component path.
    pub name: String,
    /// What it does with its memory.
    pub verdict: ComponentVerdict,
    /// Growth in bytes per 1,000 requests of the run (all kinds together, with the run's mix).
    pub growth_bytes_per_1000_requests: Growth,
    /// Smallest growth per 1,000 requests of the run that would have been called a leak. Never zero.
    pub minimum_detectable_bytes_per_1000_requests: f64,
    /// The most it holds, when it is bounded.
    pub bound_bytes: Option<u64>,
    /// How long memory lives in the server's clock before time frees it, when time frees it.
    pub lifetime_ms: Option<u64>,
    /// Live bytes at the quiet points.
    pub live_bytes: Live,
    /// Bytes allocated per request of the run, after warm-up.
    pub allocated_bytes_per_request: f64,
    /// Blocks allocated per request of the run, after warm-up.
    pub allocations_per_request: f64,
    /// Live bytes and churn at each snapshot.
    pub series: Vec<Point>,
    /// What is alive of each cohort at the last snapshot judged, oldest first.
    pub survivors: Vec<CohortSurvivors>,
    /// Its request kinds; the entry without a kind is what no request asked for.
    pub kinds: Vec<KindJudgement>,
    /// What the verdict rests on, in sentences.
    pub evidence: Vec<String>,
}

/// Live bytes at the quiet points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Live {
    /// At the first snapshot.
    pub start: u64,
    /// At the last one.
    pub end: u64,
    /// The most at any.
    pub peak: u64,
}

/// One snapshot of a component.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Requests answered by then, all kinds.
    pub requests: u64,
    /// Real time by then, in milliseconds.
    pub elapsed_ms: u64,
    /// The server's clock by then, in milliseconds.
    pub clock_ms: u64,
    /// Whether the clock was advanced since the cycle's last request.
    pub after_advance: bool,
    /// Bytes alive.
    pub live_bytes: u64,
    /// Bytes allocated per request of the component since the last snapshot that followed requests; none when
    /// there were no requests of its kinds.
    pub allocated_bytes_per_request: Option<f64>,
}

/// What is alive of one cohort.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CohortSurvivors {
    /// Number of the cohort: the cycle whose requests allocated it; 0 is start-up.
    pub cohort: u32,
    /// Requests answered in it.
    pub requests: u64,
    /// Bytes alive.
    pub live_bytes: u64,
    /// Blocks alive.
    pub live_blocks: u64,
    /// Whether the cohort was judged: past warm-up, and old enough for its memory to have been freed.
    pub judged: bool,
}

/// The judgement of one request kind within a component.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindJudgement {
    /// Request kind; none for work no request asked for.
    pub kind: Option<String>,
    /// What the component does with the memory of this kind.
    pub verdict: ComponentVerdict,
    /// Requests of this kind in the run.
    pub requests: u64,
    /// Growth in bytes per 1,000 requests of the run.
    pub growth_bytes_per_1000_requests: Growth,
    /// Growth in bytes per 1,000 requests of this kind; none without requests of it.
    pub growth_bytes_per_1000_triggering_requests: Option<Growth>,
    /// Smallest growth per 1,000 requests of the run that would have been called a leak. Never zero.
    pub minimum_detectable_bytes_per_1000_requests: f64,
    /// The most it holds, when it is bounded.
    pub bound_bytes: Option<u64>,
    /// Bytes alive at the end.
    pub live_bytes: u64,
    /// Bytes allocated per request of this kind, after warm-up; none without requests of it.
    pub allocated_bytes_per_request: Option<f64>,
    /// What the verdict rests on, in sentences.
    pub evidence: Vec<String>,
}
