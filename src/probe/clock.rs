//! The server's one clock: real time, and what a scenario advanced it by.
//!
//! A server that takes its time from here can be soaked through its five-minute rules in milliseconds: an advance moves
//! [`unix_ms`] and [`monotonic`] forward and wakes every [`sleep`] that became due. Without a driver nothing is ever
//! advanced, and the clock is the system's.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Sum of all advances, in milliseconds.
static ADVANCED_MS: AtomicU64 = AtomicU64::new(0);

#[cfg(feature = "tokio")]
static ADVANCE: tokio::sync::Notify = tokio::sync::Notify::const_new();

/// Milliseconds since the Unix epoch, advances included.
#[must_use]
pub fn unix_ms() -> u64 {
    let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(real.as_millis()).unwrap_or(u64::MAX).saturating_add(advanced_ms())
}

/// Time since the first reading in this process, advances included. Never goes back.
#[must_use]
pub fn monotonic() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed() + Duration::from_millis(advanced_ms())
}

/// Moves the clock forward and returns the sum of all advances.
pub fn advance(by: Duration) -> Duration {
    let by_ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    let sum = ADVANCED_MS.fetch_add(by_ms, Ordering::Relaxed).saturating_add(by_ms);
    #[cfg(feature = "tokio")]
    ADVANCE.notify_waiters();
    Duration::from_millis(sum)
}

/// Sum of all advances, in milliseconds.
pub(crate) fn advanced_ms() -> u64 {
    ADVANCED_MS.load(Ordering::Relaxed)
}

/// Sleeps until the clock has moved on by `duration`; an advance that makes it due wakes it at once.
///
/// # Panics
///
/// When polled outside a tokio runtime with its timer enabled, as `tokio::time::sleep` does.
#[cfg(feature = "tokio")]
pub async fn sleep(duration: Duration) {
    let due = monotonic().saturating_add(duration);
    loop {
        // Made before the clock is read: an advance in between is not missed.
        let advanced = ADVANCE.notified();
        let left = due.saturating_sub(monotonic());
        if left.is_zero() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(left) => {}
            () = advanced => {}
        }
    }
}

/// The output of `future`, or none if the clock moves on by `duration` first.
///
/// # Panics
///
/// As [`sleep`].
#[cfg(feature = "tokio")]
pub async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = sleep(duration) => None,
    }
}

#[cfg(all(test, feature = "tokio"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_advance_wakes_the_sleeps_that_are_due_and_no_others() {
        let short = tokio::spawn(sleep(Duration::from_secs(300)));
        let long = tokio::spawn(sleep(Duration::from_secs(100_000)));
        let before = (unix_ms(), monotonic());
        tokio::task::yield_now().await;
        advance(Duration::from_secs(301));
        tokio::time::timeout(Duration::from_secs(5), short).await.expect("it is due").unwrap();
        assert!(unix_ms() >= before.0 + 301_000);
        assert!(monotonic() >= before.1 + Duration::from_secs(301));
        assert!(!long.is_finished());
        long.abort();
    }

    #[tokio::test]
    async fn a_timeout_gives_the_output_when_there_is_one() {
        assert_eq!(timeout(Duration::from_secs(60), async { 7 }).await, Some(7));
    }
}
