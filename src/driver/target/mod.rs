//! The server under test and everything it was started with.

mod leftovers;
mod output;
mod process;
mod start;

use std::net::SocketAddr;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;

use crate::data::DataFolder;
use leftovers::Marked;
use process::Process;
pub(crate) use start::{Builtin, start};

/// How long a server may take to end when asked to.
const END_TIME: Duration = Duration::from_secs(4);

/// How long after its socket failed a server may take to be seen dead.
const DEATH_TIME: Duration = Duration::from_secs(1);

/// A running server, its tracker, its folder. Dropping it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Target {
    // Dropped in this order.
    server: Process,
    _tracker: Process,
    _marked: Marked,
    command: Vec<String>,
    address: SocketAddr,
    data: DataFolder,
    /// Holds the data and the probe's socket; removed at the end.
    _folder: TempDir,
}

impl Target {
    pub(crate) fn pid(&self) -> u32 {
        self.server.id()
    }

    pub(crate) fn command(&self) -> &[String] {
        &self.command
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn data(&self) -> &DataFolder {
        &self.data
    }

    /// Turns true when the server has ended.
    pub(crate) fn died(&self) -> watch::Receiver<bool> {
        self.server.died()
    }

    /// After a failure that may come from the server's death: did it die?
    pub(crate) async fn is_dead(&mut self) -> bool {
        self.server.ended(DEATH_TIME).await
    }

    /// Ends the server and everything around it; returns how the server ended and its last words.
    pub(crate) async fn end(mut self) -> (String, String) {
        self.server.terminate(END_TIME).await;
        let status = self.server.end_now();
        let words = status.map_or_else(|| "ended in an unknown way".to_owned(), process::describe);
        (words, self.server.stderr())
    }
}
