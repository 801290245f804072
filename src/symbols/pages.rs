//! A file read in pieces. Looking up symbols touches nearly all of a program's debug information, and mapped it would all be
//! resident: a hundred MiB for a server of ordinary size.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

/// Bytes of a piece.
pub(crate) const PAGE: u64 = 16 * 1024;

/// Pieces kept: 2 MiB. Entries of a unit are read one after the other, beside their ranges, lines and names.
const MOST: NonZeroUsize = NonZeroUsize::new(128).unwrap();

/// A piece of the file; the last one is shorter.
pub(crate) type Page = Arc<[u8]>;

/// A file and its pieces used last.
#[derive(Debug)]
pub(crate) struct Pages {
    file: Mutex<(File, LruCache<u64, Page>)>,
    bytes: u64,
}

impl Pages {
    pub(crate) fn new(file: File) -> io::Result<Pages> {
        let bytes = file.metadata()?.len();
        Ok(Pages { file: Mutex::new((file, LruCache::new(MOST))), bytes })
    }

    /// Bytes of the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The piece of this number.
    pub(crate) fn page(&self, number: u64) -> io::Result<Page> {
        let mut guard = lock(&self.file);
        let (file, pages) = &mut *guard;
        if let Some(page) = pages.get(&number) {
            return Ok(Arc::clone(page));
        }
        let start = number * PAGE;
        let mut bytes = vec![0; self.bytes.saturating_sub(start).min(PAGE) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        let page = Page::from(bytes);
        pages.put(number, Arc::clone(&page));
        Ok(page)
    }
}

/// What is behind a lock is whole between two calls, so a panic elsewhere spoils nothing.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn pieces_are_the_files_bytes_however_often_they_went_and_came_back() {
        let mut file = tempfile::tempfile().unwrap();
        let all: Vec<u8> = (0..2 * PAGE * MOST.get() as u64 + 100).map(|at| (at / 7 % 251) as u8).collect();
        file.write_all(&all).unwrap();
        let pages = Pages::new(file).unwrap();
        assert_eq!(pages.bytes(), all.len() as u64);
        for _ in 0..2 {
            for (number, expected) in all.chunks(PAGE as usize).enumerate() {
                assert!(*pages.page(number as u64).unwrap() == *expected, "piece {number}");
            }
        }
        assert_eq!(lock(&pages.file).1.len(), MOST.get());
    }
}
