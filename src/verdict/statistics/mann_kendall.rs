use statrs::distribution::{ContinuousCDF, Normal};

/// Up to this many values the chance is counted out exactly when there are no ties.
const EXACT_UP_TO: usize = 10;

/// Outcome of the test for a monotone rise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trend {
    /// Pairs that rise minus pairs that fall.
    pub(crate) s: f64,
    /// One-sided chance of at least this much rise without a trend.
    pub(crate) p: f64,
}

/// Tests whether values rise (Mann, 1945; Kendall, 1975), with the correction for ties. For few values without ties
/// the distribution is exact, otherwise normal with continuity correction.
pub(crate) fn mann_kendall(y: &[f64]) -> Trend {
    let mut s = 0.0;
    for later in 1..y.len() {
        for earlier in 0..later {
            s += f64::from(i8::from(y[later] > y[earlier]) - i8::from(y[later] < y[earlier]));
        }
    }
    let variance = variance_of_s(y);
    if y.len() < 3 || variance <= 0.0 {
        return Trend { s, p: 1.0 };
    }
    if y.len() <= EXACT_UP_TO && tie_sizes(y).is_empty() {
        return Trend { s, p: exact_p(y.len(), s) };
    }
    let z = if s > 0.0 { (s - 1.0) / variance.sqrt() } else { s / variance.sqrt() };
    let normal = Normal::new(0.0, 1.0).expect("the standard normal distribution exists");
    Trend { s, p: normal.sf(z) }
}

/// Variance of the Mann–Kendall statistic without a trend, corrected for ties.
pub(crate) fn variance_of_s(y: &[f64]) -> f64 {
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let ties: f64 = tie_sizes(y).into_iter().map(term).sum();
    (term(y.len() as f64) - ties) / 18.0
}

fn tie_sizes(y: &[f64]) -> Vec<f64> {
    let mut sorted = y.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b).filter(|group| group.len() > 1).map(|group| group.len() as f64).collect()
}

/// Chance that a random order of `n` values has at least `s`: the number of orders with `k` falling pairs is
/// the number with one value fewer and `k, k-1, … k-(n-1)` falling pairs.
fn exact_p(n: usize, s: f64) -> f64 {
    let pairs = n * (n - 1) / 2;
    let mut orders = vec![1.0];
    for size in 2..=n {
        let mut next = vec![0.0; size * (size - 1) / 2 + 1];
        for (falling, count) in orders.iter().enumerate() {
            for more in 0..size {
                next[falling + more] += count;
            }
        }
        orders = next;
    }
    // s = pairs - 2 * falling, so at least s means at most this many falling pairs.
    let most = ((pairs as f64 - s) / 2.0).floor().max(0.0) as usize;
    orders.iter().take(most + 1).sum::<f64>() / orders.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_samples_agree_with_the_printed_table() {
        // Kendall, Rank Correlation Methods (1975), table 1: chances of S and more.
        let chance = exact_p;
        for (n, s, printed) in
            [(4, 4.0, 0.167), (4, 6.0, 0.042), (5, 8.0, 0.042), (7, 11.0, 0.068), (10, 21.0, 0.036)]
        {
            assert!((chance(n, s) - printed).abs() < 6e-4, "n {n}, s {s}: {}", chance(n, s));
        }
    }

    #[test]
    fn a_steady_rise_is_found_and_a_fall_is_not() {
        let rise: Vec<f64> = (0..30).map(f64::from).collect();
        let fall: Vec<f64> = rise.iter().rev().copied().collect();
        assert!(mann_kendall(&rise).p < 1e-9);
        assert!(mann_kendall(&fall).p > 0.999);
    }

    #[test]
    fn ties_reduce_the_variance() {
        // n = 5 with one pair: (5*4*15 - 2*1*9) / 18.
        assert!((variance_of_s(&[1.0, 2.0, 2.0, 3.0, 4.0]) - (300.0 - 18.0) / 18.0).abs() < 1e-12);
        assert_eq!(mann_kendall(&[5.0; 12]).p, 1.0);
    }

    #[test]
    fn many_values_have_the_chance_of_the_normal_distribution() {
        // 25 of 55 pairs fall: S = 5, the variance 11 * 10 * 27 / 18 = 165; scipy: norm.sf(4 / √165).
        let trend = mann_kendall(&[8.0, 7.0, 6.0, 1.0, 2.0, 3.0, 9.0, 11.0, 10.0, 4.0, 5.0]);
        assert_eq!(trend.s, 5.0);
        assert!((trend.p - 0.377_748_4).abs() < 1e-7, "{trend:?}");
        // The other way round S = -5, and z = -5 / √165: what falls is not corrected.
        let fall = mann_kendall(&[5.0, 4.0, 10.0, 11.0, 9.0, 3.0, 2.0, 1.0, 6.0, 7.0, 8.0]);
        assert_eq!(fall.s, -5.0);
        assert!((fall.p - 0.651_454_2).abs() < 1e-6, "{fall:?}");
        // Ties are not counted out: S = 9, z = 8 / √(282 / 18).
        let tied = mann_kendall(&[1.0, 2.0, 2.0, 3.0, 4.0]);
        assert_eq!(tied.s, 9.0);
        assert!((tied.p - 0.021_631_36).abs() < 1e-7, "{tied:?}");
    }

    #[test]
    fn few_values_have_their_exact_chance_and_two_have_none() {
        assert_eq!(mann_kendall(&[1.0, 2.0]), Trend { s: 1.0, p: 1.0 });
        assert!((mann_kendall(&[1.0, 2.0, 3.0]).p - 1.0 / 6.0).abs() < 1e-12);
        // Ten values: one order of 3,628,800 rises throughout, and ten have one falling pair at most.
        let mut ten: Vec<f64> = (0..10).map(f64::from).collect();
        assert!((mann_kendall(&ten).p - 1.0 / 3_628_800.0).abs() < 1e-15);
        ten.swap(4, 5);
        assert!((mann_kendall(&ten).p - 10.0 / 3_628_800.0).abs() < 1e-15);
        ten.reverse();
        assert!((mann_kendall(&ten).p - 3_628_799.0 / 3_628_800.0).abs() < 1e-12);
    }

    #[test]
    fn as_many_pairs_up_as_down_are_an_even_chance() {
        let y = [1.0, 1.0, 1.0, 1.0, 1.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0];
        assert_eq!(mann_kendall(&y).s, 0.0);
        assert!((mann_kendall(&y).p - 0.5).abs() < 1e-12);
    }
}
