use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::{End, Event, Header, Line, Recording, Snapshot, Stacks};

/// Appends lines to a recording. Every line is handed to the system before the call returns, so that a killed
/// writer loses at most the line it was writing.
#[derive(Debug)]
pub struct Writer {
    file: BufWriter<File>,
}

impl Writer {
    /// Creates the file and writes the header.
    ///
    /// # Errors
    ///
    /// Fails if the file exists already or can't be created or written.
    pub fn create(path: &Path, header: &Header) -> io::Result<Writer> {
        let mut writer = Writer { file: BufWriter::new(File::create_new(path)?) };
        writer.line(&Line::Header(Box::new(header.clone())))?;
        Ok(writer)
    }

    /// Opens a recording to append to it what was found out after its end: the stacks of second passes.
    ///
    /// # Errors
    ///
    /// Fails if the file is not there or can't be written.
    pub fn append(path: &Path) -> io::Result<Writer> {
        Ok(Writer { file: BufWriter::new(File::options().append(true).open(path)?) })
    }

    /// Writes a recording anew in place of the one that is there, in one step: a killed writer leaves the old one.
    ///
    /// # Errors
    ///
    /// Fails if the file, or one beside it, can't be written.
    pub fn replace(path: &Path, recording: &Recording) -> io::Result<Writer> {
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let fresh = Path::new(&name);
        // One that is there was left by a writer that was killed.
        let mut writer = Writer { file: BufWriter::new(File::create(fresh)?) };
        let Recording { header, snapshots, events, stacks, end } = recording;
        writer.put(&Line::Header(Box::new(header.clone())))?;
        for snapshot in snapshots {
            writer.put(&Line::Snapshot(Box::new(snapshot.clone())))?;
        }
        for event in events {
            writer.put(&Line::Event(event.clone()))?;
        }
        for stacks in stacks {
            writer.put(&Line::Stacks(Box::new(stacks.clone())))?;
        }
        if let Some(end) = end {
            writer.put(&Line::End(end.clone()))?;
        }
        writer.file.flush()?;
        std::fs::rename(fresh, path)?;
        Ok(writer)
    }

    /// Appends a snapshot.
    ///
    /// # Errors
    ///
    /// Fails if the file can't be written.
    pub fn snapshot(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        self.line(&Line::Snapshot(Box::new(snapshot.clone())))
    }

    /// Appends an event.
    ///
    /// # Errors
    ///
    /// Fails if the file can't be written.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        self.line(&Line::Event(event.clone()))
    }

    /// Appends the call stacks of a pass.
    ///
    /// # Errors
    ///
    /// Fails if the file can't be written.
    pub fn stacks(&mut self, stacks: &Stacks) -> io::Result<()> {
        self.line(&Line::Stacks(Box::new(stacks.clone())))
    }

    /// Writes the last line.
    ///
    /// # Errors
    ///
    /// Fails if the file can't be written.
    pub fn end(mut self, end: &End) -> io::Result<()> {
        self.line(&Line::End(end.clone()))
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        self.put(line)?;
        self.file.flush()
    }

    fn put(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, line)?;
        self.file.write_all(b"\n")
    }
}
