//! What starting any server takes, and which way to take.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::process::{Process, describe};
use super::{Builtin, Ready, builtin, own};
use crate::clock::unix_now_ms;
use crate::profile::Profile;
use crate::run_error::RunError;
use crate::scenario::{ServerSource, TargetSpec};

/// How long a server may take from its start to its first answer.
pub(super) const START_TIME: Duration = Duration::from_secs(20);

/// Longest path a unix socket can have, with room for the terminating zero.
const LONGEST_SOCKET_PATH: usize = 100;

/// Status a program exits with when its arguments can't be used, the port is taken and the like.
const BAD_INPUT: i32 = 2;

/// Why the clock of some servers can't be faked.
const NOT_SPAWNED: &str = "libfaketime is loaded into a server of your own that is started for the run: name its command in \
                           [target], or with --spawn (the built-in server takes its time from the probe)";

/// Starts the server a scenario wants, or finds it, and waits until it is ready.
pub(crate) async fn start(
    program: &Path,
    spec: &TargetSpec,
    profile: Option<&Profile>,
    fake_time: Option<&Path>,
) -> Result<Ready, RunError> {
    let Some(server) = &spec.own else {
        if fake_time.is_some() {
            return Err(RunError::Input(NOT_SPAWNED.to_owned()));
        }
        return builtin::start(Builtin { program, spec, profile }).await;
    };
    if profile.is_some() {
        return Err(RunError::Input("a profiler runs in the built-in server only".to_owned()));
    }
    if fake_time.is_some() && !matches!(server.source, ServerSource::Command(_)) {
        return Err(RunError::Input(NOT_SPAWNED.to_owned()));
    }
    match &server.source {
        ServerSource::Command(command) => own::spawn(server, command, &spec.secret, fake_time).await,
        ServerSource::Socket(socket) => own::attach(server, socket).await,
        ServerSource::Process(pid) => own::watch(server, *pid).await,
    }
}

/// Starts a process.
pub(super) fn spawn(command: &mut Command) -> Result<Process, RunError> {
    let program = Path::new(command.get_program()).display().to_string();
    Process::start(command).map_err(|error| RunError::Input(format!("can't start {program}: {error}")))
}

/// The error for a process that did not come up. `missing` is what it did not do in time.
pub(super) async fn why_it_ended(process: &mut Process, name: &str, missing: &str) -> RunError {
    if !process.ended(Duration::from_millis(500)).await {
        process.end_now();
        return RunError::WouldNotStart(format!(
            "{name} did not {missing} within {} s{}",
            START_TIME.as_secs(),
            behind(&process.stderr())
        ));
    }
    let Some(status) = process.end_now() else {
        return RunError::WouldNotStart(format!("{name} ended at once"));
    };
    let said = process.stderr();
    if status.code() == Some(BAD_INPUT) {
        return RunError::Input(format!("{name} refuses to start{}", behind(&said)));
    }
    RunError::WouldNotStart(format!("{name} ended at once ({}){}", describe(status), behind(&said)))
}

/// What a process wrote last, to go behind a message.
fn behind(said: &str) -> String {
    let said = said.trim();
    let said = said.strip_prefix("error: ").unwrap_or(said);
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

/// A command's program and arguments.
pub(super) fn words(command: &Command) -> Vec<String> {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect()
}

/// A folder for data and socket, with a path short enough for a socket.
pub(super) fn create_folder() -> Result<TempDir, RunError> {
    let usual = env::temp_dir();
    let short = usual.as_os_str().len() + "/heapsoak-XXXXXX/probe.sock".len() <= LONGEST_SOCKET_PATH;
    let parent = if short { usual } else { PathBuf::from("/tmp") };
    tempfile::Builder::new().prefix("heapsoak-").tempdir_in(&parent).map_err(|error| {
        RunError::Input(format!(
            "can't create a folder in {}: {error}: set TMPDIR to another one",
            parent.display()
        ))
    })
}

/// A text no other run has.
pub(super) fn make_mark() -> String {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    format!("{}-{run}-{}", std::process::id(), unix_now_ms())
}
