use std::time::Duration;

/// Why the tracker gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum TrackerError {
    /// The configured URL can't be used.
    #[error("tracker URL '{url}' can't be used: {why}; check --tracker-url")]
    BadUrl {
        /// The URL.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody listens at the tracker's address.
    #[error("can't reach the tracker at {authority}: {source}")]
    Unreachable {
        /// Host and port.
        authority: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The connection broke, or what came was not HTTP.
    #[error("the tracker's answer can't be read: {0}")]
    Broken(#[from] hyper::Error),
    /// It answered with an error.
    #[error("the tracker answered {status} to {path}")]
    Refused {
        /// Its status.
        status: http::StatusCode,
        /// What was asked.
        path: String,
    },
    /// Its answer is larger than the client takes.
    #[error("the tracker's answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// Its answer is not JSON.
    #[error("the tracker's answer is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It took too long.
    #[error("the tracker did not answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
}
