//! Soaks of many cycles: what the tool keeps of them stays bounded, and a run that broke off goes on.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use heapsoak_record::{Event, Recording};
use rustix::process::Signal;
use workbench::{Workbench, finish, signal_group, wait_for};

/// Most memory the tool may take, in KiB. Of an unoptimised one 13 MiB more of its own code are resident: 24 instead of 11.
const MOST_KIB: u64 = if cfg!(debug_assertions) { (64 + 13) * 1024 } else { 64 * 1024 };

/// Requests of which every second leaks when the cache is as found.
const KINDS: &str = "[weights]\n\"cache.health\" = 1\n\"cache.unknown\" = 1\n\
    [kind.\"cache.health\"]\npath = \"/health\"\nexpect = { ok = [200] }\n\
    [kind.\"cache.unknown\"]\npath = \"/catalogue/unknown-{{hex:16}}/key\"\nexpect = { error = [404] }\n";

/// A figure of a process's memory in KiB; 0 once it has ended.
fn kib(pid: u32, figure: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0)
}

#[test]
fn thousands_of_cycles_leave_a_bounded_recording_and_a_small_tool() {
    let bench = Workbench::new();
    bench.file(
        "long.toml",
        &format!(
            "version = 1\n[target]\nas-found = [\"cache\"]\n[load]\ncycles = 2100\nrequests-per-cycle = 4\n{KINDS}"
        ),
    );
    let mut tool =
        bench.start(&["soak", "long.toml", "--out", "run", "--no-zoom", "--quiet", "--format", "json"]);
    // Read meanwhile, so that the tool never waits for its reader.
    let mut stdout = BufReader::new(tool.stdout.take().unwrap());
    let reading = std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
    // All that is resident, from the start to the report: the kernel keeps the most there was.
    let mut peak = 0;
    while tool.try_wait().unwrap().is_none() {
        peak = peak.max(kib(tool.id(), "VmHWM"));
        sleep(Duration::from_millis(5));
    }
    reading.join().unwrap().unwrap();
    let (code, _, stderr) = finish(tool);
    assert_eq!(code, Some(3), "{stderr}");
    println!("peak of the tool: {peak} KiB");
    assert!((1..MOST_KIB).contains(&peak), "{peak} KiB");
    let report = bench.json("run/report.json");
    assert_eq!(report["verdict"], "leak");
    assert_eq!(report["quality"]["failures"], serde_json::json!([]));
    assert!(report["requests"]["sent"].as_u64().unwrap() >= 2_100 * 4);
    assert_ne!(report["own_heap"]["verdict"], "leak", "{}", report["own_heap"]);
    let recording = Recording::read(&bench.path("run/recording.jsonl")).unwrap();
    // Folded at 256, 512, 1,024 and 2,048 cycles, to 128 each time.
    let folds: Vec<_> = recording
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Folded { after, cycles_each } => Some((*after, *cycles_each)),
            _ => None,
        })
        .collect();
    assert_eq!(folds, [(256, 2), (512, 4), (1024, 8), (2048, 16)]);
    let cycles: Vec<u32> = recording.snapshots.iter().map(|snapshot| snapshot.cycle).collect();
    assert_eq!(cycles, (0..=132).collect::<Vec<_>>());
    let bytes = fs::metadata(bench.path("run/recording.jsonl")).unwrap().len();
    assert!(bytes < 64 << 20, "{bytes}");
    bench.assert_nothing_left();
}

