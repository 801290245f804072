//! Dates of reports, in UTC.

use jiff::Timestamp;

/// `2026-03-01 14:05 UTC` from milliseconds since the Unix epoch; the epoch for what no calendar holds.
pub(crate) fn utc(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.unwrap_or(Timestamp::UNIX_EPOCH).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn dates_agree_with_the_calendar() {
        assert_eq!(utc(0), "1970-01-01 00:00 UTC");
        assert_eq!(utc(951_782_400_000), "2000-02-29 00:00 UTC");
        assert_eq!(utc(1_767_225_599_000), "2025-12-31 23:59 UTC");
        assert_eq!(utc(1_772_373_900_000), "2026-03-01 14:05 UTC");
    }
}
