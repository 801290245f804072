use std::ops::Range;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use miette::{Diagnostic, NamedSource, SourceSpan};

/// Why a scenario can't be used.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum ScenarioError {
    /// A file or folder can't be read.
    #[error("can't read {path}: {source}")]
    #[diagnostic(help("give the name of a scenario in leak-scenarios/, or the path of a scenario file"))]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The file says something a scenario can't say.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Malformed(Box<Problem>),
}

/// A mistake in a scenario file and its place.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{path}:{line}:{column}: {message}", path = path.display())]
pub struct Problem {
    message: String,
    path: PathBuf,
    line: usize,
    column: usize,
    #[source_code]
    text: NamedSource<String>,
    #[label("here")]
    span: SourceSpan,
    #[help]
    help: Option<String>,
}

impl Problem {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column, from 1, in characters.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl Problem {
    /// What to do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl ScenarioError {
    /// A mistake at a place of a file, in bytes from the start of its text.
    #[must_use]
    pub fn at(path: &Path, text: &str, span: Range<usize>, message: impl fmt::Display) -> ScenarioError {
        Source { path: path.to_owned(), text: text.to_owned() }.problem(span, message)
    }
}

/// A file of a scenario, for pointing into it.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Source {
    /// An error at a place of this file.
    pub(super) fn problem(&self, span: Range<usize>, message: impl fmt::Display) -> ScenarioError {
        self.problem_with_help(span, message, None)
    }

    /// An error at a place of this file, with what to do about it.
    pub(super) fn problem_with_help(
        &self,
        span: Range<usize>,
        message: impl fmt::Display,
        help: Option<String>,
    ) -> ScenarioError {
        let start = self.text.floor_char_boundary(span.start);
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let length = span.end.min(self.text.len()).saturating_sub(start);
        ScenarioError::Malformed(Box::new(Problem {
            message: message.to_string(),
            path: self.path.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            text: NamedSource::new(self.path.display().to_string(), self.text.clone()).with_language("TOML"),
            span: SourceSpan::new(start.into(), length),
            help,
        }))
    }
}
