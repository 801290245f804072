use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::CommandLine;

/// How long a child may take to end after SIGTERM, and its pipes after its end. Real time: it waits for another
/// process, which an advanced clock doesn't make faster.
pub(crate) const GRACE: Duration = Duration::from_millis(150);

/// Variables of the server's environment that are none of its children's business: the probe's socket, on which they
/// would answer in the server's name, and the webhook secret.
const PRIVATE: [&str; 2] = ["HEAPSOAK_SOCKET", "AUTOPILOT_WEBHOOK_SECRET"];

/// A command with all three pipes, in a process group of its own.
pub(crate) fn command(line: &CommandLine, further: &[&str]) -> Command {
    let mut command = Command::new(line.program());
    command.args(line.arguments()).args(further);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    for name in PRIVATE {
        command.env_remove(name);
    }
    command
}

/// A child that leaves nothing behind: when it is ended or dropped, its whole process group is killed and the child
/// reaped.
#[derive(Debug)]
pub(crate) struct OwnedChild {
    child: Child,
    /// The child's process id, which is its group's as well.
    group: Pid,
    reaped: bool,
}

/// The server's ends of a child's pipes.
#[derive(Debug)]
pub(crate) struct Pipes {
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: ChildStdout,
    /// None when the child writes to the server's own stderr.
    pub(crate) stderr: Option<ChildStderr>,
}

impl OwnedChild {
    /// Starts a command made by [`command`].
    pub(crate) fn spawn(command: &mut Command) -> io::Result<(OwnedChild, Pipes)> {
        let mut child = command.spawn()?;
        let group = group_of(&child)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the child was started without pipes"));
        };
        let stderr = child.stderr.take();
        Ok((OwnedChild { child, group, reaped: false }, Pipes { stdin, stdout, stderr }))
    }

    /// Waits until the child has ended, reaps it, and kills what is left of its group.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        if !self.reaped {
            self.reaped = true;
            // Right behind the reaping: the group's number can't have been given to anybody else yet.
            signal_group(self.group, Signal::KILL);
        }
        Ok(status)
    }

    /// Ends the child: SIGTERM to its group, SIGKILL after [`GRACE`], and the child reaped.
    pub(crate) async fn end(&mut self) {
        if self.reaped {
            return;
        }
        signal_group(self.group, Signal::TERM);
        if tokio::time::timeout(GRACE, self.wait()).await.is_err() {
            signal_group(self.group, Signal::KILL);
            // An error means that there is no such child any more, which is what was wanted.
            let _ = self.wait().await;
        }
    }
}

impl Drop for OwnedChild {
    fn drop(&mut self) {
        if !self.reaped {
            // The runtime reaps the child itself.
            signal_group(self.group, Signal::KILL);
        }
    }
}

/// The process group of a child started by [`command`].
pub(super) fn group_of(child: &Child) -> io::Result<Pid> {
    child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other("the child has no process id"))
}

/// Sends a signal to every process of a group. That nobody is left in it is no error.
pub(super) fn signal_group(group: Pid, signal: Signal) {
    let _ = kill_process_group(group, signal);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_not_told_what_is_private_to_the_server() {
        let line: CommandLine = "reviewer --quick".parse().unwrap();
        let command = command(&line, &["alpha"]);
        let removed: Vec<_> =
            command.as_std().get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        assert_eq!(removed, ["AUTOPILOT_WEBHOOK_SECRET", "HEAPSOAK_SOCKET"]);
        assert_eq!(command.as_std().get_args().collect::<Vec<_>>(), ["--quick", "alpha"]);
    }
}
