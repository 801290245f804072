//! `doctor`: what stands in the way is named, with what to do about it.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use std::process::Command;

use predicates::prelude::*;
use predicates::str::contains;
use workbench::Workbench;

const PROGRAM: &str = "fn main() { println!(\"{:?}\", std::env::args().collect::<Vec<_>>()); }\n";

/// Builds a program with the compiler's options.
fn build(bench: &Workbench, name: &str, options: &[&str]) -> String {
    let source = bench.file("main.rs", PROGRAM);
    let program = bench.path(name);
    let built = Command::new("rustc")
        .args(options)
        .arg("-o")
        .args([&program, &source])
        .current_dir(bench.path("."))
        .env_remove("RUSTFLAGS")
        .status()
        .unwrap();
    assert!(built.success());
    program.to_str().unwrap().to_owned()
}

#[test]
fn the_tool_itself_is_a_sound_server() {
    let bench = Workbench::new();
    let own = env!("CARGO_BIN_EXE_heapsoak");
    let sound = bench.heapsoak(&["doctor", own]).assert().code(0).stderr("");
    sound.stdout(
        contains("ok   the program carries the probe")
            .and(contains("keep a frame pointer: stacks can be walked")),
    );
    let json = bench.heapsoak(&["doctor", own, "--json"]).output().unwrap();
    let advice: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(advice.as_array().unwrap().iter().all(|one| one["state"] == "good"), "{advice:#}");
}

#[test]
fn a_build_without_debug_information_is_told_how_to_get_it() {
    let bench = Workbench::new();
    let plain = build(&bench, "plain", &["-C", "debuginfo=0", "-C", "strip=debuginfo"]);
    let advice = bench.heapsoak(&["doctor", &plain]).assert().code(0);
    advice.stdout(
        contains("no debug information")
            .and(contains("debug = \"limited\""))
            .and(contains("does not carry the probe")),
    );
    let stripped = build(&bench, "stripped", &["-C", "strip=symbols"]);
    bench.heapsoak(&["doctor", &stripped]).assert().code(0).stdout(contains("stripped"));
    let lines = build(&bench, "full", &["-C", "debuginfo=2"]);
    bench.heapsoak(&["doctor", &lines]).assert().stdout(contains("ok   the program has debug information"));
}

#[test]
fn a_foreign_heap_tool_in_the_environment_is_bad() {
    let bench = Workbench::new();
    let run = bench.heapsoak(&["doctor"]).env("LD_PRELOAD", "/none/libheaptrack_preload.so").assert();
    run.code(2).stdout(contains("BAD  heaptrack").and(contains("unset LD_PRELOAD")));
}

#[test]
fn a_run_is_examined_by_its_recording() {
    let bench = Workbench::new();
    bench.heapsoak(&["soak", "verifier", "--requests", "600", "--out", "run", "--quiet"]).output().unwrap();
    bench.heapsoak(&["doctor", "run"]).assert().stdout(contains("the heap was counted"));
    bench.file("text.jsonl", "hello\n");
    bench.heapsoak(&["doctor", "text.jsonl"]).assert().code(2).stderr(contains("text.jsonl:1"));
    bench.heapsoak(&["doctor", "nothing"]).assert().code(2).stderr(contains("nothing"));
}
