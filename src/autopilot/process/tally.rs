use tokio::sync::watch;

/// Counts what is under way, and can be waited for.
#[derive(Debug)]
pub(crate) struct Tally(watch::Sender<usize>);

/// One thing under way, until dropped.
#[derive(Debug)]
pub(crate) struct Presence(watch::Sender<usize>);

impl Tally {
    pub(crate) fn new() -> Tally {
        Tally(watch::Sender::new(0))
    }

    /// Counts one more until the guard is dropped.
    pub(crate) fn enter(&self) -> Presence {
        self.0.send_modify(|count| *count += 1);
        Presence(self.0.clone())
    }

    /// Waits until nothing is under way.
    pub(crate) async fn empty(&self) {
        // Can't fail: the sender is alive as long as `self`.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
