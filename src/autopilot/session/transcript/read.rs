use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::Entry;
use crate::session::SessionSummary;

/// How much of a transcript's end is searched for its last summary. A summary is much shorter.
const TAIL: u64 = 64 * 1024;

/// Every entry of a transcript. Lines that can't be read, such as the last one of a server that was killed, are left
/// out.
pub(crate) fn entries(path: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for line in BufReader::new(File::open(path)?).split(b'\n') {
        entries.extend(serde_json::from_slice(&line?).ok());
    }
    Ok(entries)
}

/// The summary a transcript ends with; none when its last run was cut off.
pub(crate) fn last_summary(path: &Path) -> io::Result<Option<SessionSummary>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let last = tail.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(match serde_json::from_slice(last) {
        Ok(Entry::End(summary)) => Some(summary),
        _ => None,
    })
}
