use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::{Claim, Failure, Outcome, QUEUE, Queue};

/// Runs a task. The future is dropped if the server has to stop before it is done.
pub trait Execute: Send + Sync + 'static {
    /// One attempt.
    fn execute<'a>(
        &'a self,
        claim: &'a Claim,
    ) -> Pin<Box<dyn Future<Output = Result<Outcome, Failure>> + Send + 'a>>;
}

/// The workers of a queue.
pub struct Workers {
    queue: Arc<Queue>,
    handles: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts workers that take tasks until the queue is stopped.
    #[must_use]
    pub fn start(queue: &Arc<Queue>, executor: &Arc<impl Execute>, number: usize) -> Workers {
        let handles = (0..number)
            .map(|_| {
                let (queue, executor) = (Arc::clone(queue), Arc::clone(executor));
                tokio::spawn(QUEUE.charge(async move { work(&queue, executor.as_ref()).await }))
            })
            .collect();
        Workers { queue: Arc::clone(queue), handles }
    }

    /// Waits until every worker has finished its task; after `grace` ends those that have not. Their tasks stay in the
    /// file as they are and are queued again by the next server.
    pub async fn stop(self, grace: Duration) {
        self.queue.stop();
        let mut handles = self.handles;
        let all = futures_util::future::join_all(handles.iter_mut());
        if tokio::time::timeout(grace, all).await.is_err() {
            for handle in &handles {
                handle.abort();
            }
            for handle in handles.into_iter().filter(|handle| !handle.is_finished()) {
                // It was told to end: the error says so.
                let _ = handle.await;
            }
        }
    }
}

async fn work(queue: &Queue, executor: &impl Execute) {
    while let Some(claim) = queue.next().await {
        let context = claim.context;
        let attempt = async {
            let went = executor.execute(&claim).await;
            queue.finish(&claim.id, went);
            drop(claim);
        };
        context.charge(attempt).await;
    }
}
