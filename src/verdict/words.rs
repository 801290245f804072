//! Numbers in sentences: bytes in binary units (1 KiB = 1,024 bytes), as everywhere in a report.

use crate::judgement::Growth;

const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

/// `446 KiB`, `1.3 MiB`.
pub(crate) fn bytes(value: f64) -> String {
    let mut size = value.abs();
    let mut unit = 0;
    while size >= 1023.5 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let sign = if value < 0.0 && size >= 0.05 { "-" } else { "" };
    let digits =
        usize::from(size < 99.95 && (unit > 0 || size < 9.95) && (size - size.round()).abs() >= 0.05);
    format!("{sign}{size:.digits$} {}", UNITS[unit])
}

/// `12,345`; below ten with a decimal where there is one.
pub(crate) fn count(value: f64) -> String {
    if value.abs() < 10.0 && (value - value.round()).abs() >= 0.05 {
        return format!("{value:.1}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if value <= -0.5 { format!("-{grouped}") } else { grouped }
}

/// `6 minutes`, `1.5 hours`, `250 ms`.
pub(crate) fn duration(ms: f64) -> String {
    let (value, unit) = match ms {
        ms if ms < 1000.0 => return format!("{ms:.0} ms"),
        ms if ms < 120_000.0 => (ms / 1000.0, "seconds"),
        ms if ms < 7_200_000.0 => (ms / 60_000.0, "minutes"),
        ms => (ms / 3_600_000.0, "hours"),
    };
    format!("{} {unit}", count(value))
}

/// `64 KiB (62 KiB to 66 KiB)`.
pub(crate) fn growth(growth: Growth) -> String {
    format!("{} ({} to {})", bytes(growth.estimate), bytes(growth.low), bytes(growth.high))
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list<S: AsRef<str>>(words: &[S]) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

/// `1 cycle`, `2 cycles`.
pub(crate) fn plural(number: usize, word: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {word}{ending}", count(number as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_with_at_most_one_decimal() {
        for (value, text) in [
            (0.0, "0 B"),
            (7.5, "7.5 B"),
            (1023.0, "1023 B"),
            (1024.0, "1 KiB"),
            (1536.0, "1.5 KiB"),
            (456_704.0, "446 KiB"),
            (-2048.0, "-2 KiB"),
            (1_048_575.0, "1 MiB"),
            (9.95, "10 B"),
            (102_348.8, "100 KiB"),
            (-0.01, "0 B"),
            (2000.0 * 1_099_511_627_776.0, "2000 TiB"),
        ] {
            assert_eq!(bytes(value), text);
        }
    }

    #[test]
    fn counts_are_grouped_and_lists_read_like_english() {
        assert_eq!(count(1_234_567.0), "1,234,567");
        assert_eq!(count(0.25), "0.2");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(plural(1, "cycle"), "1 cycle");
        assert_eq!(duration(360_000.0), "6 minutes");
        assert_eq!(duration(90_000.0), "90 seconds");
        assert_eq!(duration(640.0), "640 ms");
        assert_eq!(duration(120_000.0), "2 minutes");
        assert_eq!(duration(7_200_000.0), "2 hours");
        assert_eq!(duration(9_000_000.0), "2.5 hours");
    }
}
