use std::io;

/// Why accuracy could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccuracyError {
    /// No case by that name.
    #[error("no case has '{0}' in its name: leave out --case to run all of them")]
    NoCase(String),
    /// An order that is none.
    #[error("--trial is for this program's own use: {0}")]
    BadOrder(serde_json::Error),
    /// A child could not be started.
    #[error("can't start a trial: {0}")]
    Start(io::Error),
    /// A child failed.
    #[error("the trial {order} failed: {stderr}")]
    Trial {
        /// What it was to do.
        order: String,
        /// What it wrote.
        stderr: String,
    },
    /// The truth about the server's defects is no TOML.
    #[error("src/autopilot/sites.toml: {0}")]
    Truth(toml::de::Error),
    /// A recording can't be read.
    #[error(transparent)]
    Recording(#[from] heapsoak_record::ReadError),
    /// The result can't be written.
    #[error("can't write the result: {0}")]
    Output(io::Error),
}

impl AccuracyError {
    /// Whether the command line is to blame.
    pub(crate) fn is_bad_usage(&self) -> bool {
        matches!(self, AccuracyError::NoCase(_) | AccuracyError::BadOrder(_))
    }
}
