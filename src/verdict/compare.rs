//! Two runs of one program, side by side: whether they say different things.

use serde::Serialize;

use crate::judgement::{ComponentVerdict, Growth, Judgement};

/// 99.9 % intervals are this many times as wide as 95 % ones, with a dozen groups behind them. Two runs have many
/// components, and are compared on every change: one in twenty would cry wolf every day.
const WIDER: f64 = 2.0;

/// A component of which two runs say different things.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The component.
    pub component: String,
    /// Growth per 1,000 requests of the later run less that of the earlier one, with a 99.9 % interval.
    pub difference: Growth,
}

/// The components of which two runs say different things, beyond what chance and their detection limits explain: both
/// leak, and the difference shows in a 99.9 % interval; or one leaks by more than the other could have missed.
#[must_use]
pub fn compare(before: &Judgement, after: &Judgement) -> Vec<Difference> {
    let mut names: Vec<&str> = before.components.iter().map(|component| component.name.as_str()).collect();
    names.extend(
        after
            .components
            .iter()
            .map(|component| component.name.as_str())
            .filter(|name| before.component(name).is_none()),
    );
    names.into_iter().filter_map(|name| difference(before, after, name)).collect()
}

fn difference(before: &Judgement, after: &Judgement, name: &str) -> Option<Difference> {
    let arm = |judgement: &Judgement| {
        judgement.component(name).map(|component| {
            let leaks = component.verdict == ComponentVerdict::Leak;
            let growth = if leaks { component.growth_bytes_per_1000_requests } else { Growth::default() };
            let undecided = component.verdict == ComponentVerdict::Inconclusive;
            (leaks, undecided, growth, component.minimum_detectable_bytes_per_1000_requests)
        })
    };
    // What is not there does not grow.
    let absent = (false, false, Growth::default(), 0.0);
    let (first, second) = (arm(before).unwrap_or(absent), arm(after).unwrap_or(absent));
    let ((leaked, was_undecided, then, then_limit), (leaks, is_undecided, now, now_limit)) = (first, second);
    let estimate = now.estimate - then.estimate;
    let below = WIDER * (now.estimate - now.low).hypot(then.high - then.estimate);
    let above = WIDER * (now.high - now.estimate).hypot(then.estimate - then.low);
    let difference = Growth { estimate, low: estimate - below, high: estimate + above };
    let differs = match (leaked, leaks) {
        (true, true) => difference.low > 0.0 || difference.high < 0.0,
        (false, true) => !was_undecided && difference.low > then_limit,
        (true, false) => !is_undecided && difference.high < -now_limit,
        (false, false) => false,
    };
    differs.then(|| Difference { component: name.to_owned(), difference })
}
