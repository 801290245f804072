/// How many leading values belong to warm-up: the truncation that makes the mean of the rest most certain, i.e. the
/// `d` up to half of the values with the smallest `Σ (x - mean)² / (n - d)²` (the marginal standard error rule,
/// White, 1997).
pub(crate) fn warm_up_length(values: &[f64]) -> usize {
    let score = |d: usize| {
        let rest = &values[d..];
        let n = rest.len() as f64;
        let mean = rest.iter().sum::<f64>() / n;
        rest.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n * n)
    };
    let mut best = (0, f64::INFINITY);
    for d in 0..=values.len().saturating_sub(1) / 2 {
        if d < values.len() {
            let score = score(d);
            if score < best.1 {
                best = (d, score);
            }
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
    fn values_alike_from_the_start_have_no_warm_up() {
        assert_eq!(warm_up_length(&[7.0; 20]), 0);
        assert_eq!(warm_up_length(&[]), 0);
        assert_eq!(warm_up_length(&[1.0]), 0);
    }
}
