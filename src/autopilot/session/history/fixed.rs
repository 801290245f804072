use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::Id;
use crate::session::{KEPT, SessionSummary};

/// The summaries of the sessions that ended last, at most as many as configured.
#[derive(Debug)]
pub(crate) struct History {
    /// None when nothing is to be kept.
    summaries: Option<Mutex<LruCache<Id, SessionSummary>>>,
}

impl History {
    pub(super) fn new(kept: usize) -> History {
        History { summaries: NonZeroUsize::new(kept).map(|kept| Mutex::new(LruCache::new(kept))) }
    }

    pub(super) fn remember(&self, summary: SessionSummary) {
        if let Some(mut summaries) = self.lock() {
            let before = summaries.len();
            summaries.push(summary.id.clone(), summary);
            if summaries.len() > before {
                KEPT.add(1);
            }
        }
    }

    pub(super) fn get(&self, id: &Id) -> Option<SessionSummary> {
        self.lock()?.peek(id).cloned()
    }

    pub(super) fn len(&self) -> usize {
        self.lock().map_or(0, |summaries| summaries.len())
    }

    fn lock(&self) -> Option<MutexGuard<'_, LruCache<Id, SessionSummary>>> {
        self.summaries.as_ref().map(|summaries| summaries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for History {
    fn drop(&mut self) {
        KEPT.add(-i64::try_from(self.len()).unwrap_or(i64::MAX));
    }
}
