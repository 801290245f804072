use std::time::Duration;

use rustix::process::{Pid, getppid, test_kill_process};

/// How often the server is looked for.
const POLL: Duration = Duration::from_millis(200);

/// What a simulator hangs on: the life of the process it works for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lifeline {
    /// The process that started this one. Gone once this process has another parent.
    Parent(Option<Pid>),
    /// A process named on the command line.
    Named(Pid),
}

impl Lifeline {
    /// Hangs on the parent. To be called first thing, while the parent is still the one that started this process.
    pub(super) fn parent() -> Lifeline {
        Lifeline::Parent(getppid())
    }

    /// Hangs on the process given as `--while-pid PID`, or else on the parent.
    pub(super) fn from_arguments(arguments: &[String]) -> Lifeline {
        let named = arguments.iter().position(|argument| argument == "--while-pid");
        let pid = named.and_then(|index| arguments.get(index + 1)).and_then(|pid| pid.parse().ok());
        pid.and_then(Pid::from_raw).map_or_else(Lifeline::parent, Lifeline::Named)
    }

    /// The process it hangs on, to be handed on to a child of this one.
    pub(super) fn pid(self) -> Option<Pid> {
        match self {
            Lifeline::Parent(pid) => pid,
            Lifeline::Named(pid) => Some(pid),
        }
    }

    /// Whether the process is still there.
    pub(super) fn holds(self) -> bool {
        match self {
            Lifeline::Parent(pid) => getppid() == pid,
            Lifeline::Named(pid) => test_kill_process(pid).is_ok(),
        }
    }

    /// Does nothing until the process is gone.
    pub(super) fn hang(self) {
        while self.holds() {
            std::thread::sleep(POLL);
        }
    }

    /// Does nothing until the process is gone, and takes no notice of SIGTERM.
    pub(super) fn hang_deaf(self) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let kind = tokio::signal::unix::SignalKind::terminate();
            let mut terminate = tokio::signal::unix::signal(kind)?;
            while self.holds() {
                let _ = tokio::time::timeout(POLL, terminate.recv()).await;
            }
            Ok(())
        })
    }
}
