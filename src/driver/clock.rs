use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time of a run: real time, and the server's own clock, which the run advances.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
    advanced_ms: u64,
}

impl Clock {
    /// Starts now.
    pub(crate) fn start() -> Clock {
        Clock { start: Instant::now(), advanced_ms: 0 }
    }

    /// Goes on with the clock of a run that began then and whose server's clock was advanced so far.
    pub(crate) fn resume(started_unix_ms: u64, advanced_ms: u64) -> Clock {
        let before = Duration::from_millis(unix_now_ms().saturating_sub(started_unix_ms));
        let now = Instant::now();
        Clock { start: now.checked_sub(before).unwrap_or(now), advanced_ms }
    }

    /// Notes how far the server's clock has been advanced in all.
    pub(crate) fn set_advanced(&mut self, advanced_ms: u64) {
        self.advanced_ms = advanced_ms;
    }

    /// How far the server's clock has been advanced in all, in milliseconds.
    pub(crate) fn advanced_ms(&self) -> u64 {
        self.advanced_ms
    }

    /// Real time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Real time since the start in milliseconds.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        to_ms(self.elapsed())
    }

    /// The server's clock since the start in milliseconds.
    pub(crate) fn server_elapsed_ms(&self) -> u64 {
        self.elapsed_ms() + self.advanced_ms
    }

    /// The server's clock in Unix milliseconds.
    pub(crate) fn server_now_ms(&self) -> u64 {
        unix_now_ms() + self.advanced_ms
    }
}

/// Real time in Unix milliseconds.
pub(crate) fn unix_now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, to_ms)
}

/// A length of time in whole milliseconds.
pub(crate) fn to_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
