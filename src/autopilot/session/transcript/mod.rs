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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{SessionState, SessionSummary};

    fn said(text: &str) -> Entry {
        Entry::Assistant { text: text.to_owned() }
    }

    fn end() -> Entry {
        let id = "session-1".parse().unwrap();
        Entry::End(SessionSummary { state: SessionState::Succeeded, ..SessionSummary::interrupted(&id) })
    }

    fn opened(rewrite: bool) -> (tempfile::TempDir, std::path::PathBuf, Transcript) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions/session-1.jsonl");
        let transcript = Transcript::open(&path, rewrite).unwrap();
        (folder, path, transcript)
    }

    #[test]
    fn the_fixed_transcript_writes_each_entry_once() {
        let (_folder, path, mut transcript) = opened(false);
        transcript.append(&said("one"), 5).unwrap();
        std::fs::write(&path, "").unwrap();
        transcript.append(&said("two"), 5).unwrap();
        assert_eq!(entries(&path).unwrap(), [said("two")]);
    }

    #[test]
    fn as_found_every_message_after_a_fifth_tool_writes_the_whole_again() {
        let (_folder, path, mut transcript) = opened(true);
        transcript.append(&said("one"), 5).unwrap();
        std::fs::write(&path, "").unwrap();
        transcript.append(&said("two"), 5).unwrap();
        assert_eq!(entries(&path).unwrap(), [said("one"), said("two")]);
    }

    #[test]
    fn as_found_nothing_is_written_between_the_fifth_tools() {
        let (_folder, path, mut transcript) = opened(true);
        transcript.append(&said("one"), 1).unwrap();
        transcript.append(&said("two"), 4).unwrap();
        assert_eq!(entries(&path).unwrap(), []);
        transcript.append(&end(), 4).unwrap();
        assert_eq!(entries(&path).unwrap(), [said("one"), said("two"), end()]);
    }

    #[test]
    fn both_go_on_behind_what_the_file_has() {
        for rewrite in [false, true] {
            let (_folder, path, mut transcript) = opened(rewrite);
            transcript.append(&said("one"), 0).unwrap();
            let mut again = Transcript::open(&path, rewrite).unwrap();
            again.append(&said("two"), 0).unwrap();
            assert_eq!(entries(&path).unwrap(), [said("one"), said("two")]);
        }
    }

    #[test]
    fn a_transcript_that_was_cut_off_has_no_summary() {
        let (_folder, path, mut transcript) = opened(false);
        transcript.append(&said("one"), 0).unwrap();
        assert_eq!(last_summary(&path).unwrap(), None);
        transcript.append(&said(&"x".repeat(100_000)), 0).unwrap();
        transcript.append(&end(), 0).unwrap();
        assert_eq!(last_summary(&path).unwrap().unwrap().state, SessionState::Succeeded);
    }
}
