use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use heapsoak_probe::clock;
use tokio_util::sync::CancellationToken;

use super::{SessionError, SessionRequest, SessionState, SessionSummary};
use crate::Id;

/// The running sessions.
#[derive(Debug)]
pub(super) struct Running {
    places: Mutex<HashMap<Id, Status>>,
    /// Sessions at once; none when there is no limit.
    limit: Option<usize>,
}

/// What others may know of a running session, and do to it.
#[derive(Debug, Clone)]
pub(super) struct Status {
    pub(super) cancel: CancellationToken,
    pub(super) tools: Arc<AtomicUsize>,
    pub(super) started_unix_ms: u64,
    issue: Option<Id>,
}

/// A session's place among the running ones, until dropped.
#[derive(Debug)]
pub(super) struct Place {
    running: Arc<Running>,
    id: Id,
    pub(super) status: Status,
}

impl Running {
    pub(super) fn new(limit: Option<usize>) -> Arc<Running> {
        Arc::new(Running { places: Mutex::default(), limit })
    }

    /// Takes a place. `stop` cancels the session as well.
    ///
    /// # Errors
    ///
    /// Fails if every place is taken, if the session runs already, and when the server stops.
    pub(super) fn take_place(
        self: &Arc<Self>,
        id: &Id,
        request: &SessionRequest,
        stop: &CancellationToken,
    ) -> Result<Place, SessionError> {
        let mut places = self.lock();
        // Looked at under the lock: a session begun after the stop would not be waited for.
        if stop.is_cancelled() {
            return Err(SessionError::Stopping);
        }
        if places.contains_key(id) {
            return Err(SessionError::Busy { id: id.clone() });
        }
        if let Some(limit) = self.limit
            && places.len() >= limit
        {
            return Err(SessionError::TooMany { limit });
        }
        let status = Status {
            cancel: stop.child_token(),
            tools: Arc::default(),
            started_unix_ms: clock::unix_ms(),
            issue: request.issue.clone(),
        };
        places.insert(id.clone(), status.clone());
        Ok(Place { running: self.clone(), id: id.clone(), status })
    }

    /// The summary of a running session.
    pub(super) fn get(&self, id: &Id) -> Option<SessionSummary> {
        self.lock().get(id).map(|status| SessionSummary {
            id: id.clone(),
            state: SessionState::Running,
            issue: status.issue.clone(),
            tools: status.tools.load(Ordering::Relaxed),
            result: None,
            error: None,
            started_unix_ms: status.started_unix_ms,
        })
    }

    /// Cancels a session; false when it isn't running.
    pub(super) fn cancel(&self, id: &Id) -> bool {
        self.lock().get(id).map(|status| status.cancel.cancel()).is_some()
    }

    /// Sessions running.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Status>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.running.lock().remove(&self.id);
    }
}
