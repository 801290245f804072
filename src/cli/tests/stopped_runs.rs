//! Runs that end before their time: the server killed, the user impatient, the tool itself killed.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use std::path::Path;

use rustix::process::Signal;
use workbench::{Workbench, finish, signal_group};

/// A run that is far from its end when it is stopped.
const LONG: &[&str] = &["soak", "mixed", "--requests", "40000", "--out", "run"];

fn assert_reported(bench: &Workbench, how: &str) {
    let report = bench.json("run/report.json");
    assert_eq!(report["verdict"], "invalid");
    assert_eq!(report["end"]["how"], how);
    assert!(report["requests"]["sent"].as_u64().unwrap() > 0);
    assert!(bench.path("run/report.html").is_file());
    assert_eq!(std::fs::read_link(bench.path("reports/latest")).unwrap(), canonical(&bench.path("run")));
}

fn canonical(path: &Path) -> std::path::PathBuf {
    path.canonicalize().unwrap()
}

#[test]
fn a_killed_server_ends_the_run_with_5_and_a_report() {
    let bench = Workbench::new();
    let tool = bench.start(LONG);
    bench.wait_for_snapshots("run", 3).kill();
    let (code, _, stderr) = finish(tool);
    assert_eq!(code, Some(5), "{stderr}");
    assert_reported(&bench, "target_died");
    bench.assert_nothing_left();
}

#[test]
fn ctrl_c_ends_the_run_with_7_and_a_report() {
    let bench = Workbench::new();
    let tool = bench.start(LONG);
    bench.wait_for_snapshots("run", 3);
    signal_group(&tool, Signal::INT);
    let (code, _, stderr) = finish(tool);
    assert_eq!(code, Some(7), "{stderr}");
    assert_reported(&bench, "interrupted");
    bench.assert_nothing_left();
}

#[test]
fn sigterm_ends_several_scenarios_with_7_and_an_index() {
    let bench = Workbench::new();
    let tool = bench.start(&["soak", "mixed", "verifier", "--requests", "40000", "--out", "run"]);
    bench.wait_for_snapshots("run/mixed", 3);
    signal_group(&tool, Signal::TERM);
    let (code, stdout, stderr) = finish(tool);
    assert_eq!(code, Some(7), "{stderr}");
    assert!(stdout.contains("mixed"), "{stdout}");
    let index = bench.json("run/report.json");
    assert_eq!(index["scenarios"].as_array().unwrap().len(), 1);
    assert_eq!(index["scenarios"][0]["verdict"], "invalid");
    bench.assert_nothing_left();
}

#[test]
fn a_killed_tool_leaves_no_process_and_a_readable_recording() {
    let bench = Workbench::new();
    let tool = bench.start(LONG);
    bench.wait_for_snapshots("run", 3);
    signal_group(&tool, Signal::KILL);
    let (code, _, _) = finish(tool);
    assert_eq!(code, None);
    bench.assert_nothing_left();
    bench.heapsoak(&["report", "run"]).assert().code(7);
}
