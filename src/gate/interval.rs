use heapsoak_verdict::Growth;

/// How far two figures of the same server may lie apart from run to run, as a share of the greater one: what the same
/// seed was seen to reproduce, with room.
const REPRODUCIBLE: f64 = 0.05;

/// From one half-width of a 95 % interval to the distance at which chance can be left out: 4.5 standard errors, less
/// than one in a hundred thousand, since a gate compares hundreds of figures thousands of times.
const BEYOND_CHANCE: f64 = 4.5 / 1.96;

/// From where to where a figure lies.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// The interval from the least to the greatest of some values; none without any.
    pub(crate) fn around(values: impl IntoIterator<Item = f64>) -> Option<Interval> {
        values.into_iter().fold(None, |interval: Option<Interval>, value| {
            let Interval { low, high } = interval.unwrap_or(Interval { low: value, high: value });
            Some(Interval { low: low.min(value), high: high.max(value) })
        })
    }

    /// Its middle.
    pub(crate) fn middle(self) -> f64 {
        f64::midpoint(self.low, self.high)
    }

    /// Half its width.
    pub(crate) fn half(self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// Whether this lies above another beyond what chance and another run of the same server explain. `grain` is the
    /// least difference that means anything.
    #[must_use]
    pub fn exceeds(self, other: Interval, grain: f64) -> bool {
        let (own, others) = (self.half() * BEYOND_CHANCE, other.half() * BEYOND_CHANCE);
        let chance = own.hypot(others);
        let run_to_run = REPRODUCIBLE * self.high.abs().max(other.high.abs());
        self.middle() - other.middle() > chance + run_to_run + grain
    }
}

impl From<Growth> for Interval {
    fn from(growth: Growth) -> Interval {
        Interval { low: growth.low, high: growth.high }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn intervals_that_overlap_never_exceed_each_other() {
        let (a, b) = (Interval { low: 90.0, high: 110.0 }, Interval { low: 105.0, high: 140.0 });
        assert!(!b.exceeds(a, 0.0));
        assert!(!a.exceeds(b, 0.0));
    }

    #[test]
    fn a_clear_rise_exceeds() {
        let (a, b) = (Interval { low: 98.0, high: 102.0 }, Interval { low: 148.0, high: 152.0 });
        assert!(b.exceeds(a, 16.0));
        assert!(!b.exceeds(a, 64.0), "the grain is part of the bar");
    }

    proptest! {
        #[test]
        fn what_exceeds_has_its_low_end_above_the_others_high_end(
            low in -1e6..1e6_f64, width in 0.0..1e6_f64, other in -1e6..1e6_f64, wide in 0.0..1e6_f64,
        ) {
            let (a, b) = (Interval { low, high: low + width }, Interval { low: other, high: other + wide });
            if a.exceeds(b, 0.0) {
                prop_assert!(a.middle() > b.high && a.low > b.middle());
                prop_assert!(!b.exceeds(a, 0.0));
            }
        }
    }
}
