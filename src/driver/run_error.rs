use std::fmt;

/// Why there is no recording.
///
/// A target that dies once its run has begun is no error: the recording until then ends with
/// [`Outcome::TargetDied`](heapsoak_record::Outcome::TargetDied).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// What the user gave can't be used: a program that is not there, a port in use, an argument the server refuses.
    #[error("{0}")]
    Input(String),
    /// The target did not start, or not as a server with the probe.
    #[error("{0}")]
    WouldNotStart(String),
    /// The run was stopped before the target was ready.
    #[error("stopped before the server was ready")]
    Interrupted,
    /// The driver itself failed.
    #[error("{0}")]
    Internal(String),
}

impl RunError {
    pub(crate) fn internal(what: &str, error: impl fmt::Display) -> RunError {
        RunError::Internal(format!("{what}: {error}"))
    }
}
