//! Growth of old blocks: a container that grows by `realloc` keeps the cohort its block was born in, so no cohort
//! but one shows it. Where a span holds as many blocks as before and more bytes, its blocks grew. Only blocks that
//! still live count: a buffer that is filled and given up grows all the time, and keeps nothing.

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
    /// Where growth is rare, cycles are pooled until each group may be expected to hold some.
    pub(crate) steady: bool,
}

/// Measures the growth of old blocks cycle by cycle.
pub(crate) fn in_place(timeline: &Timeline<'_>, unit: &Unit, warm_up: usize, policy: &Policy) -> InPlace {
    let last = &unit.states[timeline.verdict_instant()];
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
            .map(|(old, then)| (old, then, unit.states[now].held(old)))
            .filter(|(old, then, now)| then.blocks == now.blocks && last.held(*old).blocks == now.blocks)
            .map(|(_, then, now)| now.bytes - then.bytes)
            .sum();
        amounts.push(grown);
        exposures.push(exposed);
    }
    let cycles = amounts.len();
    let steps = amounts.iter().filter(|&&grown| grown > 0.0).count();
    let mut least_steps = LEAST_STEPS;
    if (steps as f64) < policy.least_keeping * cycles as f64 {
        least_steps = (policy.least_groups as f64 * policy.survivors_per_group) as usize;
        let groups = (steps as f64 / policy.survivors_per_group) as usize;
        (amounts, exposures) = pool(&amounts, groups).zip(pool(&exposures, groups)).unzip();
    }
    let growing = amounts.iter().filter(|&&grown| grown > 0.0).count();
    let third = amounts.len().div_ceil(3);
    let sum = |values: &[f64]| values.iter().sum::<f64>();
    let (first, late) = (sum(&amounts[..third]), sum(&amounts[amounts.len() - third..]));
    let steady = steps >= least_steps
        && growing as f64 >= policy.least_keeping * amounts.len() as f64
        && late >= 0.5 * first
        && late > 0.0;
    InPlace { grown: mean_rate(&amounts, &exposures, 0.0), steps, cycles, steady }
}

/// Sums of neighbours, in so many groups of about the same number.
fn pool(values: &[f64], groups: usize) -> impl Iterator<Item = f64> {
    let groups = groups.clamp(1, values.len().max(1));
    (0..groups).map(move |group| {
        let edge = |group: usize| group * values.len() / groups;
        values[edge(group)..edge(group + 1)].iter().sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_keeps_the_sum_and_leaves_no_group_empty() {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        let pooled: Vec<f64> = pool(&values, 4).collect();
        assert_eq!(pooled, [3.0, 12.0, 13.0, 27.0]);
        assert_eq!(pool(&values, 0).collect::<Vec<_>>(), [55.0]);
        assert_eq!(pool(&values, 99).collect::<Vec<_>>(), values);
    }
}
