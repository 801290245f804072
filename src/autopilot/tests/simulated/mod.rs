//! What the tests of sessions, reviews and the tracker share: the simulators, and what is left of them.
#![allow(dead_code, unreachable_pub, reason = "every test program uses its own part of it")]

use std::fs;
use std::path::Path;
use std::process;
use std::time::Duration;

use autopilot::tracker::Client;
use autopilot::{CommandLine, Config};
use clap::Parser;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::{Mutex, MutexGuard};

/// The simulators' program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_autopilot-simulator");

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(10);

static TURN: Mutex<()> = Mutex::const_new(());

/// Clock, gauges, descriptors and children belong to the whole process: its tests go one after the other.
pub async fn my_turn() -> MutexGuard<'static, ()> {
    TURN.lock().await
}

/// Runs a test in its turn, with a runtime that is made and gone within it: runtimes have descriptors as well, and this
/// test is going to count them.
pub fn alone(test: impl Future<Output = ()>) {
    let _turn = TURN.blocking_lock();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test);
}

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    config: Config,
}

/// A configuration with the simulators behind the commands.
pub fn config(folder: &Path, as_found: &str) -> Config {
    let agent = simulator("agent");
    let reviewer = simulator("reviewer");
    let flags = [
        "autopilot",
        "--webhook-secret=secret",
        "--tracker-url=http://127.0.0.1:1",
        "--agent-command",
        &agent,
        "--reviewer-command",
        &reviewer,
        "--data",
        folder.to_str().unwrap(),
        "--as-found",
        as_found,
    ];
    Flags::try_parse_from(flags).unwrap().config
}

fn simulator(role: &str) -> String {
    serde_json::json!([PROGRAM, role, "--while-pid", process::id().to_string()]).to_string()
}

/// A command from plain words.
pub fn command(text: &str) -> CommandLine {
    text.parse().unwrap()
}

/// A client of a simulated tracker, which runs in this process.
pub async fn tracker() -> Client {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(autopilot::simulator::tracker::serve(listener));
    Client::new(&url).unwrap()
}

/// Waits until something holds.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waited).await.is_ok(), "never happened: {what}");
}

/// Simulators that live because this process does, whoever is their parent now.
pub fn simulators() -> Vec<Pid> {
    let pid = process::id().to_string();
    processes()
        .filter(|other| {
            let line = fs::read(format!("/proc/{other}/cmdline")).unwrap_or_default();
            let words: Vec<_> = line.split(|byte| *byte == 0).collect();
            words[0] == PROGRAM.as_bytes()
                && words.windows(2).any(|pair| pair == [b"--while-pid", pid.as_bytes()])
        })
        .filter_map(Pid::from_raw)
        .collect()
}

/// Children of this process, zombies included.
pub fn children() -> usize {
    processes().filter(|other| parent(*other).as_deref() == Some(process::id().to_string().as_str())).count()
}

/// Open descriptors of this process.
pub fn descriptors() -> usize {
    // One is the folder that is being read.
    fs::read_dir("/proc/self/fd").unwrap().count() - 1
}

/// Whether a process has a handler for SIGTERM.
pub fn is_deaf(pid: Pid) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    caught.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & (1 << 14) != 0)
}

/// Ends what a test has left behind on purpose.
pub async fn clean_up() {
    for pid in simulators() {
        let _ = kill_process(pid, Signal::KILL);
    }
    eventually("the simulators are gone", || simulators().is_empty()).await;
}

fn processes() -> impl Iterator<Item = i32> {
    let names = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    names.filter_map(|name| name.to_str().and_then(|name| name.parse().ok()))
}

fn parent(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1).map(str::to_owned)
}
