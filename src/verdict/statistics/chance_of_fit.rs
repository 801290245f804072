use statrs::distribution::{ContinuousCDF, FisherSnedecor};

/// The chance that so many causes that have nothing to do with it would bring what a fit leaves of the squares from
/// `before` down to `after`, or further: Fisher's F, with the degrees of freedom that are left. Certain where none are.
pub(crate) fn chance_of_fit(before: f64, after: f64, causes: usize, freedom: usize) -> f64 {
    let (count, rest) = (causes as f64, freedom as f64);
    match FisherSnedecor::new(count, rest) {
        Ok(fisher) if after > 0.0 => fisher.sf(((before - after).max(0.0) / count) / (after / rest)),
        _ => 1.0,
    }
}

/// How many ways there are to choose so many.
pub(crate) fn combinations(among: usize, chosen: usize) -> f64 {
    (0..chosen.min(among)).map(|taken| (among - taken) as f64 / (taken + 1) as f64).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chance_agrees_with_the_printed_table() {
        // The 5 % points of F: 18.51 with 1 and 2 degrees of freedom, 4.10 with 2 and 10.
        assert!((chance_of_fit(1.0, 1.0 / (1.0 + 18.51 / 2.0), 1, 2) - 0.05).abs() < 1e-4);
        assert!((chance_of_fit(1.0, 1.0 / (1.0 + 4.103 * 2.0 / 10.0), 2, 10) - 0.05).abs() < 1e-4);
    }

    #[test]
    fn a_fit_without_freedom_says_nothing() {
        assert_eq!(chance_of_fit(1.0, 0.0, 1, 0), 1.0);
        assert_eq!(chance_of_fit(1.0, 0.5, 0, 5), 1.0);
        assert_eq!(chance_of_fit(1.0, 0.0, 1, 5), 1.0);
    }

    #[test]
    fn ways_to_choose() {
        assert_eq!((combinations(5, 2), combinations(5, 0), combinations(3, 3)), (10.0, 1.0, 1.0));
    }
}
