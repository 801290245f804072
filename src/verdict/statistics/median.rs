/// The median; zero for no values.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The median absolute deviation from the median, scaled to the standard deviation of a normal distribution.
pub(crate) fn median_absolute_deviation(values: &[f64]) -> f64 {
    let centre = median(values);
    let deviations: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    1.4826 * median(&deviations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_of_values_lies_between_the_middle_two() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(&[9.0, 1.0, 3.0]), 3.0);
        assert_eq!(median(&[]), 0.0);
    }

    #[test]
    fn one_wild_value_does_not_move_the_deviation() {
        let calm = median_absolute_deviation(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        let wild = median_absolute_deviation(&[1.0, 2.0, 3.0, 4.0, 5e9]);
        assert_eq!(calm, wild);
        assert!((calm - 1.4826).abs() < 1e-12);
    }
}
