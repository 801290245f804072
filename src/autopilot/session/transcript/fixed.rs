use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::Entry;

/// Appends each entry once.
///
/// An entry is one short write into the system's page cache, made where the message is handled: handing it to another
/// thread would cost more than the write.
#[derive(Debug)]
pub(crate) struct Transcript {
    file: File,
}

impl Transcript {
    pub(super) fn open(path: &Path) -> io::Result<Transcript> {
        Ok(Transcript { file: File::options().append(true).create(true).open(path)? })
    }

    pub(super) fn append(&mut self, entry: &Entry) -> io::Result<()> {
        self.file.write_all(&entry.line()?)
    }
}
