use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::median::median;
use crate::judgement::Growth;

/// How strongly neighbours may be taken to depend on each other. With the twenty or so groups of an ordinary run
/// the estimate of the correlation is itself noisy; beyond 0.6 it would leave fewer than a quarter of the groups.
const MOST_CORRELATION: f64 = 0.6;

/// With fewer groups the correlation of neighbours can't be estimated: its own deviation would be above a quarter, and it
/// could leave fewer than four of them, with which no interval is of use.
const LEAST_FOR_CORRELATION: usize = 16;

/// A rate with its interval and the chance that there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MeanRate {
    /// Estimate and 95 % interval.
    pub(crate) rate: Growth,
    /// Standard error of the estimate.
    pub(crate) standard_error: f64,
    /// Width of the 95 % interval on one side, in standard errors.
    pub(crate) quantile: f64,
    /// One-sided chance of such an estimate if the true rate were zero.
    pub(crate) p: f64,
}

/// Amount per unit of exposure over groups: the ratio estimator (Cochran, *Sampling Techniques*, 1977, ch. 6) with a
/// Student interval, the number of groups reduced for the correlation of neighbours at lag one (Bayley and
/// Hammersley, 1946).
///
/// `least_error` is an error the data can't show, like the grain of the amounts; it is added in squares.
pub(crate) fn mean_rate(amounts: &[f64], exposures: &[f64], least_error: f64) -> MeanRate {
    let exposure: f64 = exposures.iter().sum();
    let count = amounts.len().min(exposures.len());
    if count == 0 || exposure <= 0.0 {
        let none = Growth::default();
        return MeanRate { rate: none, standard_error: 0.0, quantile: 0.0, p: 1.0 };
    }
    let estimate = amounts.iter().sum::<f64>() / exposure;
    let residuals: Vec<f64> =
        amounts.iter().zip(exposures).map(|(amount, exposed)| amount - estimate * exposed).collect();
    let squares: f64 = residuals.iter().map(|residual| residual * residual).sum();
    // What is left of equal amounts is rounding, not spread.
    let rounding = 1e-20 * amounts.iter().map(|amount| amount * amount).sum::<f64>();
    let squares = if squares <= rounding { 0.0 } else { squares };
    let effective = effective_count(&residuals, squares);
    let freedom = (effective - 1.0).max(1.0);
    let n = count as f64;
    let spread =
        if count > 1 { (squares / (n - 1.0) / effective).sqrt() / (exposure / n) } else { estimate.abs() };
    let standard_error = spread.hypot(least_error);
    let (quantile, p) = student(freedom, estimate, standard_error);
    let reach = quantile * standard_error;
    MeanRate {
        rate: Growth { estimate, low: estimate - reach, high: estimate + reach },
        standard_error,
        quantile,
        p,
    }
}

fn effective_count(residuals: &[f64], squares: f64) -> f64 {
    let n = residuals.len() as f64;
    if squares <= 0.0 || residuals.len() < LEAST_FOR_CORRELATION {
        return n;
    }
    let products: f64 = residuals.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let correlation = (products / squares).clamp(0.0, MOST_CORRELATION);
    n * (1.0 - correlation) / (1.0 + correlation)
}

/// The 97.5 % quantile of Student's t and the one-sided chance of `estimate`.
fn student(freedom: f64, estimate: f64, standard_error: f64) -> (f64, f64) {
    let t = StudentsT::new(0.0, 1.0, freedom).expect("at least one degree of freedom was asked for");
    let p = match (standard_error > 0.0, estimate > 0.0) {
        (true, _) => t.sf(estimate / standard_error),
        (false, true) => 0.0,
        (false, false) => 1.0,
    };
    (t.inverse_cdf(0.975), p)
}

/// Amount per unit of exposure where it comes in so few events that their number is the error: that of a Poisson number.
pub(crate) fn counted_rate(amount: f64, exposure: f64, events: f64) -> MeanRate {
    let estimate = if exposure > 0.0 { amount / exposure } else { 0.0 };
    let normal = Normal::new(0.0, 1.0).expect("the standard normal distribution exists");
    let quantile = normal.inverse_cdf(0.975);
    // One event is spent on the mean.
    let standard_error = estimate / (events - 1.0).max(1.0).sqrt();
    let reach = quantile * standard_error;
    MeanRate {
        rate: Growth { estimate, low: estimate - reach, high: estimate + reach },
        standard_error,
        quantile,
        p: chance_of_count(events),
    }
}

/// One-sided chance of counting so many where there is nothing to count: a Poisson number of mean `count` has the standard
/// deviation √count, and zero lies that far below.
pub(crate) fn chance_of_count(count: f64) -> f64 {
    let normal = Normal::new(0.0, 1.0).expect("the standard normal distribution exists");
    if count > 0.0 { normal.sf(count.sqrt()) } else { 1.0 }
}

