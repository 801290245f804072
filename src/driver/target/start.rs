use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use heapsoak_record::wire::{PROFILE_VARIABLE, PROFILER_VARIABLE, SOCKET_VARIABLE};
use tempfile::TempDir;
use tokio::time::sleep;

use super::Target;
use super::leftovers::{self, Marked};
use super::process::{Process, describe};
use crate::clock::unix_now_ms;
use crate::data::DataFolder;
use crate::probe::{Hello, Probe, ProbeError};
use crate::profile::Profile;
use crate::run_error::RunError;
use crate::scenario::TargetSpec;

/// How long a server may take from its start to its first answer.
const START_TIME: Duration = Duration::from_secs(20);

/// Time between two tries to reach the probe.
const RETRY: Duration = Duration::from_millis(10);

/// Longest path a unix socket can have, with room for the terminating zero.
const LONGEST_SOCKET_PATH: usize = 100;

/// Status a program exits with when its arguments can't be used, the port is taken and the like.
const BAD_INPUT: i32 = 2;

/// Environment variables that would configure the built-in server behind the scenario's back.
const SETTINGS: &str = "AUTOPILOT_";

/// The built-in server and the simulators it works with: one program with hidden subcommands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Builtin<'a> {
    pub(crate) program: &'a Path,
    pub(crate) spec: &'a TargetSpec,
    pub(crate) profile: Option<&'a Profile>,
}

/// Starts the tracker and the server, and waits until both the server and its probe answer.
pub(crate) async fn start(builtin: Builtin<'_>) -> Result<(Target, Probe, Hello), RunError> {
    leftovers::adopt_orphans();
    let folder = create_folder()?;
    let data = folder.path().join("data");
    std::fs::create_dir(&data)
        .map_err(|error| RunError::Input(format!("can't create {}: {error}", data.display())))?;
    let socket = folder.path().join("probe.sock");
    let mark = make_mark();
    let marked = Marked::new(&mark);

    let mut tracker = spawn(builtin.command("__tracker", &mark))?;
    let Some(tracker_address) = tracker.address(START_TIME).await else {
        return Err(why_it_ended(&mut tracker, "the tracker's simulator").await);
    };
    let mut command = builtin.command("__autopilot", &mark);
    builtin.configure(&mut command, &data, &socket, &tracker_address);
    let words = words(&command);
    let mut server = spawn(command)?;
    let Some(address) = server.address(START_TIME).await else {
        return Err(why_it_ended(&mut server, "the server").await);
    };
    let address: SocketAddr = address.parse().map_err(|_| {
        RunError::WouldNotStart(format!("the server says it listens on '{address}', which is no address"))
    })?;
    let (probe, hello) = reach_probe(&socket, &mut server).await?;
    let data = DataFolder::new(data);
    let target =
        Target { server, _tracker: tracker, _marked: marked, command: words, address, data, _folder: folder };
    Ok((target, probe, hello))
}

impl Builtin<'_> {
    fn command(&self, role: &str, mark: &str) -> Command {
        let mut command = Command::new(self.program);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with(SETTINGS)) {
            command.env_remove(name);
        }
        for name in [SOCKET_VARIABLE, PROFILER_VARIABLE, PROFILE_VARIABLE] {
            command.env_remove(name);
        }
        command.arg(role).env(leftovers::MARK, mark);
        command
    }

    /// By the environment, so that the scenario's own arguments win.
    fn configure(&self, command: &mut Command, data: &Path, socket: &Path, tracker: &str) {
        let part = |role: &str| {
            let words = [self.program.to_string_lossy().into_owned(), role.to_owned()];
            serde_json::to_string(&words).expect("strings can be written as JSON")
        };
        let as_found =
            if self.spec.as_found.is_empty() { "none".to_owned() } else { self.spec.as_found.join(",") };
        command
            .arg("--exit-with-stdin")
            .arg("--as-found")
            .arg(as_found)
            .args(&self.spec.args)
            .env(SOCKET_VARIABLE, socket)
            .env("AUTOPILOT_LISTEN", "127.0.0.1:0")
            .env("AUTOPILOT_DATA", data)
            .env("AUTOPILOT_WEBHOOK_SECRET", &self.spec.secret)
            .env("AUTOPILOT_TRACKER_URL", format!("http://{tracker}"))
            .env("AUTOPILOT_AGENT_COMMAND", part("__agent"))
            .env("AUTOPILOT_REVIEWER_COMMAND", part("__reviewer"));
        if let Some(profile) = self.profile {
            profile.configure(command);
        }
    }
}

fn spawn(mut command: Command) -> Result<Process, RunError> {
    Process::start(&mut command).map_err(|error| {
        RunError::Input(format!("can't start {}: {error}", Path::new(command.get_program()).display()))
    })
}

/// Waits for the probe to answer.
async fn reach_probe(socket: &Path, server: &mut Process) -> Result<(Probe, Hello), RunError> {
    let start = Instant::now();
    loop {
        match Probe::connect(socket).await {
            Ok((probe, hello)) if hello.pid == server.id() => return Ok((probe, hello)),
            Ok((_, hello)) => {
                return Err(RunError::WouldNotStart(format!(
                    "process {} answers for the probe, but the server is process {}",
                    hello.pid,
                    server.id()
                )));
            }
            Err(ProbeError::Io(_)) if start.elapsed() < START_TIME => {}
            Err(error) => {
                return Err(RunError::WouldNotStart(format!(
                    "the server runs, but its probe can't be reached: {error}: \
                     is the probe its global allocator, and does it call heapsoak_probe::start()?"
                )));
            }
        }
        if *server.died().borrow() {
            return Err(why_it_ended(server, "the server").await);
        }
        sleep(RETRY).await;
    }
}

/// The error for a process that did not come up.
async fn why_it_ended(process: &mut Process, name: &str) -> RunError {
    if !process.ended(Duration::from_millis(500)).await {
        process.end_now();
        return RunError::WouldNotStart(format!(
            "{name} did not say where it listens within {} s{}",
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

fn words(command: &Command) -> Vec<String> {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect()
}

/// A folder for data and socket, with a path short enough for a socket.
fn create_folder() -> Result<TempDir, RunError> {
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
fn make_mark() -> String {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    format!("{}-{run}-{}", std::process::id(), unix_now_ms())
}
