//! What stays in memory of sessions that have ended.

mod as_found;
mod fixed;

use std::path::Path;

use super::SessionSummary;
use super::entry::Entry;
use crate::Id;

/// Finished sessions in memory.
#[derive(Debug)]
pub(super) enum History {
    Fixed(fixed::History),
    AsFound(as_found::History),
}

impl History {
    /// Summaries of the last few sessions, everything else stays on disk.
    pub(super) fn bounded(kept: usize) -> History {
        History::Fixed(fixed::History::new(kept))
    }

    /// As found: everything, starting with what the last run of the server left on disk.
    pub(super) fn unbounded(folder: &Path) -> History {
        History::AsFound(as_found::History::reload(folder))
    }

    /// Whether whole transcripts are wanted.
    pub(super) fn wants_transcripts(&self) -> bool {
        matches!(self, History::AsFound(_))
    }

    /// Remembers a session that has ended.
    pub(super) fn remember(&self, summary: SessionSummary, transcript: Vec<Entry>) {
        match self {
            History::Fixed(history) => history.remember(summary),
            History::AsFound(history) => history.remember(summary, transcript),
        }
    }

    /// The summary of a session, if it is in memory.
    pub(super) fn get(&self, id: &Id) -> Option<SessionSummary> {
        match self {
            History::Fixed(history) => history.get(id),
            History::AsFound(history) => history.get(id),
        }
    }

    /// Sessions in memory.
    pub(super) fn len(&self) -> usize {
        match self {
            History::Fixed(history) => history.len(),
            History::AsFound(history) => history.len(),
        }
    }
}
