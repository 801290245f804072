//! Stacks are captured as the environment asks at the start, and as the socket asks later; what can't be done is said
//! in one line, and counted on.

mod support;

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output};

use heapsoak_probe::{Component, Probe, heap};
use heapsoak_record::wire::{Request, Response};
use heapsoak_record::{CaptureRate, Captured, Stacks};
use support::{assert_adds_up, context};

#[global_allocator]
static ALLOCATOR: Probe<jemallocator::Jemalloc> = Probe::new(jemallocator::Jemalloc);

static QUEUE: Component = Component::new("queue");
static CACHE: Component = Component::new("cache");

/// Set in the copies of this test that do the work.
const SOCKET: &str = "HEAPSOAK_SOCKET";

/// Runs a copy of this test with a mode in its environment, started by a shell.
fn run_with(mode: &str, limit: &str) -> Output {
    let folder = tempfile::tempdir().expect("the test can go on");
    Command::new("sh")
        .args(["-c", &format!("{limit} exec timeout 60 \"$0\" --exact \"$1\" --nocapture")])
        .arg(std::env::current_exe().expect("the test can go on"))
        .arg("stacks_are_captured_as_asked")
        .env(SOCKET, folder.path().join("probe.sock"))
        .env("HEAPSOAK_MODE", mode)
        .output()
        .expect("the test can go on")
}

/// One line on stderr that says what is wrong; the rest went well.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}");
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("heapsoak: ")).collect();
    assert!(lines.len() <= 1, "{text}");
    lines.concat()
}

#[test]
fn stacks_are_captured_as_asked() {
    if let Some(socket) = std::env::var_os(SOCKET) {
        return work(Path::new(&socket), &std::env::var("HEAPSOAK_MODE").expect("the test can go on"));
    }
    for mode in ["exact", "stacks", "zoom:queue"] {
        assert_eq!(complaint(&run_with(mode, "")), "");
    }
    assert!(complaint(&run_with("zoom", "")).contains("HEAPSOAK_MODE=zoom is not"));
    let refused = complaint(&run_with("stacks", "ulimit -v 8000000 &&"));
    assert!(refused.contains("address space") && refused.contains("ulimit -v"), "{refused}");
}

fn work(socket: &Path, mode: &str) {
    heapsoak_probe::start();
    let queued = QUEUE.scope(|| black_box(vec![1_u8; 100]));
    let cached = CACHE.scope(|| black_box(vec![1_u8; 10]));
    let mut lines = BufReader::new(UnixStream::connect(socket).expect("the test can go on"));
    let mut ask = |request: &Request| {
        lines
            .get_mut()
            .write_all((serde_json::to_string(request).expect("the test can go on") + "\n").as_bytes())
            .expect("the test can go on");
        let mut answer = String::new();
        lines.read_line(&mut answer).expect("the test can go on");
        serde_json::from_str::<Response>(&answer).expect("the test can go on")
    };
    let Response::Stacks(stacks) = ask(&Request::Stacks) else { panic!("no stacks") };
    let live = |stacks: &Stacks, component: &str| {
        let own = stacks.stacks.iter().filter(|stack| stack.component() == component);
        own.map(|stack| stack.live.bytes).sum::<u64>()
    };
    let expected = match mode {
        "stacks" => (100, 10),
        "zoom:queue" => (100, 0),
        _ => (0, 0),
    };
    let request = Request::CaptureStacks { component: Some("cache".to_owned()), rate: CaptureRate::Every };
    let raised = ask(&request);
    if matches!(raised, Response::Capturing) {
        assert_eq!((live(&stacks, "queue"), live(&stacks, "cache")), expected);
        let more = CACHE.scope(|| black_box(vec![1_u8; 1_000]));
        let Response::Stacks(stacks) = ask(&Request::Stacks) else { panic!("no stacks") };
        assert_eq!((live(&stacks, "queue"), live(&stacks, "cache")), (expected.0, expected.1 + 1_000));
        let rule = Captured { component: Some("cache".to_owned()), rate: CaptureRate::Every };
        assert_eq!(stacks.captured.last(), Some(&rule));
        drop(more);
    } else {
        // Under the limit: refused, and counted all the same.
        assert!(
            matches!(&raised, Response::Error { message } if message.contains("ulimit -v")),
            "{raised:?}"
        );
    }
    let heap = heap();
    assert_adds_up(&heap);
    assert_eq!(context(&heap, "queue", None).live_bytes(), 100);
    drop((queued, cached));
}
