/// Numbers that look random and follow from a seed alone (SplitMix64: Steele, Lea and Flood, 2014).
///
/// ```
/// use heapsoak_corpus::Draw;
///
/// let (mut one, mut other) = (Draw::new(7, 1), Draw::new(7, 1));
/// assert_eq!(one.below(1_000), other.below(1_000));
/// ```
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    /// The numbers of one place in a run: of a step, say.
    #[must_use]
    pub fn new(seed: u64, place: u64) -> Draw {
        let mut draw = Draw(seed.wrapping_mul(0xd134_2543_de82_ef95) ^ place);
        draw.next();
        Draw(draw.next())
    }

    /// The next 64 bits.
    #[expect(clippy::should_implement_trait, reason = "it never ends, and nothing iterates over it")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `end`; zero when there is none.
    pub fn below(&mut self, end: u64) -> u64 {
        // The upper half of the product: the bias is below 2^-50 for the small ends used here.
        u64::try_from((u128::from(self.next()) * u128::from(end)) >> 64).unwrap_or(0)
    }

    /// True with a chance of one in `every`.
    pub fn one_in(&mut self, every: u64) -> bool {
        self.below(every.max(1)) == 0
    }

    /// A number from 0 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_below_the_end_comes_about_equally_often() {
        let mut draw = Draw::new(1, 0);
        let mut counts = [0_u32; 10];
        for _ in 0..100_000 {
            counts[usize::try_from(draw.below(10)).unwrap()] += 1;
        }
        // A standard deviation is 95.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 450), "{counts:?}");
    }

    #[test]
    fn neighbouring_places_and_seeds_have_nothing_in_common() {
        let first = |seed, place| Draw::new(seed, place).unit();
        let mean = |of: &dyn Fn(u64) -> f64| (0..10_000).map(of).sum::<f64>() / 10_000.0;
        assert!((mean(&|place| first(3, place)) - 0.5).abs() < 0.015);
        assert!((mean(&|seed| first(seed, 3)) - 0.5).abs() < 0.015);
    }
}
