use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;

use crate::{End, Event, FORMAT_VERSION, Header, Line, Snapshot, Stacks};

/// A recording in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// What the run is.
    pub header: Header,
    /// Quiet points in order.
    pub snapshots: Vec<Snapshot>,
    /// Events in order.
    pub events: Vec<Event>,
    /// Call stacks, one entry for each pass over the scenario that captured any: the soak itself, then second passes.
    pub stacks: Vec<Stacks>,
    /// How it ended; none when the recorder was killed, or is still running.
    pub end: Option<End>,
}

/// Why a recording can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file can't be opened or read.
    #[error("can't read recording {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Written by a newer heapsoak.
    #[error(
        "recording {path} has format version {found}, this heapsoak reads up to {FORMAT_VERSION}: \
         use the heapsoak that wrote it ({tool_version}) or a newer one"
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The tool that wrote it.
        tool_version: String,
    },
    /// Not a recording, or damaged.
    #[error("{path}:{line}: not a heapsoak recording: {why}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
}

/// As much of a header as every version has.
#[derive(Deserialize)]
struct VersionOnly {
    header: HeaderVersion,
}

#[derive(Deserialize)]
struct HeaderVersion {
    format_version: u32,
    #[serde(default)]
    tool_version: String,
}

impl Recording {
    /// A recording that holds nothing but its header.
    #[must_use]
    pub fn new(header: Header) -> Recording {
        Recording { header, snapshots: Vec::new(), events: Vec::new(), stacks: Vec::new(), end: None }
    }

    /// Reads a recording. A last line cut short (the recorder was killed) is left out.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn read(path: &Path) -> Result<Recording, ReadError> {
        let text =
            fs::read_to_string(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
        Recording::parse(&text, path)
    }

    /// Reads a recording from its text; `path` is named in errors.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn parse(text: &str, path: &Path) -> Result<Recording, ReadError> {
        let malformed = |line: usize, why: String| ReadError::Malformed { path: path.to_owned(), line, why };
        let mut lines = text.split_inclusive('\n').enumerate();
        let (_, first) = lines.next().ok_or_else(|| malformed(1, "the file is empty".to_owned()))?;
        let version: VersionOnly =
            serde_json::from_str(first).map_err(|error| malformed(1, error.to_string()))?;
        if version.header.format_version > FORMAT_VERSION {
            return Err(ReadError::TooNew {
                path: path.to_owned(),
                found: version.header.format_version,
                tool_version: version.header.tool_version,
            });
        }
        let Line::Header(header) =
            serde_json::from_str(first).map_err(|error| malformed(1, error.to_string()))?
        else {
            return Err(malformed(1, "the first line is not a header".to_owned()));
        };
        let mut recording = Recording::new(*header);
        for (index, line) in lines {
            let whole = line.ends_with('\n');
            match serde_json::from_str::<Line>(line) {
                Ok(Line::Snapshot(snapshot)) => recording.snapshots.push(*snapshot),
                Ok(Line::Event(event)) => recording.events.push(event),
                Ok(Line::Stacks(stacks)) => recording.stacks.push(*stacks),
                Ok(Line::End(end)) => recording.end = Some(end),
                Ok(Line::Header(_)) => return Err(malformed(index + 1, "a second header".to_owned())),
                Err(_) if !whole => break,
                Err(error) => return Err(malformed(index + 1, error.to_string())),
            }
        }
        Ok(recording)
    }
}
