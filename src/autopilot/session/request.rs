use crate::Id;

/// A session to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRequest {
    /// What the agent is asked to do.
    pub prompt: String,
    /// The session to go on with; none for a new one.
    pub resume: Option<Id>,
    /// The tracker's issue it is about.
    pub issue: Option<Id>,
}

/// What came of a session that ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionOutcome {
    /// The session.
    pub id: Id,
    /// The agent's result.
    pub result: String,
    /// Tool uses.
    pub tools: usize,
}
