//! A folder to run the tool in as a user would, and eyes for what it leaves behind.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a bench that can't be set up fails its test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Environment variable that every process of one bench inherits.
const MARK: &str = "HEAPSOAK_TEST_BENCH";

/// A short, healthy scenario of the built-in server.
pub const LOOK_UPS: &str = r#"
version = 1
description = "a few look-ups"
include = ["leak-scenarios/kinds/cache.toml"]
[target]
args = ["--cache-capacity", "20"]
[load]
cycles = 12
max-cycles = 24
requests-per-cycle = 60
[weights]
"cache.hit" = 3
"cache.miss" = 1
"#;

/// [`LOOK_UPS`] with the server as it was found, and some look-ups in namespaces that do not exist.
pub fn leaking_look_ups(as_found: &str) -> String {
    LOOK_UPS
        .replace("args = [\"--cache-capacity\", \"20\"]", &format!("as-found = \"{as_found}\""))
        .replace("\"cache.miss\" = 1", "\"cache.unknown-namespace\" = 2")
}

/// A working folder of its own with the shipped scenarios in it.
pub struct Workbench {
    folder: tempfile::TempDir,
}

impl Workbench {
    pub fn new() -> Workbench {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(repository().join("leak-scenarios"), folder.path().join("leak-scenarios"))
            .unwrap();
        Workbench { folder }
    }

    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Writes a file of the bench and returns its path.
    pub fn file(&self, relative: &str, text: &str) -> PathBuf {
        let path = self.path(relative);
        fs::write(&path, text).unwrap();
        path
    }

    /// The tool, to be run in the bench.
    pub fn heapsoak(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::from_std(self.std_heapsoak(arguments));
        command.timeout(Duration::from_secs(600));
        command
    }

    /// The tool, started in a process group of its own, as a terminal would.
    pub fn start(&self, arguments: &[&str]) -> Child {
        use std::os::unix::process::CommandExt as _;
        let mut command = self.std_heapsoak(arguments);
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    fn std_heapsoak(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heapsoak"));
        command.args(arguments).current_dir(self.folder.path()).env(MARK, self.folder.path());
        command
    }

    /// The command lines of the bench's living processes.
    pub fn processes(&self) -> Vec<Process> {
        let mark = format!("{MARK}={}", self.folder.path().display());
        let mut processes = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            if environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()) {
                let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                processes
                    .push(Process { pid, command: String::from_utf8_lossy(&command).replace('\0', " ") });
            }
        }
        processes
    }

    /// Fails unless every process of the bench is gone within a few seconds.
    pub fn assert_nothing_left(&self) {
        let left = wait_for(Duration::from_secs(5), || {
            let left = self.processes();
            if left.is_empty() { Ok(()) } else { Err(left) }
        });
        assert!(left.is_ok(), "left behind: {left:?}");
    }

    /// Waits until the run's recording holds so many snapshots; returns its server's process.
    pub fn wait_for_snapshots(&self, run: &str, snapshots: usize) -> Process {
        let recording = self.path(run).join("recording.jsonl");
        wait_for(Duration::from_secs(60), || {
            let text = fs::read_to_string(&recording).unwrap_or_default();
            let found = text.lines().filter(|line| line.starts_with("{\"snapshot\"")).count();
            if found >= snapshots { Ok(()) } else { Err(found) }
        })
        .expect("the run records snapshots");
        // A child that the server starts goes by the server's name until it becomes what it is.
        let server = wait_for(Duration::from_secs(5), || {
            let mut servers = self.processes();
            servers.retain(|process| process.command.contains("__autopilot"));
            if servers.len() == 1 { Ok(servers.remove(0)) } else { Err(servers) }
        });
        server.unwrap_or_else(|servers| panic!("not one server: {servers:?}"))
    }

    pub fn json(&self, relative: impl AsRef<Path>) -> Value {
        let path = self.path(relative);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap()
    }
}

/// A process of the bench.
#[derive(Debug)]
pub struct Process {
    pub pid: i32,
    pub command: String,
}

impl Process {
    pub fn kill(&self) {
        let pid = rustix::process::Pid::from_raw(self.pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }
}

/// Signals the process group of a tool started by [`Workbench::start`], as Ctrl-C in a terminal does.
pub fn signal_group(tool: &Child, signal: rustix::process::Signal) {
    let group = rustix::process::Pid::from_child(tool);
    rustix::process::kill_process_group(group, signal).unwrap();
}

/// Waits for a started tool; returns its exit code, stdout and stderr.
pub fn finish(tool: Child) -> (Option<i32>, String, String) {
    let output = tool.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Polls until a condition holds, up to a time.
pub fn wait_for<T, E>(at_most: Duration, mut condition: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let end = Instant::now() + at_most;
    loop {
        match condition() {
            Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(20)),
            outcome => return outcome,
        }
    }
}

/// The folder of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
