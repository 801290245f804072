//! How a transcript gets to disk: `<data>/sessions/<id>.jsonl`, an [`Entry`] a line.

mod as_found;
mod fixed;
mod read;

pub(super) use read::{entries, last_summary};

use std::io;
use std::path::Path;

use super::entry::Entry;

/// The transcript of one session, being written.
#[derive(Debug)]
pub(super) enum Transcript {
    Fixed(fixed::Transcript),
    AsFound(as_found::Transcript),
}

impl Transcript {
    /// Opens the transcript; entries come behind those it has.
    ///
    /// # Errors
    ///
    /// Fails if the file can't be written, or, as found, not be read.
    pub(super) fn open(path: &Path, rewrite: bool) -> io::Result<Transcript> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(if rewrite {
            Transcript::AsFound(as_found::Transcript::open(path)?)
        } else {
            Transcript::Fixed(fixed::Transcript::open(path)?)
        })
    }

    /// Writes an entry, after so many tool uses.
    ///
    /// # Errors
    ///
    /// Fails if the file can't be written.
    pub(super) fn append(&mut self, entry: &Entry, tools: usize) -> io::Result<()> {
        match self {
            Transcript::Fixed(transcript) => transcript.append(entry),
            Transcript::AsFound(transcript) => transcript.append(entry, tools),
        }
    }
}
