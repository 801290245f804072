//! Growth that slows down and does not end.
//!
//! Old cohorts keep less and less per request both where a container fills up and where the number of what is kept goes
//! with a power of the requests (√n, say). On the scale of log(requests) the two differ: what is kept as a power has
//! the same exponent in every doubling of the requests, while towards a bound the exponent falls to zero. Keys drawn
//! at random from so many have the exponent log2(1 + e^-x) from x to 2x requests per key: where it has come down to
//! 0.85 it is below 0.53 two doublings on.

use crate::cohorts::Rest;
use crate::judgement::Growth;
use crate::timeline::Timeline;
use crate::unit::Unit;

/// Doublings looked at.
const DOUBLINGS: usize = 3;

/// The exponent may fall by no more than this factor from the first doubling to the last.
const LEAST_KEPT: f64 = 0.8;

/// An exponent below is as good as none: the logarithm of the requests has it.
const LEAST_EXPONENT: f64 = 0.25;

/// An exponent above in the first doubling may still be that of a bounded set far from full.
const MOST_EXPONENT: f64 = 0.85;

/// Fewest blocks in each doubling: an exponent of fewer is chance.
const LEAST_BLOCKS: f64 = 100.0;

/// Growth as a power of the requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sublinear {
    /// Exponent in the last doubling.
    pub(crate) exponent: f64,
    /// Bytes per request at the end of the run: from what it will be after twice the requests to the mean of the run.
    pub(crate) grown: Growth,
}

/// Looks for growth that slows down and does not end, in what old cohorts keep.
pub(crate) fn sublinear(timeline: &Timeline<'_>, unit: &Unit, rest: &Rest) -> Option<Sublinear> {
    if !rest.settled || !rest.thins_out {
        return None;
    }
    let now = &unit.states[timeline.verdict_instant()];
    let &last = rest.judged.last()?;
    let mut kept = vec![(0.0, 0.0)];
    for span in 1..=last {
        let &(requests, blocks) = kept.last()?;
        kept.push((requests + unit.exposure(timeline, span), blocks + now.held(span).blocks));
    }
    let end = kept.last()?.0;
    let marks: Vec<f64> = (0..=DOUBLINGS)
        .rev()
        .map(|halvings| kept_after(&kept, end / 2.0_f64.powi(halvings as i32)))
        .collect();
    if marks[0] <= 0.0 || marks.windows(2).any(|pair| pair[1] - pair[0] < LEAST_BLOCKS) {
        return None;
    }
    let exponents: Vec<f64> = marks.windows(2).map(|pair| (pair[1] / pair[0]).log2()).collect();
    let (first, exponent) = (*exponents.first()?, *exponents.last()?);
    let lasts = exponent >= LEAST_KEPT * first && exponent >= LEAST_EXPONENT && first <= MOST_EXPONENT;
    // Bytes as the judged cohorts keep them: without the steps of containers, and without what start-up holds.
    let block = rest.kept.rate.estimate * rest.exposure / rest.blocks.max(1.0);
    let mean = marks[DOUBLINGS] / end * block;
    // The exponent's own error: that of two counts.
    let error = (1.0 / (marks[DOUBLINGS] - marks[DOUBLINGS - 1])).sqrt() * 2.0;
    // A rate that falls is no one number: it was the mean of the run, and will be what twice the requests leave of it.
    let at_the_end = exponent * mean;
    lasts.then(|| Sublinear {
        exponent,
        grown: Growth {
            estimate: at_the_end,
            low: at_the_end * 2.0_f64.powf(exponent - 1.0) * (1.0 - error).max(0.0),
            high: mean * (1.0 + error),
        },
    })
}

/// Blocks kept of the first so many requests, in a straight line between the ends of two cohorts.
fn kept_after(kept: &[(f64, f64)], requests: f64) -> f64 {
    let after = kept.partition_point(|(until, _)| *until < requests).clamp(1, kept.len() - 1);
    let ((from, low), (until, high)) = (kept[after - 1], kept[after]);
    if until > from { low + (high - low) * (requests - from) / (until - from) } else { high }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_between_two_cohorts() {
        let kept = [(0.0, 0.0), (100.0, 10.0), (200.0, 30.0)];
        assert_eq!(kept_after(&kept, 50.0), 5.0);
        assert_eq!(kept_after(&kept, 150.0), 20.0);
        assert_eq!(kept_after(&kept, 200.0), 30.0);
    }
}
