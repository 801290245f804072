use std::io;
use std::path::PathBuf;

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("no row's name contains `{0}`, or its program is missing: run without --only to see them all")]
    NoRow(String),
    #[error("{} is missing: build it with `cargo build --release -p heapsoak-bench`", .0.display())]
    Missing(PathBuf),
    #[error("can't run {what}: {error}")]
    Start { what: String, error: io::Error },
    #[error("{what} ended with {status}: {stderr}")]
    Failed { what: String, status: std::process::ExitStatus, stderr: String },
    #[error("{0} did not end within {1} s and was killed")]
    TooSlow(String, u64),
    #[error("{what} printed no figures: {error}")]
    Figures { what: String, error: serde_json::Error },
    #[error("no layouts in {}: {error}; `scripts/bench-probe --layouts N` links them", .path.display())]
    Layouts { path: PathBuf, error: io::Error },
    #[error("no directory for sockets and files: {0}")]
    Directory(io::Error),
    #[error("can't print: {0}")]
    Output(io::Error),
}

impl BenchError {
    /// Whether what was asked for can't be done.
    pub(crate) fn is_bad_usage(&self) -> bool {
        matches!(self, BenchError::NoRow(_) | BenchError::Layouts { .. })
    }
}