/// Values that stand out above the others are brought down to the median rate; says how much was taken away.
///
/// `stands_out` is asked with the value's position, so that the caller can add evidence of its own. At most a
/// quarter of the values is touched: more would not be exceptions.
pub(crate) fn clip_exceptions(
    amounts: &mut [f64],
    exposures: &[f64],
    stands_out: impl Fn(usize, f64) -> bool,
) -> f64 {
    let rates: Vec<f64> = amounts
        .iter()
        .zip(exposures)
        .map(|(amount, exposed)| amount / exposed.max(f64::MIN_POSITIVE))
        .collect();
    let middle = median(&rates);
    let exceptions: Vec<usize> = (0..rates.len()).filter(|&index| stands_out(index, rates[index])).collect();
    if exceptions.len() * 4 > rates.len() {
        return 0.0;
    }
    let mut taken = 0.0;
    for index in exceptions {
        let ordinary = middle * exposures[index];
        taken += amounts[index] - ordinary;
        amounts[index] = ordinary;
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_agree_with_the_printed_table() {
        for (freedom, printed) in [(1.0, 12.706), (2.0, 4.303), (5.0, 2.571), (10.0, 2.228), (30.0, 2.042)] {
            let (quantile, _) = student(freedom, 0.0, 1.0);
            assert!((quantile - printed).abs() < 5e-4, "{freedom}: {quantile}");
        }
    }

    #[test]
    fn the_chance_of_a_count_is_that_of_as_many_deviations() {
        // scipy 1.17.1: norm.sf(2), norm.sf(3).
        assert!((chance_of_count(4.0) - 0.022_750_131_9).abs() < 1e-9);
        assert!((chance_of_count(9.0) - 0.001_349_898_0).abs() < 1e-9);
        assert_eq!(chance_of_count(0.0), 1.0);
    }

    #[test]
    fn a_constant_rate_is_exact() {
        let mean = mean_rate(&[64.0, 128.0, 64.0], &[1.0, 2.0, 1.0], 0.0);
        assert_eq!(mean.rate.estimate, 64.0);
        assert!(mean.rate.high - mean.rate.low < 1e-9);
        assert_eq!(mean.p, 0.0);
    }

    #[test]
    fn the_interval_of_independent_values_is_students() {
        // Mean 3, standard deviation 1.5811, n = 5: 3 ± 2.776 * 0.7071.
        let mean = mean_rate(&[5.0, 1.0, 4.0, 2.0, 3.0], &[1.0; 5], 0.0);
        assert_eq!(mean.rate.estimate, 3.0);
        assert!((mean.rate.low - 1.037).abs() < 1e-3, "{mean:?}");
        assert!((mean.rate.high - 4.963).abs() < 1e-3, "{mean:?}");
    }

    #[test]
    fn neighbours_that_resemble_each_other_widen_the_interval() {
        let rising: Vec<f64> = (1..=20).map(f64::from).collect();
        let mixed: Vec<f64> = (0..20).map(|i| f64::from((i * 7) % 20 + 1)).collect();
        let (rising, mixed) = (mean_rate(&rising, &[1.0; 20], 0.0), mean_rate(&mixed, &[1.0; 20], 0.0));
        assert_eq!(rising.rate.estimate, mixed.rate.estimate);
        assert!(rising.standard_error > 1.8 * mixed.standard_error);
    }

    #[test]
    fn no_exposure_gives_no_rate() {
        assert_eq!(mean_rate(&[], &[], 0.0).p, 1.0);
        assert_eq!(mean_rate(&[5.0], &[0.0], 0.0).rate, Growth::default());
    }

    #[test]
    fn a_single_exception_is_clipped_and_many_are_not() {
        let mut amounts = [1.0, 1.0, 1.0, 90.0, 1.0];
        let taken = clip_exceptions(&mut amounts, &[1.0; 5], |_, rate| rate > 10.0);
        assert_eq!((taken, amounts), (89.0, [1.0; 5]));
        let mut amounts = [1.0, 90.0, 90.0, 90.0, 1.0];
        assert_eq!(clip_exceptions(&mut amounts, &[1.0; 5], |_, rate| rate > 10.0), 0.0);
    }

    #[test]
    fn the_error_of_a_ratio_is_that_of_its_residuals() {
        // 13 of 6; residuals -1/6, -2/3, 5/6: √(7/6 / 2 / 3) / (6 / 3).
        let mean = mean_rate(&[2.0, 8.0, 3.0], &[1.0, 4.0, 1.0], 0.0);
        assert!((mean.rate.estimate - 13.0 / 6.0).abs() < 1e-12);
        assert!((mean.standard_error - (7.0_f64 / 36.0).sqrt() / 2.0).abs() < 1e-12, "{mean:?}");
        assert!((mean.quantile - 4.303).abs() < 5e-4, "{mean:?}");
        // An error that the data can't show is added in squares.
        let grained = mean_rate(&[2.0, 8.0, 3.0], &[1.0, 4.0, 1.0], 0.3);
        assert!((grained.standard_error - (7.0_f64 / 144.0 + 0.09).sqrt()).abs() < 1e-12, "{grained:?}");
        assert!(
            (grained.rate.high - grained.rate.estimate - grained.quantile * grained.standard_error).abs()
                < 1e-12
        );
        // Of one group nothing is known but its rate.
        let one = mean_rate(&[6.0], &[2.0], 0.0);
        assert_eq!((one.rate.estimate, one.standard_error), (3.0, 3.0));
        assert!((one.rate.low - (3.0 - 3.0 * 12.706)).abs() < 1e-2, "{one:?}");
    }

    #[test]
    fn the_chance_of_a_mean_is_students() {
        // Mean 3, standard error 0.7071: t = 4.2426 with four degrees of freedom; scipy: t.sf.
        let mean = mean_rate(&[5.0, 1.0, 4.0, 2.0, 3.0], &[1.0; 5], 0.0);
        assert!((mean.p - 0.006_617_8).abs() < 1e-6, "{mean:?}");
        let fall = mean_rate(&[-5.0, -1.0, -4.0, -2.0, -3.0], &[1.0; 5], 0.0);
        assert!((fall.p - (1.0 - 0.006_617_8)).abs() < 1e-6, "{fall:?}");
        // Without an error there is no doubt, either way.
        let exact = [[2.0; 3], [0.0; 3], [-2.0; 3]].map(|amounts| mean_rate(&amounts, &[1.0; 3], 0.0).p);
        assert_eq!(exact, [0.0, 1.0, 1.0]);
    }

    #[test]
    fn sixteen_groups_are_fewer_where_neighbours_resemble_each_other() {
        let of = |amounts: &[f64]| mean_rate(amounts, &vec![1.0; amounts.len()], 0.0);
        // Products of neighbours add up to 1 of 16 squares: 16 * 15/17 groups. Student's quantile of 13.12 is 2.158.
        let pairs: Vec<f64> = (0..16).map(|index| if index % 4 < 2 { 2.0 } else { 0.0 }).collect();
        let mean = of(&pairs);
        assert!(
            (mean.standard_error - (16.0 / 15.0 / (16.0 * 15.0 / 17.0_f64)).sqrt()).abs() < 1e-12,
            "{mean:?}"
        );
        assert!((mean.quantile - 2.158).abs() < 1e-3, "{mean:?}");
        // 13 of 16 would leave a tenth of the groups; 0.6 is the most that is believed: a quarter.
        let halves: Vec<f64> = (0..16).map(|index| if index < 8 { 2.0 } else { 0.0 }).collect();
        assert!(
            (of(&halves).standard_error - (16.0 / 15.0 / 4.0_f64).sqrt()).abs() < 1e-12,
            "{:?}",
            of(&halves)
        );
        // Of fifteen, and of groups unlike their neighbours, each counts.
        let fifteen = of(&pairs[..15]);
        let squares = 8.0 * (14.0 / 15.0_f64).powi(2) + 7.0 * (16.0 / 15.0_f64).powi(2);
        assert!((fifteen.standard_error - (squares / 14.0 / 15.0).sqrt()).abs() < 1e-12, "{fifteen:?}");
        let unlike: Vec<f64> = (0..16).map(|index| if index % 2 == 0 { 2.0 } else { 0.0 }).collect();
        assert!((of(&unlike).standard_error - (1.0 / 15.0_f64).sqrt()).abs() < 1e-12, "{:?}", of(&unlike));
    }

    #[test]
    fn a_rate_of_a_few_events_is_as_certain_as_their_number() {
        // 60 of 20 in ten events, one of them spent on the mean: 3 ± 1.96 * 3 / √9. scipy: norm.sf(√10).
        let counted = counted_rate(60.0, 20.0, 10.0);
        assert_eq!((counted.rate.estimate, counted.standard_error), (3.0, 1.0));
        assert!((counted.rate.low - 1.040_036).abs() < 1e-6, "{counted:?}");
        assert!((counted.rate.high - 4.959_964).abs() < 1e-6, "{counted:?}");
        assert!((counted.p - 0.000_782_7).abs() < 1e-7, "{counted:?}");
        assert_eq!(counted_rate(60.0, 20.0, 1.5).standard_error, 3.0);
        assert_eq!(counted_rate(60.0, 0.0, 10.0).rate, Growth::default());
    }

    #[test]
    fn a_quarter_of_the_values_may_be_exceptions_and_each_is_brought_down_to_its_share() {
        let mut amounts = [3.0, 2.0, 80.0, 1.0];
        let taken = clip_exceptions(&mut amounts, &[3.0, 2.0, 4.0, 1.0], |_, rate| rate > 10.0);
        assert_eq!((taken, amounts), (76.0, [3.0, 2.0, 4.0, 1.0]));
        let mut seven = [1.0, 90.0, 1.0, 90.0, 1.0, 1.0, 1.0];
        assert_eq!(clip_exceptions(&mut seven, &[1.0; 7], |_, rate| rate > 10.0), 0.0);
    }
}
