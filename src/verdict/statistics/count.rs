use statrs::distribution::{ContinuousCDF, Normal};

/// The factors that lead from a count to the ends of the 95 % interval of its mean: Poisson's, exact but for the
/// approximation of Wilson and Hilferty (1931), which is off by less than 1 % from five events on.
pub(crate) fn count_interval(events: f64) -> (f64, f64) {
    let events = events.max(1.0);
    let normal = Normal::new(0.0, 1.0).expect("the standard normal distribution exists");
    let z = normal.inverse_cdf(0.975);
    let end = |events: f64, z: f64| events * (1.0 - 1.0 / (9.0 * events) + z / (3.0 * events.sqrt())).powi(3);
    (end(events, -z) / events, end(events + 1.0, z) / events)
}

/// How many events a series of rises comes from: their sum, fewer where the rises scatter more than single events would
/// (the index of dispersion: Fisher, 1925).
pub(crate) fn events_behind(rises: &[f64]) -> f64 {
    let count = rises.len() as f64;
    let sum: f64 = rises.iter().sum();
    let mean = sum / count;
    let variance = rises.iter().map(|rise| (rise - mean).powi(2)).sum::<f64>() / (count - 1.0);
    // One rise has no variance, and no rise no mean: what is no number is no more than one.
    sum / (variance / mean).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_count_is_that_of_garwoods_table() {
        // Garwood (1936): 95 % limits of 1, 5, 20 and 100 events.
        for (events, low, high) in
            [(1.0, 0.0253, 5.572), (5.0, 1.623, 11.668), (20.0, 12.217, 30.889), (100.0, 81.364, 121.628)]
        {
            let (below, above) = count_interval(events);
            assert!((below * events - low).abs() < 0.015, "{events}: {}", below * events);
            assert!((above * events - high).abs() < 0.015, "{events}: {}", above * events);
        }
    }

    #[test]
    fn rises_of_several_at_a_time_are_fewer_events() {
        assert_eq!(events_behind(&[1.0, 1.0, 1.0, 1.0]), 4.0);
        // Mean 4, variance 21.3: five times as scattered as single events.
        assert_eq!(events_behind(&[8.0, 0.0, 8.0, 0.0]), 3.0);
        assert_eq!(events_behind(&[0.0, 0.0]), 0.0);
        assert_eq!(events_behind(&[7.0]), 7.0);
        assert_eq!(events_behind(&[]), 0.0);
    }
}
