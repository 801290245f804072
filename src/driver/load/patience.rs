use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Ends what takes too long. The timer is kept from one wait to the next and moved only when it goes off, so that a wait
/// that ends well costs no work on the runtime's timers.
#[derive(Debug)]
pub(super) struct Patience {
    longest: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    pub(super) fn new(longest: Duration) -> Patience {
        Patience { longest, timer: None }
    }

    /// What a future comes to; none if it takes too long.
    pub(super) async fn wait<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let (longest, mut until) = (self.longest, None);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            let until = *until.get_or_insert_with(|| Instant::now() + longest);
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
            while timer.as_mut().poll(cx).is_ready() {
                if Instant::now() >= until {
                    return Poll::Ready(None);
                }
                // It was set by an earlier wait.
                timer.as_mut().reset(until);
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::sleep;

    use super::*;

    #[tokio::test]
    async fn what_takes_too_long_ends_and_what_does_not_is_left_alone() {
        let longest = Duration::from_millis(60);
        let mut patience = Patience::new(longest);
        for _ in 0..5 {
            assert_eq!(patience.wait(async { 1 }).await, Some(1));
            // Together they take longer than any one may.
            assert_eq!(patience.wait(sleep(Duration::from_millis(20))).await, Some(()));
        }
        let start = Instant::now();
        assert_eq!(patience.wait(pending::<()>()).await, None);
        assert!(start.elapsed() >= longest);
        assert_eq!(patience.wait(sleep(Duration::from_millis(20))).await, Some(()));
    }
}
