use statrs::distribution::{ContinuousCDF, StudentsT};

/// How fast something grew from mark to mark, with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Bytes per request.
    pub per_request: f64,
    /// Half of the interval; infinite where fewer than two stretches say nothing of their scatter.
    pub reach: f64,
}

impl Rate {
    /// From requests answered and bytes alive at each mark, in order. It is a ratio of sums: what one stretch of requests
    /// adds is independent of what another does, and scatters in proportion to its length.
    #[must_use]
    pub fn of(held: &[(u64, u64)]) -> Rate {
        let steps: Vec<(f64, f64)> = held
            .windows(2)
            .map(|pair| (pair[1].0.saturating_sub(pair[0].0) as f64, pair[1].1 as f64 - pair[0].1 as f64))
            .filter(|(requests, _)| *requests > 0.0)
            .collect();
        let requests: f64 = steps.iter().map(|step| step.0).sum();
        if steps.is_empty() {
            return Rate { per_request: 0.0, reach: f64::INFINITY };
        }
        let rate = steps.iter().map(|step| step.1).sum::<f64>() / requests;
        let freedom = steps.len() - 1;
        if freedom == 0 {
            return Rate { per_request: rate, reach: f64::INFINITY };
        }
        let scatter: f64 =
            steps.iter().map(|(requests, bytes)| (bytes - rate * requests).powi(2) / requests).sum();
        let student = StudentsT::new(0.0, 1.0, freedom as f64).expect("there is one degree of freedom");
        let reach = student.inverse_cdf(0.975) * (scatter / freedom as f64 / requests).sqrt();
        Rate { per_request: rate, reach }
    }

    /// Whether it surely grew: its interval is above zero.
    #[must_use]
    pub fn is_growth(self) -> bool {
        self.per_request - self.reach > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_equal_growth_leave_no_doubt_and_uneven_ones_do() {
        let even = Rate::of(&[(100, 1_000), (200, 2_000), (400, 4_000)]);
        assert!((even.per_request - 10.0).abs() < 1e-9 && even.reach < 1e-6 && even.is_growth(), "{even:?}");
        let uneven = Rate::of(&[(100, 1_000), (200, 1_500), (300, 3_000)]);
        assert!((uneven.per_request - 10.0).abs() < 1e-9);
        assert!(uneven.reach > 10.0 && !uneven.is_growth(), "two steps say little: {uneven:?}");
        assert!(Rate::of(&[(100, 0), (200, 50)]).reach.is_infinite(), "one step says nothing of its scatter");
    }

    /// Blocks of 1,000 bytes that come at random, about one in ten requests.
    #[test]
    fn the_interval_covers_the_truth_about_nineteen_times_in_twenty() {
        let mut state = 7_u64;
        let mut unit = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut covered = 0;
        for _ in 0..1_000 {
            let mut held = vec![(0, 0)];
            for step in 1..7_u64 {
                let before = held[held.len() - 1].1;
                let blocks = (0..400).filter(|_| unit() < 0.1).count() as u64;
                held.push((400 * step, before + 1_000 * blocks));
            }
            let found = Rate::of(&held);
            covered += u32::from((found.per_request - 100.0).abs() <= found.reach);
        }
        assert!((925..=975).contains(&covered), "{covered} of 1,000");
    }
}
