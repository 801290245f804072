//! The server under test and everything it was started with.

mod address;
mod builtin;
mod dial;
mod fake_time;
mod foreign;
mod leftovers;
mod output;
mod own;
mod process;
mod restart;
mod start;
mod tls;

use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;

use crate::data::DataFolder;
use crate::observer::Observer;
pub use address::{Address, AddressError};
pub(crate) use address::{Place, Scheme};
pub(crate) use builtin::Builtin;
pub(crate) use dial::Dial;
pub(crate) use fake_time::FakeTime;
use foreign::Foreign;
use leftovers::Marked;
use process::Process;
use restart::Again;
pub(crate) use start::start;

/// How long a server may take to end when asked to.
const END_TIME: Duration = Duration::from_secs(4);

/// How long after its socket failed a server may take to be seen dead.
const DEATH_TIME: Duration = Duration::from_secs(1);

/// A running server, its tracker, its folder. Dropping it leaves nothing behind of what was started.
#[derive(Debug)]
pub(crate) struct Target {
    // Dropped in this order.
    server: Server,
    /// How it is started once more, if it was started.
    again: Option<Again>,
    fake_time: Option<FakeTime>,
    _tracker: Option<Process>,
    _marked: Option<Marked>,
    name: String,
    command: Vec<String>,
    /// The process that is looked at: the server itself, which a wrapper may have started.
    pid: u32,
    dial: Dial,
    /// Path of a request the server answers whatever it does.
    ready: String,
    data: Option<DataFolder>,
    /// Holds the data and the probe's socket; removed at the end.
    _folder: Option<TempDir>,
}

/// A server that was started, or one that ran before and will run on.
#[derive(Debug)]
enum Server {
    Started(Process),
    Found(Foreign),
}

/// A server that is ready, with eyes on it.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) target: Target,
    pub(crate) observer: Observer,
    pub(crate) memory_limit_bytes: Option<u64>,
}

impl Target {
    /// Name for people.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn command(&self) -> &[String] {
        &self.command
    }

    /// The way to connect to it.
    pub(crate) fn dial(&self) -> &Dial {
        &self.dial
    }

    /// Path of a request the server answers, whatever with.
    pub(crate) fn ready(&self) -> &str {
        &self.ready
    }

    /// Its data folder, where the tool knows one.
    pub(crate) fn data(&self) -> Option<&DataFolder> {
        self.data.as_ref()
    }

    /// The clock it takes its time from, if that is faked.
    pub(crate) fn fake_time(&self) -> Option<&FakeTime> {
        self.fake_time.as_ref()
    }

    /// Turns true when the server has ended.
    pub(crate) fn died(&self) -> watch::Receiver<bool> {
        match &self.server {
            Server::Started(process) => process.died(),
            Server::Found(foreign) => foreign.died(),
        }
    }

    /// After a failure that may come from the server's death: did it die?
    pub(crate) async fn is_dead(&mut self) -> bool {
        match &mut self.server {
            Server::Started(process) => process.ended(DEATH_TIME).await,
            Server::Found(foreign) => foreign.ended(DEATH_TIME).await,
        }
    }

    /// Ends the server and everything around it, if it was started for the run; returns how it ended and its last words.
    pub(crate) async fn end(mut self) -> (String, String) {
        match &mut self.server {
            Server::Started(process) => {
                process.terminate(END_TIME).await;
                let status = process.end_now();
                let words = status.map_or_else(|| "ended in an unknown way".to_owned(), process::describe);
                (words, process.stderr())
            }
            Server::Found(_) => {
                ("it was not started by heapsoak, so nobody knows how it ended".to_owned(), String::new())
            }
        }
    }
}
