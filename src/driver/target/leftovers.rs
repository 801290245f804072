//! Finds and ends what a server leaves behind: children of children, in whatever process group they are.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use procfs::process::{Process, all_processes};
use rustix::process::{
    Pid, Signal, WaitOptions, getpgrp, getpid, kill_process, set_child_subreaper, waitpid,
};

/// Environment variable that marks everything a run starts; inherited by children of children.
pub(super) const MARK: &str = "HEAPSOAK_RUN";

/// Longest time to end what is left.
const PATIENCE: Duration = Duration::from_secs(3);

/// Children somebody in this process waits for; nobody else may reap them.
static WAITED_FOR: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

pub(super) fn register(pid: u32) {
    WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner).insert(pid);
}

pub(super) fn forget(pid: u32) {
    WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner).remove(&pid);
}

/// Makes orphans among this process's descendants its children, so that they can be found and reaped.
pub(super) fn adopt_orphans() {
    // Where the system has no such thing, orphans go to process 1, which reaps them; they are found by their mark.
    let _unsupported = set_child_subreaper(Some(getpid()));
}

/// Everything that carries a mark in its environment. Dropping it ends all of it.
#[derive(Debug)]
pub(super) struct Marked {
    mark: String,
}

impl Marked {
    pub(super) fn new(mark: &str) -> Marked {
        Marked { mark: mark.to_owned() }
    }
}

impl Drop for Marked {
    fn drop(&mut self) {
        end_all(&self.mark);
    }
}

/// Kills every process that carries the mark, and reaps those that became children of this process.
fn end_all(mark: &str) {
    let start = Instant::now();
    let mut killed = BTreeSet::new();
    loop {
        let found = find_marked(mark);
        for &pid in &found {
            if let Some(pid) = to_pid(pid) {
                // It may have ended since.
                let _gone = kill_process(pid, Signal::KILL);
            }
        }
        killed.extend(&found);
        killed.extend(find_adopted_zombies());
        killed.retain(|&pid| !reap(pid));
        if found.is_empty() || start.elapsed() > PATIENCE {
            return;
        }
        sleep(Duration::from_millis(5));
    }
}

fn find_marked(mark: &str) -> Vec<i32> {
    let Ok(processes) = all_processes() else { return Vec::new() };
    let marked = |process: &Process| {
        process.environ().is_ok_and(|environment| {
            environment.get(OsStr::new(MARK)).is_some_and(|value| value == OsStr::new(mark))
        })
    };
    processes.filter_map(Result::ok).filter(marked).map(|process| process.pid).collect()
}

/// Children of this process that have ended and that nobody waits for. The driver's own children are registered, and
/// what others in this program start is in its process group; what is left was adopted.
fn find_adopted_zombies() -> Vec<i32> {
    let Ok(processes) = all_processes() else { return Vec::new() };
    let (own, group) = (getpid().as_raw_nonzero().get(), getpgrp().as_raw_nonzero().get());
    let stats = processes.filter_map(|process| process.ok()?.stat().ok());
    let zombies = stats.filter(|stat| stat.state == 'Z' && stat.ppid == own && stat.pgrp != group);
    let waited_for = WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner);
    zombies
        .map(|stat| stat.pid)
        .filter(|pid| u32::try_from(*pid).is_ok_and(|pid| !waited_for.contains(&pid)))
        .collect()
}

/// True when there is nothing left to reap: done, or it is another process's child.
fn reap(pid: i32) -> bool {
    let waited_for = WAITED_FOR.lock().unwrap_or_else(PoisonError::into_inner);
    if u32::try_from(pid).is_ok_and(|pid| waited_for.contains(&pid)) {
        return true;
    }
    let Some(pid) = to_pid(pid) else { return true };
    !matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(None))
}

fn to_pid(pid: i32) -> Option<Pid> {
    Pid::from_raw(pid)
}