/// A server that somebody else started; ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Starts the built-in server by itself; returns it and its address.
fn start_server(bench: &Workbench) -> (Running, String) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_heapsoak"));
    server.args(["__autopilot", "--as-found", "cache"]);
    server.env("HEAPSOAK_SOCKET", bench.path("probe.sock"));
    for (name, value) in [
        ("LISTEN", "127.0.0.1:0"),
        ("DATA", bench.path("data").to_str().unwrap()),
        ("WEBHOOK_SECRET", "s"),
        ("TRACKER_URL", "http://127.0.0.1:9"),
        ("AGENT_COMMAND", "[\"true\"]"),
        ("REVIEWER_COMMAND", "[\"true\"]"),
    ] {
        server.env(format!("AUTOPILOT_{name}"), value);
    }
    fs::create_dir(bench.path("data")).unwrap();
    let mut running = Running(server.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = format!("http://{}", line.trim().strip_prefix("listening on ").unwrap());
    (running, url)
}

/// Kills a tool once it has recorded so many snapshots.
fn kill_after(bench: &Workbench, tool: Child, snapshots: usize) {
    let recording = bench.path("run/recording.jsonl");
    wait_for(Duration::from_secs(60), || {
        let text = fs::read_to_string(&recording).unwrap_or_default();
        let found = text.lines().filter(|line| line.starts_with("{\"snapshot\"")).count();
        if found >= snapshots { Ok(()) } else { Err(found) }
    })
    .unwrap();
    signal_group(&tool, Signal::KILL);
    assert_eq!(finish(tool).0, None);
}

#[test]
fn a_run_whose_server_runs_on_goes_on_after_its_tool_was_killed_and_is_judged_as_one() {
    let bench = Workbench::new();
    bench.file("mine.toml", &format!("version = 1\n[load]\ncycles = 40\nrequests-per-cycle = 60\n{KINDS}"));
    let (mut server, url) = start_server(&bench);
    let socket = bench.path("probe.sock").display().to_string();
    let target = ["soak", "mine.toml", "--attach", &socket, "--url", &url];
    let tool = bench.start(&[&target[..], &["--out", "run"]].concat());
    kill_after(&bench, tool, 12);
    let before = Recording::read(&bench.path("run/recording.jsonl")).unwrap();
    let resumed = bench.heapsoak(&[&target[..], &["--resume", "run"]].concat()).assert().code(3);
    drop(resumed);
    let report = bench.json("run/report.json");
    assert_eq!(report["verdict"], "leak");
    assert_eq!(report["quality"]["failures"], serde_json::json!([]), "{}", report["quality"]);
    assert_eq!(report["findings"][0]["component"], "cache");
    let after = Recording::read(&bench.path("run/recording.jsonl")).unwrap();
    let kept = before.snapshots.len();
    assert_eq!(after.snapshots[..kept], before.snapshots[..]);
    let cycles: Vec<u32> = after.snapshots.iter().map(|snapshot| snapshot.cycle).collect();
    assert_eq!(cycles, (0..=40).collect::<Vec<_>>());
    assert!(after.snapshots.is_sorted_by_key(|snapshot| snapshot.requests));
    assert!(after.snapshots.is_sorted_by_key(|snapshot| snapshot.elapsed_ms));
    let last = before.snapshots.last().unwrap().cycle;
    let resumed =
        after.events.iter().filter(|event| matches!(event, Event::Resumed { cycle, .. } if *cycle == last));
    assert_eq!(resumed.count(), 1, "{:?}", after.events);
    assert!(server.0.try_wait().unwrap().is_none(), "the server runs on");
    // It is complete now.
    let again = bench.heapsoak(&[&target[..], &["--resume", "run"]].concat()).assert().code(2);
    let said = String::from_utf8(again.get_output().stderr.clone()).unwrap();
    assert!(said.contains("this run is complete"), "{said}");
}

