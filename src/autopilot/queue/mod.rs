//! Keeps tasks by priority until a worker runs them, across restarts.

mod as_found;
mod board;
mod fixed;
mod gauges;
mod line;
mod record;
mod store;
mod task;
mod worker;

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heapsoak_probe::{Component, Context, clock};
use tokio::sync::Notify;

use self::board::{Board, Next};
pub use self::board::{Claim, Counts};
use self::record::Record;
use self::store::Store;
pub use self::task::{Failure, NewTask, Outcome, Priority, State, Task};
pub use self::worker::{Execute, Workers};
use crate::{Config, Defect, Id};

/// Component that the queue's memory is charged to.
pub static QUEUE: Component = Component::new("queue");

/// Name of the queue's file in the data folder: one JSON object a line.
pub const FILE: &str = "queue.json";

/// Why the queue does not take a task.
#[derive(Debug, thiserror::Error)]
pub enum NotQueued {
    /// As many tasks wait as may.
    #[error("the queue is full ({0} tasks wait): try again later")]
    Full(usize),
    /// There is a task for this issue that is not finished.
    #[error("issue '{issue}' is in the queue already, as task '{task}'")]
    Duplicate {
        /// The issue.
        issue: Id,
        /// Its task.
        task: Id,
    },
    /// The task can't be kept across a restart, so it is not accepted.
    #[error("can't write {path}: {source}; the task was not accepted, the tasks in the queue are kept")]
    Unwritable {
        /// The queue's file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The server stops.
    #[error("the server is shutting down")]
    Stopping,
}

/// The queue of tasks.
///
/// A change is written to the file before anybody is told of it, and while the queue is locked, so that the order of
/// the lines is the order of the changes. A write is a line appended to the page cache; it is not synced to the disk,
/// so tasks outlive the server, but not a power failure in the same second.
pub struct Queue {
    inner: Mutex<Inner>,
    changed: Notify,
    backoff: Duration,
    /// As found (`queue.fails-open`): a task is accepted and claimed even if that can't be written. Fixed: it is refused.
    fails_open: bool,
}

struct Inner {
    board: Board,
    store: Box<dyn Store>,
    /// Whether the last write worked.
    writable: bool,
    stopping: bool,
}

impl Queue {
    /// Opens the queue in the configured data folder, with the tasks left there by an earlier server.
    ///
    /// # Errors
    ///
    /// Fails if the file can't be read or written, or is not the file of a queue.
    pub fn open(config: &Config) -> io::Result<Queue> {
        let path = config.data.join(FILE);
        let mut board = Board::new(config);
        for task in record::read(&path, config.finished_tasks)? {
            board.restore(task);
        }
        let mut store: Box<dyn Store> = if config.as_found.has(Defect::QueueRewriteFile) {
            Box::new(as_found::WholeFile::new(path))
        } else {
            Box::new(fixed::Log::new(path))
        };
        store.replace(&mut board.records())?;
        let inner = Inner { board, store, writable: true, stopping: false };
        inner.publish();
        Ok(Queue {
            inner: Mutex::new(inner),
            changed: Notify::new(),
            backoff: config.retry_backoff,
            fails_open: config.as_found.has(Defect::QueueFailsOpen),
        })
    }

    /// Takes a task, to be run in the context of the caller.
    ///
    /// # Errors
    ///
    /// See [`NotQueued`].
    pub fn add(&self, new: NewTask) -> Result<Id, NotQueued> {
        let mut inner = self.locked();
        if inner.stopping {
            return Err(NotQueued::Stopping);
        }
        let id = inner.board.add(new, Context::current())?;
        if let Err(source) = inner.write(&id, Record::added)
            && !self.fails_open
        {
            inner.board.withdraw(&id);
            inner.publish();
            return Err(NotQueued::Unwritable { path: inner.store.path().to_owned(), source });
        }
        inner.publish();
        drop(inner);
        self.changed.notify_waiters();
        Ok(id)
    }

    /// A task, as long as it waits, runs, or is among the last finished ones.
    #[must_use]
    pub fn task(&self, id: &Id) -> Option<Task> {
        self.locked().board.task(id).cloned()
    }

    /// All tasks in memory, oldest first, each seen by `look`.
    pub fn each<T>(&self, look: impl FnMut(&Task) -> T) -> Vec<T> {
        self.locked().board.tasks().map(look).collect()
    }

    /// How many tasks are in which state.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.locked().board.counts()
    }

    /// Whether the last write to the file worked.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.locked().writable
    }

    /// Whether it is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.locked().board.is_paused()
    }

    /// Holds waiting tasks back, or lets them go on. Running tasks are not touched.
    pub fn pause(&self, paused: bool) {
        let mut inner = self.locked();
        inner.board.pause(paused);
        inner.publish();
        drop(inner);
        self.changed.notify_waiters();
    }

    /// Hands out no further task and accepts none.
    pub fn stop(&self) {
        self.locked().stopping = true;
        self.changed.notify_waiters();
    }

    /// Writes what could not be written before, if there is anything.
    ///
    /// # Errors
    ///
    /// Fails if the file still can't be written.
    pub fn flush(&self) -> io::Result<()> {
        let mut inner = self.locked();
        if inner.writable { Ok(()) } else { inner.replace() }
    }

    /// The task whose turn it is; waits for one. None once the queue was stopped.
    pub async fn next(&self) -> Option<Claim> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable(); // from here on no change is missed
            match self.claim() {
                Next::Stopped => return None,
                Next::Claim(claim) => return Some(claim),
                Next::Wait(None) => changed.await,
                Next::Wait(Some(due)) => {
                    tokio::select! {
                        () = changed => {}
                        () = clock::sleep(due) => {}
                    }
                }
            }
        }
    }

    fn claim(&self) -> Next {
        let mut inner = self.locked();
        loop {
            if inner.stopping {
                return Next::Stopped;
            }
            let next = inner.board.claim(clock::monotonic());
            if let Next::Claim(claim) = &next {
                let _scope = claim.context.enter();
                if inner.write(&claim.id, Record::changed).is_err() && self.fails_open {
                    // As found: the error is dropped, and with it the task: it stays active, and nobody runs it.
                    inner.board.strand_claimed();
                    continue;
                }
            }
            inner.publish();
            return next;
        }
    }

    /// Notes how a claimed task went. A failed one waits for its next attempt, unless it was the last.
    pub fn finish(&self, id: &Id, went: Result<Outcome, Failure>) {
        let mut inner = self.locked();
        inner.board.finish(id, went, clock::monotonic(), self.backoff);
        // What can't be written now is written with the next change that can: the store knows that it is behind.
        let _ = inner.write(id, Record::changed);
        inner.board.drop_oldest_finished();
        inner.publish();
        drop(inner);
        self.changed.notify_waiters();
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn write(&mut self, id: &Id, record: fn(&Task) -> Record<'_>) -> io::Result<()> {
        let Some(task) = self.board.task(id) else { return Ok(()) };
        let written = self.store.write(&record(task), &mut self.board.records());
        self.writable = written.is_ok();
        written
    }

    fn replace(&mut self) -> io::Result<()> {
        let written = self.store.replace(&mut self.board.records());
        self.writable = written.is_ok();
        written
    }

    fn publish(&self) {
        gauges::publish(&self.board.counts());
    }
}

#[cfg(test)]
mod tests;
