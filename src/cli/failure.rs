use std::path::Path;

use heapsoak_driver::RunError;
use heapsoak_record::ReadError;
use heapsoak_report::{RenderError, WriteError};

use crate::exit::Exit;

/// Why a command could not do its work: one message for stderr and the code to exit with.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    report: miette::Report,
}

impl Failure {
    /// A failure in words.
    pub(crate) fn new(exit: Exit, message: impl std::fmt::Display) -> Failure {
        Failure { exit, report: miette::Report::msg(message.to_string()) }
    }

    /// A failure that points into an input file.
    pub(crate) fn in_file(diagnostic: impl miette::Diagnostic + Send + Sync + 'static) -> Failure {
        Failure { exit: Exit::Usage, report: miette::Report::new(diagnostic) }
    }

    /// A folder or file that can't be written to.
    pub(crate) fn unwritable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
        Failure::new(
            Exit::Usage,
            format!("can't write to {}: {error}: choose another folder with --out", path.display()),
        )
    }

    /// The code to exit with.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Writes the message to stderr.
    pub(crate) fn print(&self) {
        // Errors in input files are drawn with the line they point at; all others are one line.
        if self.report.source_code().is_some() {
            anstream::eprintln!("{:?}", self.report);
        } else {
            anstream::eprintln!("error: {}", self.report);
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Failure {
        let exit = match error {
            ReadError::TooNew { .. } => Exit::UnreadableRecording,
            ReadError::Io { .. } | ReadError::Malformed { .. } => Exit::Usage,
        };
        Failure::new(exit, error)
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Failure {
        Failure::new(Exit::Internal, error)
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Failure {
        match error {
            WriteError::Render(error) => error.into(),
            WriteError::Io { .. } => Failure::new(Exit::Usage, error),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        let exit = match error {
            RunError::Input(_) => Exit::Usage,
            RunError::WouldNotStart(_) => Exit::TargetDied,
            RunError::Interrupted => Exit::Invalid,
            RunError::Internal(_) => Exit::Internal,
        };
        Failure::new(exit, error)
    }
}
