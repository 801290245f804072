use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Source of the random choices of one flow (or of one stage's steps).
///
/// It depends on nothing but the seed and its place in the run, so the requests of a run are the same whatever the
/// concurrency, and a run that is extended goes on as a longer run would have.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    rng: ChaCha8Rng,
}

impl Draw {
    /// For the flow with number `index` of a cycle.
    pub(crate) fn flow(seed: u64, cycle: u32, index: u32) -> Draw {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(cycle) << 32 | u64::from(index));
        Draw { rng }
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        let width = high.saturating_sub(low).saturating_add(1);
        // Multiply-shift: the bias is below 2^-64 x width, far below anything a soak could show.
        let product = u128::from(self.rng.next_u64()) * u128::from(width);
        low + u64::try_from(product >> 64).expect("a 128-bit product shifted by 64 fits in 64 bits")
    }

    /// A number in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact in a double")]
        let bits = (self.rng.next_u64() >> 11) as f64;
        bits / 9_007_199_254_740_992.0
    }

    /// A rank from 0 to `count - 1`, rank *k* with a probability near 1 / (k + 1): a Zipf law of exponent one.
    #[expect(clippy::cast_precision_loss, reason = "ranks are far below 2^53")]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the rank is within 0..count"
    )]
    pub(crate) fn zipf(&mut self, count: u64) -> u64 {
        let rank = (self.unit() * (count as f64 + 1.0).ln()).exp() - 1.0;
        (rank as u64).min(count.saturating_sub(1))
    }

    /// A rank from 0 to `count - 1`, rank *k* with a probability proportional to 1 / (k + 1)^`exponent`, exactly: by
    /// rejection-inversion (W. Hörmann, G. Derflinger, 1996). Costs one or two numbers, whatever the count.
    #[expect(clippy::cast_precision_loss, reason = "ranks are far below 2^53")]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the rank is within 1..=count"
    )]
    pub(crate) fn zipf_of(&mut self, count: u64, exponent: f64) -> u64 {
        let count = count.max(1) as f64;
        // The integral of x^-exponent, and its inverse; both go over into logarithm and exponential at exponent one.
        let integral = |x: f64| {
            let (log, power) = (x.ln(), 1.0 - exponent);
            if (power * log).abs() < 1e-9 { log } else { (power * log).exp_m1() / power }
        };
        let inverse = |y: f64| {
            let power = 1.0 - exponent;
            if (power * y).abs() < 1e-9 { y.exp() } else { ((power * y).max(-1.0).ln_1p() / power).exp() }
        };
        let (low, high) = (integral(1.5) - 1.0, integral(count + 0.5));
        loop {
            let drawn = high + self.unit() * (low - high);
            let rank = inverse(drawn).round().clamp(1.0, count);
            if drawn >= integral(rank + 0.5) - (-exponent * rank.ln()).exp() {
                return rank as u64 - 1;
            }
        }
    }

    /// A number with an exponential distribution of this mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// A number with a log-normal distribution: half are below the median; of its logarithms `sigma` is the standard
    /// deviation.
    pub(crate) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        // Box and Muller; the second normal number they give is left unused, so that a draw takes the same numbers
        // wherever it stands.
        let (radius, angle) = ((-2.0 * (1.0 - self.unit()).ln()).sqrt(), std::f64::consts::TAU * self.unit());
        median * (sigma * radius * angle.cos()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_same_place_draws_the_same_numbers() {
        let draw = |cycle, index| {
            let mut draw = Draw::flow(7, cycle, index);
            [draw.between(0, u64::MAX - 1), draw.between(0, u64::MAX - 1)]
        };
        assert_eq!(draw(3, 9), draw(3, 9));
        assert_ne!(draw(3, 9), draw(3, 10));
        assert_ne!(draw(3, 9), draw(4, 9));
    }

    #[test]
    fn low_ranks_of_a_zipf_draw_are_the_popular_ones() {
        let mut counts = [0_u32; 100];
        let mut draw = Draw::flow(1, 1, 1);
        for _ in 0..20_000 {
            counts[usize::try_from(draw.zipf(100)).unwrap()] += 1;
        }
        assert!(counts[0] > 2 * counts[3], "{counts:?}");
        assert!(counts[3] > 2 * counts[30], "{counts:?}");
        assert!(counts[90..].iter().all(|count| *count > 0), "{counts:?}");
    }

    /// Share of 40,000 draws that satisfy a condition.
    fn share<T>(mut draw: impl FnMut(&mut Draw) -> T, condition: impl Fn(T) -> bool) -> f64 {
        let mut source = Draw::flow(11, 1, 1);
        let hits = (0..40_000).filter(|_| condition(draw(&mut source))).count();
        f64::from(u32::try_from(hits).unwrap()) / 40_000.0
    }

    #[test]
    fn ranks_of_a_zipf_draw_have_the_probabilities_of_their_exponent() {
        for exponent in [0.4, 0.99, 1.0, 1.5, 3.0] {
            let weight = |rank: u32| f64::from(rank + 1).powf(-exponent);
            let total: f64 = (0..50).map(weight).sum();
            for rank in [0, 1, 7, 49] {
                let found = share(|draw| draw.zipf_of(50, exponent), |drawn| drawn == u64::from(rank));
                let expected = weight(rank) / total;
                // Five standard deviations.
                let within = 5.0 * (expected * (1.0 - expected) / 40_000.0).sqrt();
                assert!((found - expected).abs() < within, "{exponent}, {rank}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn exponential_and_log_normal_draws_have_the_shares_of_their_distributions() {
        let below_mean = share(|draw| draw.exponential(300.0), |drawn| drawn < 300.0);
        assert!((below_mean - 0.632).abs() < 0.013, "{below_mean}");
        let below_median = share(|draw| draw.log_normal(500.0, 0.7), |drawn| drawn < 500.0);
        assert!((below_median - 0.5).abs() < 0.013, "{below_median}");
        let below_one_sigma =
            share(|draw| draw.log_normal(500.0, 0.7), |drawn| drawn < 500.0 * 0.7_f64.exp());
        assert!((below_one_sigma - 0.841).abs() < 0.013, "{below_one_sigma}");
    }

    proptest! {
        #[test]
        fn a_rank_of_any_exponent_lies_within_its_count(
            seed: u64,
            count in 1_u64..1_000_000_000,
            exponent in 0.01_f64..10.0,
        ) {
            prop_assert!(Draw::flow(seed, 1, 0).zipf_of(count, exponent) < count);
        }

        #[test]
        fn a_number_lies_within_its_range(seed: u64, low in 0_u64..1_000, width in 0_u64..1_000) {
            let number = Draw::flow(seed, 1, 0).between(low, low + width);
            prop_assert!((low..=low + width).contains(&number));
        }

        #[test]
        fn a_rank_lies_within_its_count(seed: u64, count in 1_u64..5_000) {
            prop_assert!(Draw::flow(seed, 1, 0).zipf(count) < count);
        }
    }
}
