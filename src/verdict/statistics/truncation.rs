/// How many leading values belong to warm-up: the truncation that makes the mean of the rest most certain, i.e. the
/// `d` up to half of the values with the smallest `Σ (x - mean)² / (n - d)²` (the marginal standard error rule,
/// White, 1997).
///
/// Of values that only scatter, some tail always scatters less; so a truncation must halve the score to be made.
pub(crate) fn warm_up_length(values: &[f64]) -> usize {
    let score = |d: usize| {
        let rest = &values[d..];
        let n = rest.len() as f64;
        let mean = rest.iter().sum::<f64>() / n;
        rest.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n * n)
    };
    let Some(at_most) = (!values.is_empty()).then(|| 0.5 * score(0)) else { return 0 };
    let mut best = (0, at_most);
    for d in 1..=(values.len() - 1) / 2 {
        let score = score(d);
        if score < best.1 {
            best = (d, score);
        }
    }
    best.0
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
    fn values_that_only_scatter_are_not_cut() {
        let values: Vec<f64> = (0..24).map(|i| f64::from((i * 7) % 11)).collect();
        assert_eq!(warm_up_length(&values), 0);
    }

    #[test]
    fn values_alike_from_the_start_have_no_warm_up() {
        assert_eq!(warm_up_length(&[7.0; 20]), 0);
        assert_eq!(warm_up_length(&[]), 0);
        assert_eq!(warm_up_length(&[1.0]), 0);
    }
}
