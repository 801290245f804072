use heapsoak_verdict::Growth;

/// Fewer points than this have no interval worth a look.
const FEWEST: usize = 4;

/// The slope of a straight line through points, with its 95 % interval; none for too few points.
///
/// For a server that is only looked at, without requests of our own: the points of a server at work scatter, and the
/// interval says how much. It is no verdict.
pub(crate) fn trend(points: &[(f64, f64)]) -> Option<Growth> {
    if points.len() < FEWEST {
        return None;
    }
    let count = points.len() as f64;
    let (mean_x, mean_y) = (
        points.iter().map(|point| point.0).sum::<f64>() / count,
        points.iter().map(|point| point.1).sum::<f64>() / count,
    );
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    if spread <= 0.0 {
        return None;
    }
    let slope = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / spread;
    let rest: f64 = points.iter().map(|(x, y)| (y - mean_y - slope * (x - mean_x)).powi(2)).sum();
    let error = (rest / (count - 2.0) / spread).sqrt();
    // Student's t at 97.5 %, by its expansion for some degrees of freedom: 4.2 for 2 instead of 4.3, 2.23 for 10.
    let free = count - 2.0;
    let quantile = 1.96 + 2.37 / free + 2.82 / free.powi(2) + 2.56 / free.powi(3);
    Some(Growth { estimate: slope, low: slope - quantile * error, high: slope + quantile * error })
}

#[cfg(test)]
mod tests {
    use super::trend;

    #[test]
    fn a_straight_line_has_its_slope_and_no_doubt() {
        let points: Vec<(f64, f64)> = (0..20).map(|x| (f64::from(x), 5.0 + 3.0 * f64::from(x))).collect();
        let found = trend(&points).unwrap();
        assert!((found.estimate - 3.0).abs() < 1e-9 && found.high - found.low < 1e-6);
    }

    #[test]
    fn the_interval_of_a_scattered_level_holds_zero_and_tightens() {
        let scattered = |count: u32| -> Vec<(f64, f64)> {
            (0..count).map(|x| (f64::from(x), f64::from(x * 7919 % 13))).collect()
        };
        let (short, long) = (trend(&scattered(10)).unwrap(), trend(&scattered(200)).unwrap());
        assert!(short.low < 0.0 && short.high > 0.0 && long.low < 0.0 && long.high > 0.0);
        assert!(long.high - long.low < (short.high - short.low) / 10.0);
        assert!(trend(&scattered(3)).is_none() && trend(&[(1.0, 2.0); 9]).is_none());
    }
}
