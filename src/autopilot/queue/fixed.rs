use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::line::write_line;
use super::record::Record;
use super::store::Store;

/// A log: a change is one line at the end of the file. The file is written anew only when most of its lines are
/// outdated, or when it is not the file the last write left.
pub(super) struct Log {
    path: PathBuf,
    /// The file as the last write left it; none if that failed, so that the file is behind.
    left: Option<Mark>,
    lines: usize,
    /// Lines of the last whole state.
    compact_lines: usize,
}

/// What tells a file that somebody replaced, cut or extended.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    device: u64,
    inode: u64,
    length: u64,
}

impl Mark {
    fn of(file: &Metadata) -> Mark {
        Mark { device: file.dev(), inode: file.ino(), length: file.len() }
    }
}

impl Log {
    /// Outdated lines that are always tolerated.
    pub(super) const SLACK: usize = 1_000;

    pub(super) fn new(path: PathBuf) -> Log {
        Log { path, left: None, lines: 0, compact_lines: 0 }
    }

    /// Appends a line; says false if the file is not the one the last write left.
    fn append(&mut self, change: &Record<'_>) -> io::Result<bool> {
        let Some(left) = self.left.take() else { return Ok(false) };
        // Opened for each write: a file that was moved away, or made unwritable, is noticed now and not at a restart.
        let mut file = match OpenOptions::new().append(true).open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        if Mark::of(&file.metadata()?) != left {
            return Ok(false);
        }
        let mut line = Vec::with_capacity(256);
        write_line(&mut line, change)?;
        file.write_all(&line)?;
        self.lines += 1;
        self.left = Some(Mark { length: left.length + line.len() as u64, ..left });
        Ok(true)
    }
}

impl Store for Log {
    fn write(&mut self, change: &Record<'_>, all: &mut dyn Iterator<Item = Record<'_>>) -> io::Result<()> {
        if self.lines > 2 * self.compact_lines + Self::SLACK || !self.append(change)? {
            return self.replace(all);
        }
        Ok(())
    }

    fn replace(&mut self, all: &mut dyn Iterator<Item = Record<'_>>) -> io::Result<()> {
        self.left = None;
        let (file, lines) = replace_file(&self.path, all)?;
        self.left = Some(Mark::of(&file.metadata()?));
        self.lines = lines;
        self.compact_lines = lines;
        Ok(())
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// Writes a new file beside the old one and puts it in its place: at every moment there is one whole file. Returns the
/// new one and its lines.
fn replace_file(path: &Path, all: &mut dyn Iterator<Item = Record<'_>>) -> io::Result<(File, usize)> {
    let beside = path.with_extension("new");
    let written = write_file(&beside, all).and_then(|done| fs::rename(&beside, path).map(|()| done));
    if written.is_err() {
        // It may not be there; the error that counts is the one above.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write_file(path: &Path, all: &mut dyn Iterator<Item = Record<'_>>) -> io::Result<(File, usize)> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut lines = 0;
    for record in all {
        write_line(&mut file, &record)?;
        lines += 1;
    }
    file.flush()?;
    Ok((file.into_inner()?, lines))
}
