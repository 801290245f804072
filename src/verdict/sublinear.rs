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
    // Bytes as the judged cohorts keep them: without the steps of containers, and without what start-up holds.
    power(&kept, rest.kept.rate.estimate * rest.exposure / rest.blocks.max(1.0))
}

/// The power that blocks of so many bytes go with: `kept` has the blocks kept of the first so many requests.
fn power(kept: &[(f64, f64)], block: f64) -> Option<Sublinear> {
    let end = kept.last()?.0;
    let marks: Vec<f64> =
        (0..=DOUBLINGS).rev().map(|halvings| kept_after(kept, end / 2.0_f64.powi(halvings as i32))).collect();
    if marks[0] <= 0.0 || marks.windows(2).any(|pair| pair[1] - pair[0] < LEAST_BLOCKS) {
        return None;
    }
    let exponents: Vec<f64> = marks.windows(2).map(|pair| (pair[1] / pair[0]).log2()).collect();
    let (first, exponent) = (*exponents.first()?, *exponents.last()?);
    let lasts = exponent >= LEAST_KEPT * first && exponent >= LEAST_EXPONENT && first <= MOST_EXPONENT;
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
        assert_eq!(kept_after(&kept, 500.0), 90.0);
        assert_eq!(kept_after(&[(0.0, 0.0), (100.0, 10.0), (100.0, 25.0)], 200.0), 25.0);
        assert_eq!(kept_after(&[(50.0, 7.0), (150.0, 9.0)], 50.0), 7.0);
    }

    /// What is kept after each thousand of so many requests, of `all` in the end, with a power of them.
    fn kept(exponent: f64, all: f64) -> Vec<(f64, f64)> {
        (0..=16).map(|at| (1000.0 * f64::from(at), all * (f64::from(at) / 16.0).powf(exponent))).collect()
    }

    #[test]
    fn a_square_root_is_found_with_what_it_will_have_left_after_twice_the_requests() {
        // 4,000 blocks of 50 bytes in 16,000 requests: 12.5 bytes a request, half of that in the end. In the last doubling
        // 1,171.6 blocks came, whose deviation is 2.9 %, and twice that the error.
        let found = power(&kept(0.5, 4000.0), 50.0).unwrap();
        assert!((found.exponent - 0.5).abs() < 1e-12, "{found:?}");
        let error = 2.0 / (4000.0_f64 * (1.0 - 0.5_f64.sqrt())).sqrt();
        let Growth { estimate, low, high } = found.grown;
        assert!((estimate - 6.25).abs() < 1e-9, "{found:?}");
        assert!((low - 6.25 * 0.5_f64.sqrt() * (1.0 - error)).abs() < 1e-9, "{found:?}");
        assert!((high - 12.5 * (1.0 + error)).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_power_is_one_between_a_quarter_and_85_hundredths_that_does_not_fall() {
        let is_one = |exponent| power(&kept(exponent, 10_000.0), 50.0).is_some();
        assert!(!is_one(0.24) && is_one(0.26) && is_one(0.84) && !is_one(0.86));
        // From a power of 0.8 it may fall to 0.64, and not to 0.6.
        let falling = |last: f64| {
            let marks = [0.0, 1.0, 2.0, 4.0, 8.0].map(|requests: f64| 1000.0 * requests);
            let powers = [0.0, 1.0, 2.0_f64.powf(0.8), 2.0_f64.powf(1.5), 2.0_f64.powf(1.5 + last)];
            power(&marks.into_iter().zip(powers.map(|kept| 1000.0 * kept)).collect::<Vec<_>>(), 1.0).is_some()
        };
        assert!(falling(0.65) && !falling(0.63));
        assert!(power(&[(0.0, 0.0), (16_000.0, 0.0)], 50.0).is_none());
        assert!(power(&[], 50.0).is_none());
    }

    #[test]
    fn doublings_of_fewer_than_a_hundred_blocks_are_chance() {
        // From an eighth to a quarter of the requests a square root brings 14.6 % of all.
        assert!(power(&kept(0.5, 690.0), 50.0).is_some() && power(&kept(0.5, 680.0), 50.0).is_none());
        // Just a hundred in the first of them.
        let hundred = [(0.0, 0.0), (1.0, 150.0), (2.0, 250.0), (4.0, 410.0), (8.0, 700.0)];
        assert!(power(&hundred, 1.0).is_some());
    }
}
