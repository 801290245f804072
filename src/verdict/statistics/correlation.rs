/// Kendall's rank correlation (tau b, 1945) of two series: 1 when they always rise together, 0 when one of them
/// does not move.
pub(crate) fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mut together, mut moves_a, mut moves_b) = (0.0, 0.0, 0.0);
    for later in 1..a.len().min(b.len()) {
        for earlier in 0..later {
            let sign = |series: &[f64]| {
                f64::from(
                    i8::from(series[later] > series[earlier]) - i8::from(series[later] < series[earlier]),
                )
            };
            let (in_a, in_b) = (sign(a), sign(b));
            together += in_a * in_b;
            moves_a += in_a * in_a;
            moves_b += in_b * in_b;
        }
    }
    let scale: f64 = moves_a * moves_b;
    if scale > 0.0 { together / scale.sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_care_for_the_shape_of_a_rise() {
        assert_eq!(rank_correlation(&[1.0, 2.0, 3.0], &[1.0, 10.0, 1000.0]), 1.0);
        assert_eq!(rank_correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), -1.0);
        assert_eq!(rank_correlation(&[1.0, 2.0, 3.0], &[5.0, 5.0, 5.0]), 0.0);
    }

    #[test]
    fn pairs_that_are_tied_in_one_series_or_both_count_for_neither() {
        // Of six pairs four rise together, one goes against, and the tie in the second series leaves five: 1 of √(6 * 5).
        assert!(
            (rank_correlation(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 2.0]) - 1.0 / 30.0_f64.sqrt()).abs()
                < 1e-12
        );
        // Nine pairs move in each, six of them more together than against.
        let tied = rank_correlation(&[1.0, 2.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 2.0, 5.0]);
        assert!((tied - 6.0 / 9.0).abs() < 1e-12, "{tied}");
        assert_eq!(rank_correlation(&[1.0, 2.0], &[]), 0.0);
    }
}
