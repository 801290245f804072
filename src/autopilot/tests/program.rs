//! The server as a process: its one line, its signals, its errors.
#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod simulated;

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autopilot-server"));
    command
        .args([
            "--tracker-url=http://127.0.0.1:1",
            "--agent-command=false",
            "--reviewer-command=false",
            "--data",
        ])
        .arg(data)
        .env("AUTOPILOT_WEBHOOK_SECRET", "secret")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Starts a server and waits for its line.
fn start(data: &Path, flags: &[&str]) -> (Child, SocketAddr) {
    let mut child = command(data).args(flags).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.strip_prefix("listening on ").and_then(|rest| rest.trim_end().parse().ok());
    (child, address.unwrap_or_else(|| panic!("not the line: {line:?}")))
}

/// Waits for an end within ten seconds.
fn end(mut child: Child) -> Output {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(10) {
            child.kill().unwrap();
            panic!("it did not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

fn refusal(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn it_prints_one_line_serves_and_ends_at_a_signal() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, address) = start(folder.path(), &[]);
        TcpStream::connect(address).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let mut further = String::new();
        child.stdout.as_mut().unwrap().read_to_string(&mut further).unwrap();
        assert_eq!(further, "");
        assert!(end(child).status.success());
    }
}

#[test]
fn it_ends_with_its_stdin_when_told_so_and_only_then() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, address) = start(folder.path(), &["--exit-with-stdin"]);
    drop(child.stdin.take());
    assert!(end(child).status.success());
    assert!(TcpStream::connect(address).is_err());

    let (mut child, address) = start(folder.path(), &[]);
    drop(child.stdin.take());
    TcpStream::connect(address).unwrap();
    assert!(child.try_wait().unwrap().is_none());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn an_address_in_use_is_one_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = command(folder.path()).args(["--listen", &address]).output().unwrap();
    let text = refusal(&output);
    assert!(text.contains(&address) && text.contains("--listen"), "{text}");
}

#[test]
fn two_servers_do_not_share_a_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (child, _) = start(folder.path(), &[]);
    let text = refusal(&command(folder.path()).output().unwrap());
    assert!(text.contains("is used by another server"), "{text}");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    end(child);
}

#[test]
fn settings_that_can_not_work_are_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(refusal(&command(&file).output().unwrap()).contains("file"));
    for (flag, word) in [
        ("--tracker-url=ftp://example", "--tracker-url"),
        ("--webhook-secret=", "AUTOPILOT_WEBHOOK_SECRET"),
        ("--cache-namespaces=a/b", "--cache-namespaces"),
        ("--reviewer-models=", "--reviewer-models"),
        ("--verifier-window=0s", "--verifier-window"),
    ] {
        let mut command = command(folder.path());
        if flag.starts_with("--tracker-url") {
            command = Command::new(env!("CARGO_BIN_EXE_autopilot-server"));
            command
                .args(["--agent-command=a", "--reviewer-command=a"])
                .env("AUTOPILOT_WEBHOOK_SECRET", "secret");
            command.arg("--data").arg(folder.path());
        }
        let text = refusal(&command.arg(flag).output().unwrap());
        assert!(text.contains(word), "{text}");
    }
    let output = command(folder.path()).arg("--as-found=nonsense").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
