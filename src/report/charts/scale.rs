//! Round steps of an axis, in the unit its labels are written in.

use heapsoak_record::Unit;

use crate::units::{Bytes, Count};

/// An axis from zero.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    unit: Unit,
    /// Bytes of the unit that all labels are written in.
    factor: f64,
    /// Where the axis ends: the highest value, or a little above it.
    pub(crate) top: f64,
    /// Where it is labelled.
    pub(crate) ticks: Vec<f64>,
}

impl Scale {
    /// An axis that holds `highest` and has three to six steps of 1, 2 or 5 times a power of ten, in the unit that
    /// its labels will be written in.
    pub(crate) fn of(highest: f64, unit: Unit) -> Scale {
        let mut factor = 1.0;
        if unit == Unit::Bytes {
            while highest / factor >= 1023.5 {
                factor *= 1024.0;
            }
        }
        let highest = (highest / factor).max(f64::MIN_POSITIVE);
        let power = 10_f64.powf((highest / 5.0).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
        let mut step = steps.into_iter().find(|step| highest / step <= 5.0).unwrap_or(highest);
        if unit == Unit::Count || factor == 1.0 {
            step = step.max(1.0); // there is no half of a thing, nor of a byte
        }
        let count = (highest / step - 1e-9).ceil().max(1.0);
        let ticks = (0..=count as u32).map(|index| f64::from(index) * step * factor).collect();
        Scale { unit, factor, top: count * step * factor, ticks }
    }

    pub(crate) fn label(&self, tick: f64) -> String {
        match self.unit {
            Unit::Bytes if tick == 0.0 => "0".to_owned(),
            Unit::Bytes => {
                let unit = Bytes(self.factor).to_string();
                let unit = unit.split_once(' ').map_or("", |(_, unit)| unit);
                format!("{} {unit}", Count(tick / self.factor))
            }
            Unit::Count => Count(tick).to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_in_the_unit_of_their_labels() {
        let labels = |highest: f64, unit: Unit| {
            let scale = Scale::of(highest, unit);
            scale.ticks.iter().map(|tick| scale.label(*tick)).collect::<Vec<_>>()
        };
        assert_eq!(labels(3.1 * 1024.0 * 1024.0, Unit::Bytes), ["0", "1 MiB", "2 MiB", "3 MiB", "4 MiB"]);
        assert_eq!(labels(1.4 * 1024.0 * 1024.0, Unit::Bytes), ["0", "0.5 MiB", "1 MiB", "1.5 MiB"]);
        assert_eq!(labels(20_000.0, Unit::Count), ["0", "5,000", "10,000", "15,000", "20,000"]);
        assert_eq!(labels(1.0, Unit::Count), ["0", "1"]);
    }

    #[test]
    fn an_axis_holds_its_highest_value() {
        for highest in [1.0, 7.0, 99.0, 1000.0, 1024.0, 123_456.0, 9.9e9] {
            for unit in [Unit::Bytes, Unit::Count] {
                let scale = Scale::of(highest, unit);
                assert!(scale.top >= highest, "{highest}");
                assert!((2..=8).contains(&scale.ticks.len()), "{highest}: {:?}", scale.ticks);
            }
        }
    }
}
