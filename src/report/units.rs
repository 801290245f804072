//! How numbers are written, the same in every format: bytes in binary units (1 KiB = 1,024 bytes), counts grouped
//! by thousands, three significant digits where a measurement has no more to say.

use std::fmt;

/// A size, or a growth in bytes; may be negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Bytes(pub f64);

/// A number of things; may be a fraction when it is a rate or a mean.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Count(pub f64);

/// A span of time in seconds.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Seconds(pub f64);

const BYTE_UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut size = self.0.abs();
        let mut unit = 0;
        // 1,023.6 KiB would be written as 1024 KiB: move on to the next unit a little early.
        while size >= 1023.5 && unit + 1 < BYTE_UNITS.len() {
            size /= 1024.0;
            unit += 1;
        }
        let number = if unit == 0 && size.fract() == 0.0 { format!("{size:.0}") } else { three_digits(size) };
        let sign = sign(self.0, &number);
        f.pad(&format!("{sign}{number} {}", BYTE_UNITS[unit]))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        let number =
            if size.fract() == 0.0 || size >= 100.0 { group(size.round()) } else { three_digits(size) };
        let sign = sign(self.0, &number);
        f.pad(&format!("{sign}{number}"))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.max(0.0);
        let (number, unit) = match seconds {
            s if s < 0.9995 => ((s * 1e3).round(), "ms"),
            s if s < 120.0 => (s, "s"),
            s if s < 2.0 * 3600.0 => (s / 60.0, "min"),
            s if s < 2.0 * 86_400.0 => (s / 3600.0, "h"),
            s if s < 2.0 * 365.0 * 86_400.0 => (s / 86_400.0, "days"),
            s => (s / (365.0 * 86_400.0), "years"),
        };
        // Two digits: no forecast of a time is good for three.
        let number = if number >= 9.95 || unit == "ms" { group(number.round()) } else { one_decimal(number) };
        f.pad(&format!("{number} {unit}"))
    }
}

impl Count {
    /// A large estimate to three significant digits: 23,773,583 becomes 23,800,000.
    #[must_use]
    pub fn rounded(self) -> Count {
        let size = self.0.abs();
        if size < 1000.0 || !size.is_finite() {
            return Count(self.0.round());
        }
        let unit = 10_f64.powf(size.log10().floor() - 2.0);
        Count((self.0 / unit).round() * unit)
    }
}

/// A plus sign in front of what grew.
#[must_use]
pub(crate) fn signed(bytes: f64) -> String {
    let text = Bytes(bytes).to_string();
    if bytes > 0.0 && text != "0 B" { format!("+{text}") } else { text }
}

/// Three significant digits, no trailing zeros behind the point.
fn three_digits(number: f64) -> String {
    let decimals = match number {
        n if n >= 99.95 || n == 0.0 => 0,
        n if n >= 9.995 => 1,
        _ => 2,
    };
    plain(&format!("{number:.decimals$}"))
}

fn one_decimal(number: f64) -> String {
    plain(&format!("{number:.1}"))
}

/// Without zeros that say nothing.
fn plain(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

/// A minus sign (U+2212) for what is negative and does not round to zero.
fn sign(value: f64, number: &str) -> &'static str {
    let zero = number.chars().all(|c| matches!(c, '0' | '.'));
    if value < 0.0 && !zero { "−" } else { "" }
}

/// Groups the digits of a whole number by thousands.
fn group(whole: f64) -> String {
    let digits = format!("{whole:.0}");
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_binary_units_with_three_digits() {
        for (bytes, text) in [
            (0.0, "0 B"),
            (1.0, "1 B"),
            (0.25, "0.25 B"),
            (999.0, "999 B"),
            (1023.0, "1023 B"),
            (1024.0, "1 KiB"),
            (1536.0, "1.5 KiB"),
            (456_704.0, "446 KiB"),
            (1_048_575.0, "1 MiB"),
            (6.16 * 1_048_576.0, "6.16 MiB"),
            (2_147_483_648.0, "2 GiB"),
            (-64.0, "−64 B"),
            (-0.001, "0 B"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text, "{bytes}");
        }
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (count, text) in [
            (0.0, "0"),
            (7.0, "7"),
            (999.0, "999"),
            (1000.0, "1,000"),
            (1_234_567.0, "1,234,567"),
            (0.333, "0.33"),
            (12.34, "12.3"),
            (1234.5, "1,235"),
            (-12.0, "−12"),
        ] {
            assert_eq!(Count(count).to_string(), text, "{count}");
        }
    }

    #[test]
    fn times_are_written_in_the_unit_people_would_use() {
        for (seconds, text) in [
            (0.25, "250 ms"),
            (1.0, "1 s"),
            (90.0, "90 s"),
            (3600.0, "60 min"),
            (7200.0, "2 h"),
            (19_000.0, "5.3 h"),
            (40_000.0, "11 h"),
            (172_800.0, "2 days"),
            (365.0 * 86_400.0 * 3.0, "3 years"),
        ] {
            assert_eq!(Seconds(seconds).to_string(), text, "{seconds}");
        }
    }

    #[test]
    fn a_large_estimate_claims_no_more_than_three_digits() {
        assert_eq!(Count(23_773_583.0).rounded().to_string(), "23,800,000");
        assert_eq!(Count(999_999.0).rounded().to_string(), "1,000,000");
        assert_eq!(Count(123.4).rounded().to_string(), "123");
    }

    #[test]
    fn only_what_grew_gets_a_plus() {
        assert_eq!(signed(2048.0), "+2 KiB");
        assert_eq!(signed(-2048.0), "−2 KiB");
        assert_eq!(signed(0.0), "0 B");
    }

    #[test]
    fn padding_is_respected() {
        assert_eq!(format!("{:>8}", Bytes(1024.0)), "   1 KiB");
        assert_eq!(format!("{:<6}|", Count(12.0)), "12    |");
    }
}
