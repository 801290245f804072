use statrs::distribution::{ContinuousCDF, StudentsT};

/// What is cut differs from what is left by more than chance makes once in a thousand times.
const CHANCE: f64 = 0.001;

/// How many leading values belong to warm-up: the truncation that makes the mean of the rest most certain, i.e. the
/// `d` up to half of the values with the smallest `Σ (x - mean)² / (n - d)²` (the marginal standard error rule,
/// White, 1997).
///
/// Of values that only scatter, some tail always scatters less, of few values by a lot; so a truncation must halve the
/// score, and what it cuts must differ from the rest (Student's t test of two means), to be made.
pub(crate) fn warm_up_length(values: &[f64]) -> usize {
    let score = |d: usize| {
        let rest = &values[d..];
        let n = rest.len() as f64;
        let mean = rest.iter().sum::<f64>() / n;
        let squares: f64 = rest.iter().map(|value| (value - mean).powi(2)).sum();
        // What is left of equal values is rounding, not spread.
        let rounding = 1e-20 * rest.iter().map(|value| value * value).sum::<f64>();
        if squares <= rounding { 0.0 } else { squares / (n * n) }
    };
    let Some(at_most) = (!values.is_empty()).then(|| 0.5 * score(0)) else { return 0 };
    let mut best = (0, at_most);
    for d in 1..=(values.len() - 1) / 2 {
        let score = score(d);
        if score < best.1 {
            best = (d, score);
        }
    }
    if differs(values, best.0) { best.0 } else { 0 }
}

/// Whether the mean of the first `d` values differs from that of the others, which say how much values scatter.
fn differs(values: &[f64], d: usize) -> bool {
    let (cut, rest) = values.split_at(d);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let freedom = rest.len() as f64 - 1.0;
    if cut.is_empty() || freedom < 1.0 {
        return false;
    }
    let variance = rest.iter().map(|value| (value - mean(rest)).powi(2)).sum::<f64>() / freedom;
    let error = (variance * (1.0 / cut.len() as f64 + 1.0 / rest.len() as f64)).sqrt();
    let t = StudentsT::new(0.0, 1.0, freedom).expect("one degree of freedom at least was asked for");
    (mean(cut) - mean(rest)).abs() > t.inverse_cdf(1.0 - CHANCE / 2.0) * error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_that_differs_is_cut_where_it_ends() {
        let mut values = vec![10.0; 30];
        values[0] = 900.0;
        values[1] = 500.0;
        values[2] = 80.0;
        assert_eq!(warm_up_length(&values), 3);
    }

    #[test]
    fn what_is_cut_differs_by_more_than_students_quantile_of_the_rest() {
        // Of 1, 2, 3, 4 the mean is 2.5, the variance 5/3; the 99.95 % quantile of three degrees of freedom is 12.924. One
        // value differs from 18.65 on: 12.924 * √(5/3 * (1 + 1/4)); two do from 14.45 on: 12.924 * √(5/3 * (1/2 + 1/4)).
        let rest = [1.0, 2.0, 3.0, 4.0];
        let of = |cut: &[f64]| differs(&[cut, &rest].concat(), cut.len());
        assert!(!of(&[2.5 + 18.6]) && of(&[2.5 + 18.7]));
        assert!(!of(&[2.5 - 18.6]) && of(&[2.5 - 18.7]));
        assert!(!of(&[2.5 + 14.4; 2]) && of(&[2.5 + 14.5; 2]));
        assert!(!of(&[]));
        assert!(!differs(&[1.0, 9.0], 1));
        assert!(differs(&[100.0, 1.0, 1.0], 1), "two that agree are enough");
    }

    #[test]
    fn values_that_only_scatter_are_not_cut() {
        let values: Vec<f64> = (0..24).map(|i| f64::from((i * 7) % 11)).collect();
        assert_eq!(warm_up_length(&values), 0);
    }

    #[test]
    fn values_alike_from_the_start_have_no_warm_up() {
        assert_eq!(warm_up_length(&[7.0; 20]), 0);
        // The mean of nine of these is not quite 0.1.
        assert_eq!(warm_up_length(&[0.1; 9]), 0);
        assert_eq!(warm_up_length(&[]), 0);
        assert_eq!(warm_up_length(&[1.0]), 0);
    }

    #[test]
    fn the_score_weighs_the_spread_against_the_number_of_what_is_left() {
        // Σ (x - mean)² / n² of the nine values, and of those from the second on: 4.72, 5.34, 6.93, 0.54, 0.64.
        assert_eq!(warm_up_length(&[20.0, 12.0, 30.0, 9.0, 9.0, 13.0, 9.0, 11.0, 13.0]), 3);
    }
}
