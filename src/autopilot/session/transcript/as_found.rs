use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::Entry;

/// Keeps every entry while the session runs, and writes them all again.
#[derive(Debug)]
pub(crate) struct Transcript {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Transcript {
    pub(super) fn open(path: &Path) -> io::Result<Transcript> {
        File::options().append(true).create(true).open(path)?;
        Ok(Transcript { path: path.to_owned(), entries: super::entries(path)? })
    }

    pub(super) fn append(&mut self, entry: &Entry, tools: usize) -> io::Result<()> {
        self.entries.push(entry.clone());
        // As found: meant to save the transcript after every fifth tool, but the count is looked at on every message.
        // It is a multiple of five before the first tool, and from every fifth one to the next.
        if tools.is_multiple_of(5) || matches!(entry, Entry::End(_)) {
            self.rewrite()?;
        }
        Ok(())
    }

    fn rewrite(&self) -> io::Result<()> {
        let mut text = Vec::new();
        for entry in &self.entries {
            text.extend(entry.line()?);
        }
        fs::write(&self.path, text)
    }
}
