use serde::{Deserialize, Serialize};

use crate::Id;

/// Longest result or error kept in a summary, in bytes. The transcript has the whole.
const CLIPPED: usize = 1024;

/// What is known of a session without reading its transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSummary {
    /// The session.
    pub id: Id,
    /// How far it is.
    pub state: SessionState,
    /// The issue it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<Id>,
    /// Tool uses of its last run.
    pub tools: usize,
    /// The agent's result, cut short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Why it failed, cut short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When its last run began, in milliseconds since the Unix epoch.
    pub started_unix_ms: u64,
}

impl SessionSummary {
    /// Of a session whose server was killed before its end.
    pub(super) fn interrupted(id: &Id) -> SessionSummary {
        SessionSummary {
            id: id.clone(),
            state: SessionState::Interrupted,
            issue: None,
            tools: 0,
            result: None,
            error: None,
            started_unix_ms: 0,
        }
    }
}

/// How far a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionState {
    /// The agent is at work.
    Running,
    /// Ended with a result.
    Succeeded,
    /// The agent ended with an error, or without a result.
    Failed,
    /// The agent's own session has expired.
    Expired,
    /// Cancelled on request, or by the server's end.
    Cancelled,
    /// Ended at its deadline.
    TimedOut,
    /// The server ended before the session did.
    Interrupted,
}

/// Cuts a text to what a summary keeps, in memory of its own.
pub(super) fn clip(text: &str) -> String {
    text[..text.floor_char_boundary(CLIPPED)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(clip("short"), "short");
        assert_eq!(clip(&"ä".repeat(1000)).len(), CLIPPED);
        assert_eq!(clip(&format!("x{}", "ä".repeat(1000))).len(), CLIPPED - 1);
    }
}
