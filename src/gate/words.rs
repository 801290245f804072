//! Figures in sentences.

use crate::Interval;

/// A count with thousands set apart.
pub(crate) fn count(value: f64) -> String {
    if value.abs() < 100.0 && value.fract() != 0.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

/// Bytes, plainly: a budget is written in bytes, too.
pub(crate) fn bytes(value: f64) -> String {
    format!("{} bytes", count(value.round()))
}

/// An interval of bytes.
pub(crate) fn byte_range(interval: Interval) -> String {
    range(Interval { low: interval.low.round(), high: interval.high.round() }, " bytes")
}

/// An interval with its unit; one number when it has no width.
pub(crate) fn range(interval: Interval, unit: &str) -> String {
    if count(interval.low) == count(interval.high) {
        return format!("{}{unit}", count(interval.low));
    }
    format!("{} to {}{unit}", count(interval.low), count(interval.high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_their_thousands_set_apart() {
        let cases =
            [(0.0, "0"), (7.25, "7.25"), (999.0, "999"), (1_000.0, "1,000"), (-12_345_678.0, "-12,345,678")];
        for (value, text) in cases {
            assert_eq!(count(value), text);
        }
    }
}
