//! What may pass: a judged recording, held against budgets, a baseline and suppressions.
//!
//! Everything here is pure. [`gate`] takes a recording, its judgement and [`Rules`], and answers with [`Gated`]: one
//! [`Check`] for each thing that was asked, and the worst [`Outcome`] among them. It fails closed: what the data can't
//! show is never [`Outcome::Passed`].
//!
//! Figures are compared as intervals. A budget or a baseline is exceeded when all of the run's interval lies above it,
//! held when all of it lies below, and undecided in between; then the check says how many more requests it would take.

mod baseline;
mod budget;
mod check;
mod compare;
mod figures;
mod interval;
mod leaks;
mod outcome;
mod quality;
mod rules;
mod suppression;
mod words;

pub use baseline::{Baseline, BaselineError, ScenarioBaseline};
pub use check::Check;
pub use figures::{ComponentFigures, Figures, ResourceFigures};
pub use interval::Interval;
pub use outcome::Outcome;
pub use rules::{Rules, RulesError};
pub use suppression::{Suppression, Suppressions};

/// JSON Schema of `gate.json`, which `heapsoak check` writes.
pub const GATE_SCHEMA: &str = include_str!("schema/gate.schema.json");

use heapsoak_record::{Budgets, Recording};
use heapsoak_verdict::Judgement;

/// A run to be gated.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// What was recorded.
    pub recording: &'a Recording,
    /// What the verdict makes of it.
    pub judgement: &'a Judgement,
    /// What the scenario expects and is not so; none when it expects nothing, so that any leak fails.
    pub unmet: Option<&'a [String]>,
    /// The scenario's own budgets.
    pub budgets: &'a Budgets,
}

/// What the gate says of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Gated {
    /// The worst of the checks.
    pub outcome: Outcome,
    /// Everything that was asked of the run, in the order it was asked.
    pub checks: Vec<Check>,
}

impl Gated {
    fn of(checks: Vec<Check>) -> Gated {
        let outcome = checks.iter().map(|check| check.outcome).max().unwrap_or(Outcome::Passed);
        Gated { outcome, checks }
    }
}

/// Holds a run against everything asked of it. Matches of suppressions are counted in `suppressions`, which are
/// themselves judged after the last run, by [`Suppressions::checks`].
#[must_use]
pub fn gate(
    run: &Run<'_>,
    rules: &Rules,
    baseline: Option<&Baseline>,
    suppressions: &mut Suppressions,
) -> Gated {
    let scenario = &run.recording.header.scenario;
    let figures = Figures::of(run.judgement);
    let mut checks = quality::checks(run, rules.detection_limit);
    checks.extend(leaks::checks(run, suppressions));
    let budgets = rules.budgets(scenario).overlaid(run.budgets);
    checks.extend(budget::checks(&budgets, &figures));
    if let Some(baseline) = baseline {
        checks.extend(compare::checks(baseline.scenario(scenario), scenario, &figures));
    }
    Gated::of(checks)
}