#[test]
fn a_run_whose_server_ended_with_it_starts_anew_and_says_what_is_kept() {
    let bench = Workbench::new();
    bench.file(
        "mine.toml",
        &format!(
            "version = 1\n[target]\nas-found = [\"cache\"]\n[load]\ncycles = 30\nrequests-per-cycle = 60\n{KINDS}"
        ),
    );
    let tool = bench.start(&["soak", "mine.toml", "--out", "run"]);
    kill_after(&bench, tool, 8);
    bench.assert_nothing_left();
    let answered =
        Recording::read(&bench.path("run/recording.jsonl")).unwrap().snapshots.last().unwrap().requests;
    let resumed = bench.heapsoak(&["soak", "mine.toml", "--resume", "run"]).assert().code(3);
    let said = String::from_utf8(resumed.get_output().stderr.clone()).unwrap();
    let statement = format!("what it held is gone, and its {answered} requests are not part of this verdict");
    assert!(said.contains(&statement), "{said}");
    let report = bench.json("run/report.json");
    assert_eq!(report["verdict"], "leak");
    let left = 30 * 60 - answered;
    let sent = report["requests"]["sent"].as_u64().unwrap();
    assert!((left..left + 60).contains(&sent), "{sent} sent, {left} were left");
    let sentences = report["not_analysed"].to_string();
    assert!(sentences.contains(&statement), "{sentences}");
    bench.heapsoak(&["report", "run/recording-before-1.jsonl"]).assert().code(7);
    bench.assert_nothing_left();
}

#[test]
fn a_run_with_restarts_whose_tool_was_killed_is_kept_and_the_rest_of_it_is_judged() {
    let bench = Workbench::new();
    bench.file(
        "mine.toml",
        &format!(
            "version = 1\n[target]\nas-found = [\"cache\"]\n[load]\ncycles = 40\nrequests-per-cycle = 60\n\
             [restart]\nevery = 12\nkill = true\n{KINDS}"
        ),
    );
    let tool = bench.start(&["soak", "mine.toml", "--out", "run", "--no-zoom"]);
    kill_after(&bench, tool, 16);
    let before = Recording::read(&bench.path("run/recording.jsonl")).unwrap();
    assert_eq!(before.restarts(), 1);
    let resumed = ["soak", "mine.toml", "--resume", "run", "--no-zoom"];
    bench.heapsoak(&resumed).assert().code(3);
    let report = bench.json("run/report.json");
    assert_eq!(report["verdict"], "leak");
    let after = Recording::read(&bench.path("run/recording.jsonl")).unwrap();
    assert!(after.restarts() >= 1);
    let told = report["not_analysed"].to_string();
    assert!(told.contains("are not part of this verdict"), "{told}");
    // What was recorded until then can be read and shown.
    let kept = Recording::read(&bench.path("run/recording-before-1.jsonl")).unwrap();
    assert_eq!(kept.snapshots[..before.snapshots.len()], before.snapshots[..]);
    bench.heapsoak(&["report", "run/recording-before-1.jsonl"]).assert().code(7);
    bench.assert_nothing_left();
}

#[test]
fn a_run_of_another_scenario_is_not_gone_on_with() {
    let bench = Workbench::new();
    let scenario = |path: &str| {
        format!(
            "version = 1\n[load]\ncycles = 12\nrequests-per-cycle = 20\n[weights]\n\"a.b\" = 1\n[kind.\"a.b\"]\npath = \"{path}\"\nexpect = {{ ok = [200] }}\n"
        )
    };
    bench.file("mine.toml", &scenario("/health"));
    let tool = bench.start(&["soak", "mine.toml", "--out", "run"]);
    kill_after(&bench, tool, 3);
    bench.file("mine.toml", &scenario("/status"));
    for (arguments, said) in [
        (vec!["soak", "mine.toml", "--resume", "run"], "was changed since"),
        (vec!["soak", "mine.toml", "--resume", "nowhere"], "nothing to go on with"),
        (vec!["soak", "mine.toml", "mixed", "--resume", "run"], "name its scenario"),
        (vec!["soak", "mine.toml", "--resume", "run", "--out", "other"], "cannot be used with"),
    ] {
        let refused = bench.heapsoak(&arguments).assert().code(2);
        let stderr = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
    assert!(bench.path("run/recording.jsonl").is_file(), "it is left as it was");
    bench.assert_nothing_left();
}
