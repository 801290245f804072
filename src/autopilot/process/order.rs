use std::process::ExitStatus;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{ReviewError, Verdict, output};
use crate::CommandLine;

/// One model's review, as it is given to the code that carries it out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) command: &'a CommandLine,
    pub(super) model: &'a str,
    pub(super) text: &'a str,
    pub(super) time_out: Duration,
    /// Cancelled when the server stops.
    pub(super) stop: &'a CancellationToken,
}

impl Order<'_> {
    /// The command, ready to be started.
    pub(super) fn command(&self) -> tokio::process::Command {
        super::command(self.command, &[self.model])
    }

    /// The error for a command that can't be started.
    pub(super) fn not_started(&self, source: std::io::Error) -> ReviewError {
        ReviewError::Start { program: self.command.program().to_owned(), source }
    }
}

/// What a child that has ended said.
pub(super) fn judge(status: ExitStatus, stdout: &[u8], stderr: &[u8]) -> Result<Verdict, ReviewError> {
    if !status.success() {
        return Err(ReviewError::Failed { status, stderr: output::last_line(stderr) });
    }
    Verdict::read(stdout).ok_or_else(|| ReviewError::NoVerdict { start: output::first_line(stdout) })
}
