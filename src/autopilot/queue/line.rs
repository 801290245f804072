use std::io::{self, Write};

use super::record::Record;

/// Writes a record as a line.
pub(super) fn write_line(file: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *file, record)?;
    file.write_all(b"\n")
}
