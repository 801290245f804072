//! A section of a file, for `gimli` to read in pieces.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use addr2line::gimli::{Error, Reader, ReaderOffsetId, Result, RunTimeEndian};

use crate::pages::{PAGE, Page, Pages, lock};

/// Where a section's bytes come from.
#[derive(Debug)]
struct Source {
    pages: Arc<Pages>,
    endian: RunTimeEndian,
    /// The piece that was read last: most reads are of a few bytes, one after the other.
    last: Mutex<Option<(u64, Page)>>,
}

/// A part of a section. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    source: Arc<Source>,
    /// In the file.
    start: u64,
    end: u64,
}

impl Section {
    /// The bytes from `start` to `end` of a file.
    pub(crate) fn new(pages: Arc<Pages>, endian: RunTimeEndian, start: u64, end: u64) -> Section {
        let end = end.min(pages.bytes());
        let source = Source { pages, endian, last: Mutex::new(None) };
        Section { source: Arc::new(source), start: start.min(end), end }
    }

    /// Calls with the rest of a piece from a place in the file on.
    fn with_piece<T>(&self, at: u64, read: impl FnOnce(&[u8]) -> T) -> Result<T> {
        let number = at / PAGE;
        let from = (at % PAGE) as usize;
        let mut last = lock(&self.source.last);
        if let Some((_, page)) = last.as_ref().filter(|(kept, _)| *kept == number) {
            return Ok(read(&page[from..]));
        }
        let page = self.source.pages.page(number).map_err(|_| Error::Io)?;
        let (_, page) = last.insert((number, page));
        Ok(read(&page[from..]))
    }

    /// Looks through the bytes from here to the end, piece by piece, until `look` returns something.
    fn pieces<T>(&self, mut look: impl FnMut(u64, &[u8]) -> Option<T>) -> Result<Option<T>> {
        let mut at = self.start;
        while at < self.end {
            let most = (self.end - at) as usize;
            let (read, found) = self.with_piece(at, |piece| {
                let piece = &piece[..piece.len().min(most)];
                (piece.len() as u64, look(at - self.start, piece))
            })?;
            if found.is_some() {
                return Ok(found);
            }
            at += read;
        }
        Ok(None)
    }

    fn too_short(&self) -> Error {
        Error::UnexpectedEof(self.offset_id())
    }
}

impl Reader for Section {
    type Endian = RunTimeEndian;
    type Offset = usize;

    fn endian(&self) -> RunTimeEndian {
        self.source.endian
    }

    fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    fn empty(&mut self) {
        self.end = self.start;
    }

    fn truncate(&mut self, len: usize) -> Result<()> {
        if len > self.len() {
            return Err(self.too_short());
        }
        self.end = self.start + len as u64;
        Ok(())
    }

    fn offset_from(&self, base: &Section) -> usize {
        (self.start - base.start) as usize
    }

    fn offset_id(&self) -> ReaderOffsetId {
        ReaderOffsetId(self.start)
    }

    fn lookup_offset_id(&self, id: ReaderOffsetId) -> Option<usize> {
        (self.start..=self.end).contains(&id.0).then(|| (id.0 - self.start) as usize)
    }

    fn find(&self, byte: u8) -> Result<usize> {
        let found = self.pieces(|before, piece| {
            piece.iter().position(|&other| other == byte).map(|at| before as usize + at)
        })?;
        found.ok_or_else(|| self.too_short())
    }

    fn skip(&mut self, len: usize) -> Result<()> {
        if len > self.len() {
            return Err(self.too_short());
        }
        self.start += len as u64;
        Ok(())
    }

    fn split(&mut self, len: usize) -> Result<Section> {
        let mut first = self.clone();
        first.truncate(len)?;
        self.skip(len)?;
        Ok(first)
    }

    fn to_slice(&self) -> Result<Cow<'_, [u8]>> {
        let mut bytes = Vec::with_capacity(self.len());
        let _: Option<()> = self.pieces(|_, piece| {
            bytes.extend_from_slice(piece);
            None
        })?;
        Ok(Cow::Owned(bytes))
    }

    fn to_string(&self) -> Result<Cow<'_, str>> {
        let bytes = self.to_slice()?.into_owned();
        String::from_utf8(bytes).map(Cow::Owned).map_err(|_| Error::BadUtf8)
    }

    fn to_string_lossy(&self) -> Result<Cow<'_, str>> {
        Ok(Cow::Owned(String::from_utf8_lossy(&self.to_slice()?).into_owned()))
    }

    fn read_slice(&mut self, buffer: &mut [u8]) -> Result<()> {
        if buffer.len() > self.len() {
            return Err(self.too_short());
        }
        let mut rest = buffer;
        while !rest.is_empty() {
            let read = self.with_piece(self.start, |piece| {
                let read = rest.len().min(piece.len());
                rest[..read].copy_from_slice(&piece[..read]);
                read
            })?;
            rest = &mut rest[read..];
            self.start += read as u64;
        }
        Ok(())
    }
}
