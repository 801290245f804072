use serde::{Deserialize, Serialize};

use super::SessionSummary;
use crate::Id;

/// A line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Entry {
    /// A run begins.
    Start {
        at_unix_ms: u64,
        prompt: String,
        resumed: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issue: Option<Id>,
    },
    /// The agent has begun.
    System { session_id: String },
    /// The agent says something.
    Assistant { text: String },
    /// The agent uses a tool.
    ToolUse { id: String, name: String },
    /// What the tool gave, with the tool's name.
    ToolResult { tool_use_id: String, tool: Option<String>, text: String },
    /// The agent's result.
    Result { text: String },
    /// The agent's error.
    Error { code: String, message: String },
    /// The run has ended.
    End(SessionSummary),
}

impl Entry {
    /// The entry as a line of JSON.
    pub(super) fn line(&self) -> serde_json::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }
}
