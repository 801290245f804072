//! The simulators as programs: how they answer, and that they end when the one they work for does.
#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod simulated;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use simulated::{PROGRAM, is_deaf};

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = start(arguments);
    // It may have ended before it has read everything, as asked.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Runs the agent, and gives its exit code and the types of its messages.
fn agent(directive: &str) -> (Option<i32>, Vec<String>) {
    let prompt = format!("Title\\nsimulate: {directive}");
    let output = run(&["agent"], &format!("{{\"type\":\"start\",\"prompt\":\"{prompt}\"}}\n"));
    let text = String::from_utf8(output.stdout).unwrap();
    let message = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let types = text.lines().map(|line| message(line)["type"].as_str().unwrap().to_owned()).collect();
    (output.status.code(), types)
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Waits for a child's end, but not for ever.
fn ends_within(child: &mut Child, limit: Duration) -> bool {
    let start = std::time::Instant::now();
    while start.elapsed() < limit {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}

#[test]
fn the_agent_uses_every_tool_and_ends_with_a_result() {
    let (code, types) = agent("tools=2");
    assert_eq!(code, Some(0));
    let expected = [
        "system",
        "assistant",
        "tool_use",
        "tool_result",
        "assistant",
        "tool_use",
        "tool_result",
        "assistant",
        "result",
    ];
    assert_eq!(types, expected);
}

#[test]
fn the_agent_fails_after_half_of_its_tools() {
    let middle = ["system", "assistant", "tool_use", "tool_result", "assistant", "tool_use"];
    for (end, code, last) in [("error", 0, &["error"][..]), ("expired", 0, &["error"]), ("crash", 3, &[])] {
        let (status, types) = agent(&format!("tools=4 end={end}"));
        assert_eq!(status, Some(code), "{end}");
        assert_eq!(types, [&middle[..], last].concat(), "{end}");
    }
}

#[test]
fn the_agent_goes_by_the_name_it_is_given() {
    let output = run(&["agent"], "{\"type\":\"start\",\"prompt\":\"\",\"session\":\"s-1\"}\n");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().next().unwrap().contains("\"session_id\":\"s-1\""), "{text}");
}

#[test]
fn the_reviewer_gives_the_verdict_asked_for() {
    let output = run(&["reviewer", "alpha"], "simulate: verdict=reject output=2000\n");
    assert!(output.status.success());
    assert!(output.stdout.starts_with(b"REJECT\nalpha: "));
    assert_eq!(output.stdout.len(), 2000 + "REJECT\nalpha: \n".len());
}

#[test]
fn the_reviewer_fails_when_asked_to() {
    let output = run(&["reviewer", "alpha"], "simulate: end=fail\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert_eq!(output.stderr, b"model alpha is not available\n");
}

#[test]
fn a_long_prompt_breaks_the_pipe_of_a_reviewer_that_does_not_read_it() {
    let mut child = start(&["reviewer", "alpha"]);
    let prompt = format!("simulate: end=no-stdin\n{}", "x".repeat(128 * 1024));
    let error = child.stdin.take().unwrap().write_all(prompt.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_silent_reviewer_ends_at_sigterm_unless_it_is_deaf() {
    for (end, deaf) in [("hang", false), ("ignore-term", true)] {
        let mut child = start(&["reviewer", "alpha"]);
        child.stdin.take().unwrap().write_all(format!("simulate: end={end}\n").as_bytes()).unwrap();
        while deaf && !is_deaf(pid(&child)) {
            assert!(child.try_wait().unwrap().is_none(), "it should be silent");
            std::thread::sleep(Duration::from_millis(2));
        }
        kill_process(pid(&child), Signal::TERM).unwrap();
        let limit = if deaf { Duration::from_millis(500) } else { Duration::from_secs(5) };
        assert_eq!(ends_within(&mut child, limit), !deaf, "{end}");
    }
}

#[test]
fn simulators_end_with_the_process_they_are_told_to_watch() {
    for (end, role) in [("hang", "agent"), ("hang", "reviewer"), ("ignore-term", "reviewer")] {
        let mut server = Command::new("sleep").arg("1000").spawn().unwrap();
        let mut child = start(&[role, "--while-pid", &server.id().to_string(), "alpha"]);
        let directive = format!("simulate: end={end}");
        let input = match role {
            "agent" => format!("{{\"type\":\"start\",\"prompt\":\"{directive}\"}}\n"),
            _ => directive,
        };
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        assert!(!has_ended_after(&mut child, Duration::from_millis(300)), "{role} {end}");
        server.kill().unwrap();
        server.wait().unwrap();
        assert!(ends_within(&mut child, Duration::from_secs(5)), "{role} {end}");
    }
}

fn has_ended_after(child: &mut Child, wait: Duration) -> bool {
    std::thread::sleep(wait);
    child.try_wait().unwrap().is_some()
}

#[test]
fn simulators_end_with_their_parent_even_when_it_is_killed() {
    // The shell is the server, by the name of sleep. What it started holds the other end of the pipe, which closes with
    // the last of them.
    for end in ["hang", "ignore-term", "grandchild"] {
        let script = format!(
            "printf 'simulate: end={end}\\n' > \"$1\"; \"$0\" reviewer alpha < \"$1\" & echo up; exec sleep 1000"
        );
        let folder = tempfile::tempdir().unwrap();
        let prompt = folder.path().join("prompt");
        let mut server = Command::new("sh")
            .args(["-c", &script, PROGRAM, prompt.to_str().unwrap()])
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(server.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        server.kill().unwrap();
        server.wait().unwrap();
        let ended = std::thread::spawn(move || output.read_to_string(&mut line).unwrap());
        let start = std::time::Instant::now();
        while !ended.is_finished() && start.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(ended.is_finished(), "{end}: something is left");
    }
}

#[test]
fn the_tracker_says_where_it_listens_and_ends_with_the_process_it_watches() {
    let mut server = Command::new("sleep").arg("1000").spawn().unwrap();
    let mut tracker = start(&["tracker", "--while-pid", &server.id().to_string()]);
    let mut line = String::new();
    BufReader::new(tracker.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on ").unwrap();
    std::net::TcpStream::connect(address).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(ends_within(&mut tracker, Duration::from_secs(5)));
}
