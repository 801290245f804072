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

    proptest! {
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
