//! Growth of old blocks: a container that grows by `realloc` keeps the cohort its block was born in, so no cohort
//! but one shows it. Where a span holds as many blocks as before and more bytes, its blocks grew.

use crate::policy::Policy;
use crate::statistics::{MeanRate, mean_rate};
use crate::timeline::Timeline;
use crate::unit::Unit;

/// Growth in place needs more steps than a doubling container makes in a run.
const LEAST_STEPS: usize = 6;

/// How much old blocks grew.
#[derive(Debug, Clone)]
pub(crate) struct InPlace {
    /// Bytes per request, after warm-up.
    pub(crate) grown: MeanRate,
    /// Cycles after warm-up in which old blocks grew.
    pub(crate) steps: usize,
    /// Cycles after warm-up.
    pub(crate) cycles: usize,
    /// Whether they grew in nearly every cycle, and in the last third no less than half as much as in the first.
    pub(crate) steady: bool,
}

/// Measures the growth of old blocks cycle by cycle.
pub(crate) fn in_place(timeline: &Timeline<'_>, unit: &Unit, warm_up: usize, policy: &Policy) -> InPlace {
    let mut amounts = Vec::new();
    let mut exposures = Vec::new();
    for span in warm_up.max(1) + 1..timeline.spans.len() {
        let (before, now) = (timeline.spans[span - 1].born, timeline.spans[span].born);
        let exposed = unit.exposure(timeline, span);
        if exposed <= 0.0 {
            continue;
        }
        let grown: f64 = unit.states[before]
            .cells()
            .map(|(old, then)| (then, unit.states[now].held(old)))
            .filter(|(then, now)| then.blocks > 0.0 && then.blocks == now.blocks)
            .map(|(then, now)| now.bytes - then.bytes)
            .sum();
        amounts.push(grown);
        exposures.push(exposed);
    }
    let steps = amounts.iter().filter(|&&grown| grown > 0.0).count();
    let third = amounts.len().div_ceil(3);
    let sum = |values: &[f64]| values.iter().sum::<f64>();
    let (first, last) = (sum(&amounts[..third]), sum(&amounts[amounts.len() - third..]));
    let steady = steps >= LEAST_STEPS
        && steps as f64 >= policy.least_keeping * amounts.len() as f64
        && last >= 0.5 * first
        && last > 0.0;
    InPlace { grown: mean_rate(&amounts, &exposures, 0.0), steps, cycles: amounts.len(), steady }
}
