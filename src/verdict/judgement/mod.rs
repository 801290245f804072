//! What [`judge`](crate::judge) answers.

mod claim;
mod component;
mod finding;
mod resource;
mod run;

pub use claim::{Answer, ClaimJudgement};
pub use component::{CohortSurvivors, ComponentJudgement, ComponentVerdict, KindJudgement, Live, Point};
pub use finding::{Finding, Pattern, Severity};
pub use resource::{ResourceJudgement, ResourcePoint};
pub use run::{Control, Judgement, OutOfMemory, Quality, Requests, RunVerdict};

use serde::{Deserialize, Serialize};

/// An estimate with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Growth {
    /// Best estimate.
    pub estimate: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Growth {
    /// The same growth in another unit.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Growth {
        Growth { estimate: self.estimate * factor, low: self.low * factor, high: self.high * factor }
    }
}
