use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::Id;
use crate::tracker::TrackerError;

/// Why a session has no result.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// As many sessions run as may.
    #[error("{limit} sessions are running, which is the limit: try again later")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// There is no such session to go on with.
    #[error("there is no session '{id}' to resume")]
    Unknown {
        /// The session asked for.
        id: Id,
    },
    /// The session to go on with is still running.
    #[error("session '{id}' is still running")]
    Busy {
        /// The session asked for.
        id: Id,
    },
    /// The agent's command can't be started.
    #[error("can't start agent '{program}': {source}; check --agent-command")]
    Start {
        /// The session.
        id: Id,
        /// The program.
        program: String,
        /// The system's answer.
        source: io::Error,
    },
    /// The agent ended with an error, or without a result.
    #[error("the agent failed: {why}")]
    Agent {
        /// The session.
        id: Id,
        /// What it said, or how it ended.
        why: String,
    },
    /// The agent's own session has expired.
    #[error("the agent's session has expired{}", for_lack_of_comment(.uncommented.as_ref()))]
    Expired {
        /// The session.
        id: Id,
        /// Why the tracker could not be told, when it was to be.
        uncommented: Option<TrackerError>,
    },
    /// The session was cancelled.
    #[error("the session was cancelled")]
    Cancelled {
        /// The session.
        id: Id,
    },
    /// The session took too long and was ended.
    #[error("the session was ended at its deadline of {} s", .after.as_secs_f32())]
    TimedOut {
        /// The session.
        id: Id,
        /// How long it had.
        after: Duration,
    },
    /// The transcript can't be written.
    #[error("can't write the transcript {path}: {source}")]
    Transcript {
        /// The session.
        id: Id,
        /// The transcript.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The server stops.
    #[error("the server is shutting down")]
    Stopping,
}

impl SessionError {
    /// The session that failed; none when it was never begun.
    #[must_use]
    pub fn id(&self) -> Option<&Id> {
        match self {
            SessionError::Start { id, .. }
            | SessionError::Agent { id, .. }
            | SessionError::Expired { id, .. }
            | SessionError::Cancelled { id }
            | SessionError::TimedOut { id, .. }
            | SessionError::Transcript { id, .. } => Some(id),
            SessionError::TooMany { .. }
            | SessionError::Unknown { .. }
            | SessionError::Busy { .. }
            | SessionError::Stopping => None,
        }
    }
}

fn for_lack_of_comment(error: Option<&TrackerError>) -> String {
    error.map_or_else(String::new, |error| format!(", and the issue could not be commented on: {error}"))
}
