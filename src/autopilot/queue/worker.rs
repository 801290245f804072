use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
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
            let panicked = |_| Err(Failure { why: "the attempt panicked".to_owned(), again: false });
            let went =
                AssertUnwindSafe(executor.execute(&claim)).catch_unwind().await.unwrap_or_else(panicked);
            queue.finish(&claim.id, went);
            drop(claim);
        };
        context.charge(attempt).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::queue::{NewTask, Priority, State};
    use crate::testing::config;

    /// Does what the title says.
    #[derive(Default)]
    struct Obedient {
        at_once: AtomicUsize,
        most_at_once: AtomicUsize,
    }

    impl Execute for Obedient {
        fn execute<'a>(
            &'a self,
            claim: &'a Claim,
        ) -> Pin<Box<dyn Future<Output = Result<Outcome, Failure>> + Send + 'a>> {
            Box::pin(async {
                let now = self.at_once.fetch_add(1, Ordering::Relaxed) + 1;
                self.most_at_once.fetch_max(now, Ordering::Relaxed);
                tokio::task::yield_now().await;
                match claim.prompt.trim() {
                    "panic" => panic!("as told"),
                    "hang" => std::future::pending().await,
                    _ => {}
                }
                self.at_once.fetch_sub(1, Ordering::Relaxed);
                Ok(Outcome::new(&"session-1".parse().unwrap(), "done", &[]))
            })
        }
    }

    fn add(queue: &Queue, title: &str) -> crate::Id {
        let (title, description) = (title.to_owned(), String::new());
        queue.add(NewTask { title, description, priority: Priority::Normal, issue: None }).unwrap()
    }

    async fn until(queue: &Queue, done: impl Fn(&Queue) -> bool) {
        let waited = async {
            while !done(queue) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waited).await.expect("it comes to that");
    }

    #[tokio::test]
    async fn as_many_tasks_run_at_once_as_there_are_workers() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Arc::new(Queue::open(&config(folder.path(), "none")).unwrap());
        let executor = Arc::new(Obedient::default());
        for _ in 0..50 {
            add(&queue, "work");
        }
        let workers = Workers::start(&queue, &executor, 3);
        until(&queue, |queue| queue.counts().finished == 50).await;
        assert_eq!(executor.most_at_once.load(Ordering::Relaxed), 3);
        workers.stop(Duration::from_secs(10)).await;
    }

    #[tokio::test]
    async fn a_panic_costs_the_task_and_not_the_worker() {
        let folder = tempfile::tempdir().unwrap();
        let queue = Arc::new(Queue::open(&config(folder.path(), "none")).unwrap());
        let workers = Workers::start(&queue, &Arc::new(Obedient::default()), 1);
        let lost = add(&queue, "panic");
        let done = add(&queue, "work");
        until(&queue, |queue| queue.counts().finished == 2).await;
        assert_eq!(queue.task(&lost).unwrap().state, State::Failed);
        assert_eq!(queue.task(&done).unwrap().state, State::Done);
        workers.stop(Duration::from_secs(10)).await;
    }

    #[tokio::test]
    async fn a_task_that_does_not_end_is_dropped_at_the_stop_and_stays_active_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), "none");
        let queue = Arc::new(Queue::open(&config).unwrap());
        let workers = Workers::start(&queue, &Arc::new(Obedient::default()), 1);
        let id = add(&queue, "hang");
        until(&queue, |queue| queue.counts().running == 1).await;
        workers.stop(Duration::from_millis(10)).await;
        assert_eq!(queue.task(&id).unwrap().state, State::Active);
        drop(queue);
        assert_eq!(Queue::open(&config).unwrap().task(&id).unwrap().state, State::Queued);
    }
}
