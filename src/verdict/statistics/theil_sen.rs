use statrs::distribution::{ContinuousCDF, Normal};

use super::mann_kendall::variance_of_s;
use super::median::median;
use crate::judgement::Growth;

/// The slope of `y` over `x` as the median of the slopes of all pairs (Theil, 1950; Sen, 1968), with Sen's 95 %
/// interval. Up to 29 % of the points may be anything.
///
/// None with fewer than two different `x`.
pub(crate) fn theil_sen(x: &[f64], y: &[f64]) -> Option<Growth> {
    let mut slopes = Vec::new();
    for later in 1..x.len().min(y.len()) {
        for earlier in 0..later {
            if x[later] != x[earlier] {
                slopes.push((y[later] - y[earlier]) / (x[later] - x[earlier]));
            }
        }
    }
    if slopes.is_empty() {
        return None;
    }
    slopes.sort_by(f64::total_cmp);
    let normal = Normal::new(0.0, 1.0).expect("the standard normal distribution exists");
    let reach = normal.inverse_cdf(0.975) * variance_of_s(y).sqrt();
    let count = slopes.len() as f64;
    let last = slopes.len() - 1;
    // Ranks from 1: the interval runs from the M1-th to the (M2 + 1)-th smallest slope.
    let low = (((count - reach) / 2.0).floor().max(1.0) as usize - 1).min(last);
    let high = (((count + reach) / 2.0).ceil().max(0.0) as usize).min(last);
    Some(Growth { estimate: median(&slopes), low: slopes[low], high: slopes[high] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_has_its_slope() {
        let x: Vec<f64> = (0..12).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 3.0 * x + 7.0).collect();
        assert_eq!(theil_sen(&x, &y), Some(Growth { estimate: 3.0, low: 3.0, high: 3.0 }));
    }

    #[test]
    fn a_quarter_of_wild_points_does_not_move_the_slope() {
        let x: Vec<f64> = (0..20).map(f64::from).collect();
        let mut y: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
        for wild in [3, 8, 12, 17] {
            y[wild] += 1e6;
        }
        let slope = theil_sen(&x, &y).unwrap();
        assert!((slope.estimate - 2.0).abs() < 1e-9, "{slope:?}");
    }

    #[test]
    fn the_interval_agrees_with_a_published_example() {
        // Gilbert, Statistical Methods for Environmental Pollution Monitoring (1987), example 16.2 has no ties and
        // a variance of S of n(n-1)(2n+5)/18 = 28.33 for n = 6: ranks 2 and 14 of the 15 slopes.
        let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let y = [1.0, 3.0, 2.0, 6.0, 5.0, 9.0];
        let mut slopes: Vec<f64> = Vec::new();
        for later in 1..6 {
            for earlier in 0..later {
                slopes.push((y[later] - y[earlier]) / (x[later] - x[earlier]));
            }
        }
        slopes.sort_by(f64::total_cmp);
        let slope = theil_sen(&x, &y).unwrap();
        // (15 - 1.96 * 5.323) / 2 = 2.28 and (15 + 10.43) / 2 + 1 = 13.7.
        assert_eq!((slope.low, slope.high), (slopes[1], slopes[13]));
    }

    #[test]
    fn points_at_one_x_have_no_slope() {
        assert_eq!(theil_sen(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(theil_sen(&[], &[]), None);
    }

    #[test]
    fn a_few_points_have_an_interval_from_the_least_slope_to_the_greatest() {
        // Slopes 0, 1/2, 1, 4/3, 3/2, 3; one tie: a variance of (4 * 3 * 13 - 2 * 1 * 9) / 18, so ranks 0.3 and 5.7.
        let slope = theil_sen(&[0.0, 1.0, 2.0, 3.0], &[0.0, 1.0, 1.0, 4.0]).unwrap();
        assert!((slope.estimate - 7.0 / 6.0).abs() < 1e-12, "{slope:?}");
        assert_eq!((slope.low, slope.high), (0.0, 3.0));
        // Two points have one slope, whatever the ranks; a third at an x of its own has two more.
        assert_eq!(theil_sen(&[1.0, 3.0], &[1.0, 5.0]), Some(Growth { estimate: 2.0, low: 2.0, high: 2.0 }));
        let shared = theil_sen(&[1.0, 1.0, 3.0], &[1.0, 2.0, 5.0]).unwrap();
        assert_eq!((shared.estimate, shared.low, shared.high), (1.75, 1.5, 2.0));
        assert_eq!(theil_sen(&[1.0, 3.0, 4.0], &[1.0, 5.0]).map(|slope| slope.estimate), Some(2.0));
    }
}
