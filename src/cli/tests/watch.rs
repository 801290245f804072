//! `watch`: a picture as text, a real terminal, and a server that is only looked at.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use predicates::prelude::*;
use predicates::str::contains;
use workbench::{Workbench, finish, signal_group, wait_for};

#[test]
fn a_soak_is_watched_while_it_runs_and_when_it_is_done() {
    let bench = Workbench::new();
    let soak = bench.start(&["soak", "verifier", "--out", "reports/one", "--quiet"]);
    bench.wait_for_snapshots("reports/one", 4);
    let live = bench.heapsoak(&["watch", "reports/one", "--once"]).assert().success().stderr("");
    live.stdout(contains("verifier").and(contains("cycle")).and(contains("the soak goes on")));
    signal_group(&soak, rustix::process::Signal::INT);
    finish(soak);
    // Without a name, the run that was written to last.
    let done = bench.heapsoak(&["watch", "--once"]).assert().success();
    done.stdout(contains("done: ").and(contains("reports/one/report.html")));
    bench.assert_nothing_left();
}

#[test]
fn what_cannot_be_watched_is_said_with_the_remedy() {
    let bench = Workbench::new();
    let watch = |arguments: &[&str]| bench.heapsoak(&[&["watch"], arguments].concat()).assert().code(2);
    watch(&["--once"]).stderr(contains("no recording in reports"));
    watch(&["--socket", "none.sock"]).stderr(contains("none.sock").and(contains("HEAPSOAK_SOCKET")));
    bench.file("text.jsonl", "hello\n");
    watch(&["text.jsonl", "--once"]).stderr(contains("text.jsonl:1"));
    bench.heapsoak(&["soak", "verifier", "--requests", "600", "--out", "run", "--quiet"]).output().unwrap();
    watch(&["run"]).stderr(contains("stdout is none").and(contains("--once")));
}

#[test]
fn in_a_real_terminal_it_draws_until_a_key_ends_it() {
    let bench = Workbench::new();
    bench.heapsoak(&["soak", "verifier", "--requests", "600", "--out", "run", "--quiet"]).output().unwrap();
    let command = format!("stty rows 30 cols 100; {} watch run", env!("CARGO_BIN_EXE_heapsoak"));
    let mut script = Command::new("script")
        .args(["--quiet", "--flush", "--return", "--command", &command, "typescript"])
        .current_dir(bench.path("."))
        .env("TERM", "xterm-256color")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("script is there: apt-get install bsdutils");
    let drawn = wait_for(Duration::from_secs(30), || {
        let text = std::fs::read_to_string(bench.path("typescript")).unwrap_or_default();
        if text.contains("verifier") && text.contains("q to leave") { Ok(()) } else { Err(text) }
    });
    assert!(drawn.is_ok(), "{drawn:?}");
    script.stdin.take().unwrap().write_all(b"q").unwrap();
    let (code, stdout, stderr) = finish(script);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    // The other screen was entered and left again, and the last picture stays behind.
    let (entered, left) = ("\u{1b}[?1049h", "\u{1b}[?1049l");
    let after = stdout.split_once(entered).unwrap().1.split_once(left).unwrap().1;
    assert!(after.contains("verifier") && after.contains("done: "), "{after}");
}

#[test]
fn a_server_is_watched_by_its_socket_and_its_end_is_noticed() {
    let bench = Workbench::new();
    let socket = bench.path("probe.sock");
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let server = Command::new(env!("CARGO_BIN_EXE_heapsoak"))
        .args(["__autopilot", "--listen", &address, "--exit-with-stdin", "--webhook-secret", "secret"])
        .args([
            "--tracker-url",
            "http://127.0.0.1:9",
            "--agent-command",
            "true",
            "--reviewer-command",
            "true",
        ])
        .current_dir(bench.path("."))
        .env("HEAPSOAK_SOCKET", &socket)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let found = wait_for(Duration::from_secs(30), || UnixStream::connect(&socket));
    if found.is_err() {
        panic!("no socket: {:?}", finish(server));
    }
    for _ in 0..3 {
        let mut stream = wait_for(Duration::from_secs(30), || TcpStream::connect(&address)).unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").unwrap();
        std::io::read_to_string(stream).unwrap();
    }
    let path = socket.to_str().unwrap();
    let seen = bench.heapsoak(&["watch", "--socket", path, "--once"]).assert().success();
    seen.stdout(
        contains(server.id().to_string())
            .and(contains("unscoped"))
            .and(contains("threads"))
            .and(contains("3 requests")),
    );
    finish(server);
    bench.heapsoak(&["watch", "--socket", path, "--once"]).assert().code(2);
}
