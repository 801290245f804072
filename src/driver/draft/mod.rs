//! First drafts of scenarios, from what is known of a server already: its OpenAPI document, or what a browser recorded.

mod credentials;
mod har;
mod openapi;
mod sample;
mod target;
mod words;
mod write;
mod yaml;

use std::path::{Path, PathBuf};
use std::{fs, io};

/// What a scenario can be drafted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftSource {
    /// An OpenAPI document of version 3, as JSON or YAML.
    OpenApi,
    /// A HAR file (HTTP archive), as the developer tools of browsers save it.
    Har,
}

/// Why nothing can be drafted.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The file can't be read.
    #[error("can't read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The file is not what it is said to be.
    #[error("{path}{place}: {message}", place = place.map_or_else(String::new, |(line, column)| format!(":{line}:{column}")))]
    Unfit {
        /// The file.
        path: PathBuf,
        /// Line and column, from 1, where the place is known.
        place: Option<(usize, usize)>,
        /// What is wrong, and what would be right.
        message: String,
    },
}

/// The text of a scenario that asks of a server what a file says of it: commented, for people to go on with.
///
/// # Errors
///
/// See [`DraftError`].
pub fn draft_scenario(from: DraftSource, path: &Path) -> Result<String, DraftError> {
    let text = fs::read_to_string(path)
        .map_err(|source| DraftError::Unreadable { path: path.to_owned(), source })?;
    let unfit = |Mistake { place, message }| DraftError::Unfit { path: path.to_owned(), place, message };
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let draft = match from {
        DraftSource::OpenApi => openapi::draft(&yaml::read(&text, path).map_err(unfit)?),
        DraftSource::Har => har::draft(&text),
    };
    Ok(draft.map_err(unfit)?.write(&name))
}

/// What is wrong with a file, and where.
#[derive(Debug)]
struct Mistake {
    place: Option<(usize, usize)>,
    message: String,
}

impl Mistake {
    /// A mistake of the file as a whole.
    fn of_all(message: impl Into<String>) -> Mistake {
        Mistake { place: None, message: message.into() }
    }
}

impl From<serde_json::Error> for Mistake {
    fn from(error: serde_json::Error) -> Mistake {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
        Mistake { place: (line > 0).then_some((line, column)), message }
    }
}

/// A scenario about to be written.
#[derive(Debug, Default)]
struct Draft {
    /// What the source says it is about.
    title: String,
    /// Where the server listens, if the source says so.
    url: Option<String>,
    /// What a reader should know before the first soak, a line each.
    notes: Vec<String>,
    kinds: Vec<DraftKind>,
}

/// A request kind about to be written.
#[derive(Debug, Default, Clone)]
struct DraftKind {
    name: String,
    weight: u64,
    /// Lines above it.
    comments: Vec<String>,
    setup: Option<DraftStep>,
    step: DraftStep,
}

/// A request about to be written. Texts are templates.
#[derive(Debug, Default, Clone)]
struct DraftStep {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    ok: Vec<u16>,
    error: Vec<u16>,
    /// Name and JSON pointer.
    remember: Option<(String, String)>,
}
