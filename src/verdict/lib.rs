//! The verdict of heapsoak: a recording in, findings out.
//!
//! Everything here is pure: no clock, no file, no random numbers. The same recording gives the same [`Judgement`]
//! on every machine.

mod judgement;

pub use judgement::{
    Answer, ClaimJudgement, CohortSurvivors, ComponentJudgement, ComponentVerdict, Finding, Growth,
    Judgement, KindJudgement, Live, OutOfMemory, Pattern, Point, Quality, Requests, ResourceJudgement,
    ResourcePoint, RunVerdict, Severity,
};
