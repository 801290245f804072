//! How many of the allocations are captured, and what a sampled one stands for.

use heapsoak_record::CaptureRate;

/// Samples per byte: one for every allocation, less for a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rate(f32);

/// Fractions of a block that estimates are counted in.
pub(crate) const FRACTIONS: f64 = 1_024.0;

impl Rate {
    /// From its bits; none when they say that nothing is captured.
    #[inline(always)]
    pub(crate) fn from_bits(bits: u32) -> Option<Rate> {
        (bits != 0).then_some(Rate(f32::from_bits(bits)))
    }

    #[inline(always)]
    pub(crate) fn bits(self) -> u32 {
        self.0.to_bits()
    }

    /// None when nothing is to be captured.
    pub(crate) fn of(rate: CaptureRate) -> Option<Rate> {
        match rate {
            CaptureRate::Off => None,
            CaptureRate::Every | CaptureRate::OneIn { bytes: 0 | 1 } => Some(Rate(1.0)),
            CaptureRate::OneIn { bytes } => Some(Rate(1.0 / bytes as f32)),
        }
    }

    #[inline(always)]
    pub(crate) fn is_every(self) -> bool {
        self.0 >= 1.0
    }

    /// Mean distance between samples; none when every allocation is captured.
    pub(crate) fn interval_bytes(self) -> Option<u64> {
        (!self.is_every()).then(|| (1.0 / f64::from(self.0)).round() as u64)
    }

    /// How much of the way to the next sample an allocation goes, where the mean distance is one.
    #[inline]
    pub(crate) fn step(self, bytes: usize) -> f64 {
        f64::from(self.0) * bytes.max(1) as f64
    }

    /// Bytes, and [`FRACTIONS`] of a block, that a sampled block of this size stands for: its own ones over the chance
    /// it had. The same for the same size, so that what is freed takes away what was added.
    pub(crate) fn weigh(self, bytes: usize) -> (u64, u64) {
        let weight = 1.0 / -(-self.step(bytes)).exp_m1();
        ((bytes as f64 * weight).round() as u64, (weight * FRACTIONS).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_block_stands_for_the_interval_and_a_large_one_for_itself() {
        let rate = Rate::of(CaptureRate::OneIn { bytes: 1 << 16 }).unwrap();
        let (bytes, blocks) = rate.weigh(64);
        assert!((65_536..65_600).contains(&bytes), "{bytes}");
        assert!((1_024 * 1_024..1_024 * 1_026).contains(&blocks), "{blocks}");
        assert_eq!(rate.weigh(1 << 24), (1 << 24, 1_024));
        assert_eq!(rate.interval_bytes(), Some(1 << 16));
    }

    #[test]
    fn every_allocation_is_a_rate_without_an_interval() {
        let rate = Rate::of(CaptureRate::Every).unwrap();
        assert!(rate.is_every() && rate.interval_bytes().is_none());
        assert_eq!(Rate::of(CaptureRate::Off), None);
        assert_eq!(Rate::from_bits(rate.bits()), Some(rate));
    }
}
