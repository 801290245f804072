use heapsoak_record::Claim;
use serde::Serialize;

use super::{ComponentVerdict, Growth};

/// A claim beside what was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClaimJudgement {
    /// The claim.
    pub claim: Claim,
    /// What the component turned out to do; none when it was not in the run.
    pub verdict: Option<ComponentVerdict>,
    /// Growth in bytes per 1,000 requests to the component (the claim's unit); none when it was not in the run.
    pub measured_bytes_per_1000_requests: Option<Growth>,
    /// The most it holds, when it is bounded.
    pub bound_bytes: Option<u64>,
    /// Whether the claim holds.
    pub answer: Answer,
    /// Why, in a sentence.
    pub because: String,
}

/// Whether a claim holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// As claimed, within a factor of two.
    Right,
    /// Not so: what was said to grow for ever does not, or the other way round.
    Wrong,
    /// It grows, by more than twice what was claimed, or takes more than bytes.
    Understated,
    /// It grows, by less than half of what was claimed.
    Overstated,
    /// The run says nothing about it.
    NotMeasured,
}

impl Answer {
    /// The word of the published contract.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Answer::Right => "right",
            Answer::Wrong => "wrong",
            Answer::Understated => "understated",
            Answer::Overstated => "overstated",
            Answer::NotMeasured => "not-measured",
        }
    }
}
