use std::thread;
use std::time::Duration;

use procfs::process::Process;
use tokio::sync::watch;
use tokio::time::timeout;

/// Time between two looks at whether the process still runs.
const LOOK: Duration = Duration::from_millis(50);

/// A process that somebody else started. It is watched, never signalled.
#[derive(Debug)]
pub(super) struct Foreign {
    died: watch::Receiver<bool>,
}

impl Foreign {
    /// Watches a running process; none if there is no such process.
    pub(super) fn watch(pid: u32) -> Option<Foreign> {
        let process = i32::try_from(pid).ok().and_then(|pid| Process::new(pid).ok())?;
        let born = process.stat().ok()?.starttime;
        let (sender, died) = watch::channel(false);
        // A number may be given to another process: the same one was born at the same time.
        let runs = move || {
            let stat = Process::new(process.pid).and_then(|process| process.stat());
            stat.is_ok_and(|stat| stat.starttime == born && stat.state != 'Z')
        };
        thread::spawn(move || {
            while runs() {
                if sender.is_closed() {
                    return;
                }
                thread::sleep(LOOK);
            }
            sender.send_replace(true);
        });
        Some(Foreign { died })
    }

    /// Turns true when the process has ended.
    pub(super) fn died(&self) -> watch::Receiver<bool> {
        self.died.clone()
    }

    /// Waits for a process that is about to end; true if it did in time.
    pub(super) async fn ended(&mut self, patience: Duration) -> bool {
        let mut died = self.died.clone();
        timeout(patience, died.wait_for(|died| *died)).await.is_ok_and(|watched| watched.is_ok())
    }
}
