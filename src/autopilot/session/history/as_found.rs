use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Id;
use crate::session::entry::Entry;
use crate::session::transcript::entries;
use crate::session::{KEPT, SessionSummary};

/// Every session that ever ended, with its transcript.
#[derive(Debug)]
pub(crate) struct History {
    sessions: Mutex<HashMap<Id, Finished>>,
}

#[derive(Debug)]
struct Finished {
    summary: SessionSummary,
    transcript: Vec<Entry>,
}

impl History {
    /// As found: what a restart freed is loaded again.
    pub(super) fn reload(folder: &Path) -> History {
        let history = History { sessions: Mutex::default() };
        for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let transcript = entries(&file.path()).unwrap_or_default();
            if let Some(Entry::End(summary)) = transcript.last() {
                history.remember(summary.clone(), transcript);
            }
        }
        history
    }

    pub(super) fn remember(&self, summary: SessionSummary, transcript: Vec<Entry>) {
        let mut sessions = self.lock();
        if let Some(finished) = sessions.get_mut(&summary.id) {
            finished.summary = summary;
            finished.transcript.extend(transcript);
        } else {
            sessions.insert(summary.id.clone(), Finished { summary, transcript });
            KEPT.add(1);
        }
    }

    pub(super) fn get(&self, id: &Id) -> Option<SessionSummary> {
        self.lock().get(id).map(|finished| finished.summary.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Finished>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for History {
    fn drop(&mut self) {
        KEPT.add(-i64::try_from(self.len()).unwrap_or(i64::MAX));
    }
}
