use std::io;
use std::path::Path;

use super::record::Record;

/// How the queue is kept on disk.
pub(super) trait Store: Send {
    /// Writes a change. `all` is the state after it.
    fn write(&mut self, change: &Record<'_>, all: &mut dyn Iterator<Item = Record<'_>>) -> io::Result<()>;

    /// Writes the whole state.
    fn replace(&mut self, all: &mut dyn Iterator<Item = Record<'_>>) -> io::Result<()>;

    /// The file.
    fn path(&self) -> &Path;
}
