use serde::{Deserialize, Serialize};

use crate::Id;

/// How urgent a task is. The order is that of urgency: `Critical` is the greatest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// When there is nothing else to do.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Before the usual.
    High,
    /// Before everything.
    Critical,
}

/// A task somebody wants done.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// What it is about, in a line.
    pub title: String,
    /// What is to be done.
    #[serde(default)]
    pub description: String,
    /// How urgent it is.
    #[serde(default)]
    pub priority: Priority,
    /// The tracker's issue behind it. One issue is worked on by one task at a time.
    #[serde(default)]
    pub issue: Option<Id>,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits for a worker.
    Queued,
    /// Failed, and waits for its next attempt.
    Delayed,
    /// A worker has it.
    Active,
    /// Done.
    Done,
    /// Failed as often as it may.
    Failed,
}

impl State {
    /// Whether nothing more will happen to the task.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, State::Done | State::Failed)
    }
}

/// A task of the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id, given by the queue.
    pub id: Id,
    /// The tracker's issue behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<Id>,
    /// What it is about.
    pub title: String,
    /// What is to be done.
    pub description: String,
    /// How urgent it is.
    pub priority: Priority,
    /// Where it stands.
    pub state: State,
    /// Attempts begun.
    pub attempts: u32,
    /// When it was accepted, milliseconds since the Unix epoch.
    pub created_unix_ms: u64,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What came of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The session that did it.
    pub session: Id,
    /// What the agent says it did, cut to [`Outcome::RESULT_BYTES`].
    pub result: String,
    /// Models that approved.
    pub approved_by: Vec<String>,
}

impl Outcome {
    /// Longest result that is kept. The whole is in the session's transcript.
    pub const RESULT_BYTES: usize = 2_000;

    /// An outcome in memory of its own, whose result is cut to what is kept.
    #[must_use]
    pub fn new(session: &Id, result: &str, approved_by: &[String]) -> Outcome {
        let result = result[..result.floor_char_boundary(Self::RESULT_BYTES)].to_owned();
        Outcome { session: session.clone(), result, approved_by: approved_by.to_vec() }
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The reason.
    pub why: String,
    /// Whether the task is to be tried again.
    pub again: bool,
}
