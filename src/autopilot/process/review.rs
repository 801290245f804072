use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use super::Verdict;

/// A text to be reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRequest {
    /// The text.
    pub text: String,
    /// Models to ask; empty means those of the configuration.
    pub models: Vec<String>,
}

/// What became of one model's review.
#[derive(Debug)]
pub struct Review {
    /// The model asked.
    pub model: String,
    /// Its verdict, or why there is none.
    pub verdict: Result<Verdict, ReviewError>,
}

/// Why a model gave no verdict.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The reviewer's command can't be started.
    #[error("can't start reviewer '{program}': {source}; check --reviewer-command")]
    Start {
        /// The program.
        program: String,
        /// The system's answer.
        source: io::Error,
    },
    /// The reviewer ended with an error.
    #[error("the reviewer failed with {status}: {stderr}")]
    Failed {
        /// How it ended.
        status: ExitStatus,
        /// The last line it wrote to stderr.
        stderr: String,
    },
    /// The reviewer ended well and gave no verdict.
    #[error("the reviewer's output does not start with APPROVE or REJECT: '{start}'")]
    NoVerdict {
        /// The first line of its output.
        start: String,
    },
    /// The reviewer took too long and was ended.
    #[error("the reviewer timed out after {} s", .after.as_secs_f32())]
    TimedOut {
        /// How long it had.
        after: Duration,
    },
    /// The reviewer's pipes or its end can't be read.
    #[error("can't follow the reviewer: {0}")]
    Lost(#[source] io::Error),
    /// The server stops.
    #[error("the server is shutting down")]
    Stopping,
}
