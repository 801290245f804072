use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;
use std::{io, thread};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::leftovers;
use super::output::{LastLines, find_address};

/// A child process with a process group of its own. Dropping it kills the group and reaps the child.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    pid: Pid,
    died: watch::Receiver<bool>,
    stderr: LastLines,
    address: Option<oneshot::Receiver<String>>,
    /// Closed last: a child that watches its stdin knows by it that the driver is gone.
    _stdin: Option<ChildStdin>,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts a command with its three streams piped.
    pub(super) fn start(command: &mut Command) -> io::Result<Process> {
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let pid = Pid::from_child(&child);
        leftovers::register(child.id());
        let stdin = child.stdin.take();
        let address = child.stdout.take().map(find_address);
        let stderr = child.stderr.take().map_or_else(LastLines::default, LastLines::follow);
        Ok(Process { child, pid, died: watch_death(pid), stderr, address, _stdin: stdin, status: None })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Turns true when the process has ended.
    pub(super) fn died(&self) -> watch::Receiver<bool> {
        self.died.clone()
    }

    /// Waits for the line that says the address; none if the process ends or time passes without it.
    pub(super) async fn address(&mut self, patience: Duration) -> Option<String> {
        let address = self.address.take()?;
        timeout(patience, address).await.ok()?.ok()
    }

    /// The last lines it wrote to stderr.
    pub(super) fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Asks the process to end; true if it did in time.
    pub(super) async fn terminate(&mut self, patience: Duration) -> bool {
        self.signal(Signal::TERM);
        let mut died = self.died.clone();
        timeout(patience, died.wait_for(|died| *died)).await.is_ok_and(|watched| watched.is_ok())
    }

    /// Waits for a process that is about to end; true if it did in time.
    pub(super) async fn ended(&mut self, patience: Duration) -> bool {
        let mut died = self.died.clone();
        timeout(patience, died.wait_for(|died| *died)).await.is_ok_and(|watched| watched.is_ok())
    }

    /// Kills the process group and reaps the process.
    pub(super) fn end_now(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.signal(Signal::KILL);
            self.status = self.child.wait().ok();
            leftovers::forget(self.child.id());
        }
        self.status
    }

    /// Signals the group. The process is not reaped before [`end_now`](Self::end_now), so the number is still its own.
    fn signal(&self, signal: Signal) {
        if self.status.is_none() {
            // The group is gone when all its processes are: nothing to do then.
            let _gone = kill_process_group(self.pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end_now();
    }
}

/// Tells when a child ended, without reaping it.
fn watch_death(pid: Pid) -> watch::Receiver<bool> {
    let (sender, died) = watch::channel(false);
    thread::spawn(move || {
        let ended = || waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        while matches!(ended(), Err(rustix::io::Errno::INTR)) {}
        sender.send_replace(true);
    });
    died
}

/// How a process ended, in words.
pub(super) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}{}", name_signal(signal)),
        (None, None) => "ended in an unknown way".to_owned(),
    }
}

fn name_signal(signal: i32) -> &'static str {
    match signal {
        2 => " (SIGINT)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        _ => "",
    }
}
