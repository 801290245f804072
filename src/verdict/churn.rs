//! Churn: allocation out of proportion to what is kept.

use crate::cohorts::least_warm_up;
use crate::policy::Policy;
use crate::statistics::{median, rank_correlation, theil_sen};
use crate::timeline::Timeline;
use crate::unit::{Scope, Unit};

/// Fewest cycles with requests of a kind for its allocation to be followed through the run.
const LEAST_CYCLES: usize = 6;

/// A gauge goes along with churn from this rank correlation on.
const ALONG: f64 = 0.6;

/// Allocation per request through the run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Churn {
    /// Bytes per request in the first third after warm-up.
    pub(crate) early: f64,
    /// Bytes per request in the last third.
    pub(crate) late: f64,
    /// Whether it grew through the run by the policy's factor.
    pub(crate) grows: bool,
    /// Whether it is extreme even without growth.
    pub(crate) extreme: bool,
    /// The gauge of the component that rose along, with its first and last value.
    pub(crate) gauge: Option<(String, i64, i64)>,
}

/// Follows the allocation of one request kind in one component. None when it is in proportion.
///
/// Only the policy's least warm-up is left out: while a cache still fills, what is kept can't be judged, but what a
/// request costs against what is kept can.
pub(crate) fn churn(timeline: &Timeline<'_>, unit: &Unit, policy: &Policy) -> Option<Churn> {
    if !matches!(unit.scope, Scope::Kind(_)) {
        return None;
    }
    let warm_up = least_warm_up(timeline, policy);
    let mut at = Vec::new();
    let mut rates = Vec::new();
    for span in warm_up + 1..timeline.spans.len() {
        let exposed = unit.exposure(timeline, span);
        if exposed > 0.0 {
            let (before, now) = (timeline.spans[span - 1].born, timeline.spans[span].born);
            let made = unit.states[now].allocated_bytes - unit.states[before].allocated_bytes;
            at.push(now);
            rates.push(made / exposed);
        }
    }
    if rates.len() < LEAST_CYCLES {
        return None;
    }
    let third = rates.len() / 3;
    let (early, late) = (median(&rates[..third]), median(&rates[rates.len() - third..]));
    let requests: Vec<f64> = at.iter().map(|&index| timeline.instants[index].requests).collect();
    let grows = theil_sen(&requests, &rates)?.low > 0.0
        && late >= policy.churn_factor * early
        && late >= policy.least_growing_churn;
    let extreme = late >= policy.extreme_churn;
    (grows || extreme).then(|| Churn {
        early,
        late,
        grows,
        extreme,
        gauge: if grows { gauge_along(timeline, unit, &at, &rates) } else { None },
    })
}

/// The gauge of the unit's component that rose most like the rates did.
fn gauge_along(
    timeline: &Timeline<'_>,
    unit: &Unit,
    at: &[usize],
    rates: &[f64],
) -> Option<(String, i64, i64)> {
    let prefix = format!("{}.", unit.component);
    let value = |index: usize, name: &str| {
        timeline.snapshots[index]
            .gauges
            .iter()
            .find(|gauge| gauge.name == name)
            .map_or(0, |gauge| gauge.value)
    };
    let last = *at.last()?;
    timeline.snapshots[last]
        .gauges
        .iter()
        .filter(|gauge| gauge.name.starts_with(&prefix) && !gauge.busy)
        .map(|gauge| {
            let values: Vec<f64> = at.iter().map(|&index| value(index, &gauge.name) as f64).collect();
            (rank_correlation(&values, rates), gauge)
        })
        .filter(|(along, gauge)| *along >= ALONG && gauge.value > value(at[0], &gauge.name))
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.name.cmp(&a.1.name)))
        .map(|(_, gauge)| (gauge.name.clone(), value(at[0], &gauge.name), gauge.value))
}
