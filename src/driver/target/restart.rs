use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::builtin::{self, Up};
use super::{END_TIME, Server, Target, own};
use crate::observer::Observer;
use crate::run_error::RunError;
use crate::scenario::OwnServer;

/// How a server is started once more: as it was started first, with the same port (the built-in one has a new one), folder
/// and data.
#[derive(Debug)]
pub(super) enum Again {
    Builtin { command: Command, socket: PathBuf },
    Own { command: Command, socket: PathBuf, server: Box<OwnServer> },
}

impl Target {
    /// Ends the server, by SIGTERM unless it is to be killed, starts it again and waits until it is ready. What it was
    /// started with besides, like the tracker, runs on.
    pub(crate) async fn restart(&mut self, kill: bool) -> Result<Observer, RunError> {
        let (Server::Started(process), Some(again)) = (&mut self.server, &mut self.again) else {
            return Err(RunError::Input(
                "a server that was not started for the run can't be restarted: name its command in [target]"
                    .to_owned(),
            ));
        };
        if !kill {
            process.terminate(END_TIME).await;
        }
        process.end_now();
        let socket = match again {
            Again::Builtin { socket, .. } | Again::Own { socket, .. } => socket,
        };
        // A killed server leaves it behind, and the next one could not listen there.
        let _gone = fs::remove_file(&socket);
        match again {
            Again::Builtin { command, socket } => {
                let Up { server, address, probe, .. } = builtin::bring_up(command, socket).await?;
                self.pid = server.id();
                self.dial.address = address;
                self.server = Server::Started(server);
                Ok(Observer::Probe(Box::new(probe)))
            }
            Again::Own { command, socket, server } => {
                let (process, observer, pid) = own::bring_up(command, server, &self.dial, socket).await?;
                self.pid = pid;
                self.server = Server::Started(process);
                Ok(observer)
            }
        }
    }
}
