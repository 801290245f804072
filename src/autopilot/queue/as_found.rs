use std::path::{Path, PathBuf};
use std::{fs, io};

use super::line::write_line;
use super::record::Record;
use super::store::Store;

/// As found (`queue.rewrite-file`): every change makes the text of every task anew, and writes it.
pub(super) struct WholeFile {
    path: PathBuf,
}

impl WholeFile {
    pub(super) fn new(path: PathBuf) -> WholeFile {
        WholeFile { path }
    }
}

impl Store for WholeFile {
    fn write(&mut self, _change: &Record<'_>, all: &mut dyn Iterator<Item = Record<'_>>) -> io::Result<()> {
        self.replace(all)
    }

    fn replace(&mut self, all: &mut dyn Iterator<Item = Record<'_>>) -> io::Result<()> {
        let mut text = Vec::new();
        for record in all {
            write_line(&mut text, &record)?;
        }
        let beside = self.path.with_extension("new");
        fs::write(&beside, text)?;
        fs::rename(&beside, &self.path)
    }

    fn path(&self) -> &Path {
        &self.path
    }
}
