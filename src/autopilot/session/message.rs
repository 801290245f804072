use serde::{Deserialize, Serialize};

use crate::Id;

/// The one line an agent is started with.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "start")]
pub(super) struct Start<'a> {
    pub(super) prompt: &'a str,
    /// The server's name for the session.
    pub(super) session: &'a Id,
    /// The same name, when the agent is to go on with the session.
    pub(super) resume: Option<&'a Id>,
}

/// A line an agent writes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Message {
    System {
        #[serde(default)]
        session_id: String,
    },
    Assistant {
        text: String,
    },
    ToolUse {
        id: String,
        name: String,
    },
    ToolResult {
        tool_use_id: String,
        #[serde(default)]
        text: String,
    },
    Result {
        text: String,
    },
    Error {
        code: String,
        message: String,
    },
    /// Of a newer agent.
    #[serde(other)]
    Other,
}

/// Error code of an agent whose own session has expired.
pub(super) const EXPIRED: &str = "session_expired";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_an_agent_are_read() {
        let read = |line: &str| serde_json::from_str::<Message>(line);
        assert_eq!(
            read(r#"{"type":"tool_use","id":"t1","name":"search","input":{}}"#).unwrap(),
            Message::ToolUse { id: "t1".to_owned(), name: "search".to_owned() }
        );
        assert_eq!(
            read(r#"{"type":"error","code":"session_expired","message":"gone"}"#).unwrap(),
            Message::Error { code: EXPIRED.to_owned(), message: "gone".to_owned() }
        );
        assert_eq!(read(r#"{"type":"thought","about":"lunch"}"#).unwrap(), Message::Other);
        assert!(read(r#"{"id":"t1"}"#).is_err());
        assert!(read(r#"{"type":"tool_use","id":1}"#).is_err());
    }
}
