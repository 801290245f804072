use std::env;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use heapsoak_record::wire::{PROFILE_VARIABLE, PROFILER_VARIABLE, SOCKET_VARIABLE};
use tokio::time::sleep;

use super::leftovers::{self, Marked};
use super::process::Process;
use super::start::{START_TIME, create_folder, make_mark, spawn, why_it_ended, words};
use super::{Address, Again, Dial, Ready, Server, Target};
use crate::data::DataFolder;
use crate::observer::Observer;
use crate::probe::{Hello, Probe, ProbeError};
use crate::profile::Profile;
use crate::run_error::RunError;
use crate::scenario::TargetSpec;

/// Time between two tries to reach the probe.
const RETRY: Duration = Duration::from_millis(10);

/// What a server that does not come up has not done.
const SAY: &str = "say where it listens";

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
pub(super) async fn start(builtin: Builtin<'_>) -> Result<Ready, RunError> {
    leftovers::adopt_orphans();
    let folder = create_folder()?;
    let data = folder.path().join("data");
    std::fs::create_dir(&data)
        .map_err(|error| RunError::Input(format!("can't create {}: {error}", data.display())))?;
    let socket = folder.path().join("probe.sock");
    let mark = make_mark();
    let marked = Marked::new(&mark);

    let mut tracker = spawn(&mut builtin.command("__tracker", &mark))?;
    let Some(tracker_address) = tracker.address(START_TIME).await else {
        return Err(why_it_ended(&mut tracker, "the tracker's simulator", SAY).await);
    };
    let mut command = builtin.command("__autopilot", &mark);
    builtin.configure(&mut command, &data, &socket, &tracker_address);
    let words = words(&command);
    let Up { server, address, probe, hello } = bring_up(&mut command, &socket).await?;
    let name = match builtin.spec.as_found.as_slice() {
        [] => "autopilot (fixed)".to_owned(),
        defects => format!("autopilot (as found: {})", defects.join(", ")),
    };
    let target = Target {
        pid: server.id(),
        server: Server::Started(server),
        again: Some(Again::Builtin { command, socket }),
        fake_time: None,
        _tracker: Some(tracker),
        _marked: Some(marked),
        name,
        command: words,
        dial: Dial::plain(address),
        ready: "/health".to_owned(),
        data: Some(DataFolder::new(data)),
        _folder: Some(folder),
    };
    let observer = Observer::Probe(Box::new(probe));
    Ok(Ready { target, observer, memory_limit_bytes: hello.memory_limit_bytes })
}

/// A server that is ready.
pub(super) struct Up {
    pub(super) server: Process,
    pub(super) address: Address,
    pub(super) probe: Probe,
    pub(super) hello: Hello,
}

/// Starts the server, and waits until both it and its probe answer.
pub(super) async fn bring_up(command: &mut Command, socket: &Path) -> Result<Up, RunError> {
    let mut server = spawn(command)?;
    let Some(address) = server.address(START_TIME).await else {
        return Err(why_it_ended(&mut server, "the server", SAY).await);
    };
    let address: SocketAddr = address.parse().map_err(|_| {
        RunError::WouldNotStart(format!("the server says it listens on '{address}', which is no address"))
    })?;
    let (probe, hello) = reach_probe(socket, &mut server).await?;
    Ok(Up { server, address: Address::http(address), probe, hello })
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
            return Err(why_it_ended(server, "the server", SAY).await);
        }
        sleep(RETRY).await;
    }
}
