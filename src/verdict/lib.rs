//! The verdict of heapsoak: a recording in, findings out.
//!
//! Everything here is pure: no clock, no file, no random numbers. The same recording gives the same [`Judgement`]
//! on every machine.
//!
//! The unit of analysis is what one component holds for one request kind. Each rule is a file: what old cohorts keep
//! leads; growth of old blocks in place, containers that double, growth that slows down without end and queues that grow
//! are what cohorts alone miss; the level at the quiet points, what time frees, churn, resources and attribution
//! complete the picture. All tests of a run are corrected for their number, and the detection limit is tried out on the
//! recording itself. [`explain`] shows how each piece of evidence weighed.

mod actions;
mod attribution;
mod backlog;
mod churn;
mod claims;
mod cohorts;
mod compare;
mod components;
mod control;
mod decide;
mod doubling;
mod evidence;
mod explain;
mod explanation;
mod findings;
mod in_place;
mod judge;
mod judgement;
mod levels;
mod limit;
mod loaded_again;
mod policy;
mod quality;
mod resources;
mod restarts;
mod severity;
mod statistics;
mod sublinear;
mod time;
mod timeline;
mod unit;
mod words;

pub use compare::{Arm, Subject, difference};
pub use explanation::{Explanation, Piece, Weighs, explain};
pub use judge::{judge, judge_with};
pub use judgement::{
    Answer, ClaimJudgement, CohortSurvivors, ComponentJudgement, ComponentVerdict, Control, Finding, Growth,
    Judgement, KindJudgement, Live, OutOfMemory, Pattern, Point, Quality, Requests, ResourceJudgement,
    ResourcePoint, RunVerdict, Severity,
};
pub use policy::Policy;
