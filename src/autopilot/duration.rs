use std::time::Duration;

/// A duration on the command line that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a duration: write a number and a unit (ms, s, m or h), e.g. 250ms, 30s, 5m")]
pub struct UnreadableDuration(String);

/// Reads `250ms`, `30s`, `5m` or `1h`.
///
/// # Errors
///
/// Fails on anything but a whole number followed by one of the four units, and on durations beyond the clock.
pub fn parse_duration(text: &str) -> Result<Duration, UnreadableDuration> {
    let refused = || UnreadableDuration(text.to_owned());
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| refused())?;
    let factor = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(refused()),
    };
    number.checked_mul(factor).map(Duration::from_millis).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_secs(7200)));
    }

    #[test]
    fn a_number_without_unit_and_other_nonsense_is_refused() {
        for text in
            ["", "5", "m", "-5m", "5 m", "5d", "1.5s", "99999999999999999999s", "18446744073709551615h", "5µ"]
        {
            assert!(parse_duration(text).is_err(), "{text:?} was accepted");
        }
    }
}
