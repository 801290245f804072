//! What a user can get wrong: one clear message, the right exit code, nothing left behind.

mod workbench;

use std::net::TcpListener;

use predicates::prelude::*;
use predicates::str::{contains, starts_with};
use workbench::Workbench;

/// A scenario that asks the server for its health, and nothing else.
fn scenario(target: &str) -> String {
    format!(
        r#"version = 1
description = "asks for the server's health"

[target]
{target}

[load]
cycles = 8
requests-per-cycle = 20

[weights]
"server.health" = 1

[kind."server.health"]
method = "GET"
path = "/health"
expect = {{ ok = [200] }}
"#
    )
}

#[test]
fn an_unknown_key_is_shown_with_file_line_and_column() {
    let bench = Workbench::new();
    bench.file("mine.toml", &scenario("").replace("cycles = 8", "cycles = 8\ncylces = 8"));
    let run = bench.heapsoak(&["soak", "mine.toml"]).assert().code(2);
    run.stdout("").stderr(contains("mine.toml:9:1").and(contains("cylces")));
    bench.assert_nothing_left();
}

#[test]
fn a_wrong_type_is_shown_with_file_line_and_column() {
    let bench = Workbench::new();
    bench.file("mine.toml", &scenario("").replace("cycles = 8", "cycles = \"many\""));
    let run = bench.heapsoak(&["scenario", "validate", "mine.toml"]).assert().code(2);
    run.stdout("").stderr(contains("mine.toml:8:10").and(contains("invalid type")));
}

#[test]
fn every_scenario_is_read_before_the_first_is_run() {
    let bench = Workbench::new();
    bench.file("good.toml", &scenario(""));
    bench.file("bad.toml", "version = 1\n[load\n");
    let run = bench.heapsoak(&["soak", "good.toml", "bad.toml"]).assert().code(2);
    run.stderr(contains("bad.toml:2:"));
    assert!(!bench.path("reports").exists());
}

#[test]
fn a_missing_scenario_is_answered_with_those_there_are() {
    let bench = Workbench::new();
    let run = bench.heapsoak(&["soak", "clams"]).assert().code(2);
    let one_line = predicate::function(|text: &str| text.lines().count() == 1);
    run.stdout("").stderr(starts_with("error: no scenario 'clams'").and(contains("claims, ")).and(one_line));
    assert!(!bench.path("reports").exists());
}

#[test]
fn an_unknown_defect_is_refused_before_anything_starts() {
    let bench = Workbench::new();
    let run = bench.heapsoak(&["soak", "verifier", "--as-found", "verifier.nonsense"]).assert().code(2);
    run.stdout("").stderr(contains("unknown defect 'verifier.nonsense'"));
    assert!(!bench.path("reports").exists());
}

#[test]
fn an_unknown_defect_in_a_scenario_is_refused() {
    let bench = Workbench::new();
    bench.file("mine.toml", &scenario(r#"as-found = ["cache.nonsense"]"#));
    let run = bench.heapsoak(&["soak", "mine.toml"]).assert().code(2);
    run.stdout("").stderr(contains("cache.nonsense"));
    bench.assert_nothing_left();
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let bench = Workbench::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    bench.file("mine.toml", &scenario(&format!(r#"args = ["--listen", "{address}"]"#)));
    let run = bench.heapsoak(&["soak", "mine.toml", "--quiet"]).assert().code(2);
    let one_line = predicate::function(|text: &str| text.lines().count() == 1);
    run.stdout("")
        .stderr(starts_with("error: ").and(contains(&address)).and(contains("in use")).and(one_line));
    bench.assert_nothing_left();
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let bench = Workbench::new();
    bench.file("mine.toml", &scenario(""));
    bench.file("file", "");
    let run = bench.heapsoak(&["soak", "mine.toml", "--out", "file/run"]).assert().code(2);
    run.stdout("").stderr(contains("can't write to file/run"));
    bench.assert_nothing_left();
}

#[test]
fn a_recording_is_never_overwritten() {
    let bench = Workbench::new();
    bench.file("mine.toml", &scenario(""));
    std::fs::create_dir(bench.path("run")).unwrap();
    bench.file("run/recording.jsonl", "precious");
    bench
        .heapsoak(&["soak", "mine.toml", "--out", "run"])
        .assert()
        .code(2)
        .stderr(contains("run/recording.jsonl"));
    assert_eq!(std::fs::read_to_string(bench.path("run/recording.jsonl")).unwrap(), "precious");
}

#[test]
fn a_recording_of_a_newer_version_exits_with_6() {
    let bench = Workbench::new();
    bench.file("new.jsonl", "{\"header\":{\"format_version\":999,\"tool_version\":\"9.9.9\"}}\n");
    let run = bench.heapsoak(&["report", "new.jsonl"]).assert().code(6);
    run.stdout("").stderr(contains("999").and(contains("9.9.9")));
}

#[test]
fn a_recording_that_is_none_or_is_missing_exits_with_2() {
    let bench = Workbench::new();
    bench.file("text.jsonl", "hello\n");
    bench.heapsoak(&["report", "text.jsonl"]).assert().code(2).stderr(contains("text.jsonl:1"));
    bench.heapsoak(&["report", "none.jsonl"]).assert().code(2).stderr(contains("none.jsonl"));
}

#[test]
fn wrong_usage_exits_with_2() {
    let bench = Workbench::new();
    bench.heapsoak(&["soak", "--requests", "0"]).assert().code(2).stdout("");
    bench.heapsoak(&["sock"]).assert().code(2).stderr(contains("soak"));
}
