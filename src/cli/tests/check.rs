//! The gate as a CI runs it: exit codes, files, and that nothing is passed in silence.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use std::fs;

use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use serde_json::Value;
use workbench::{LOOK_UPS, Workbench, leaking_look_ups};

/// Fails unless a document is as the published schema says.
fn assert_valid(bench: &Workbench, gate: &Value) {
    let printed = bench.heapsoak(&["schema", "gate"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let wrong: Vec<String> = validator.iter_errors(gate).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?} in {gate:#}");
    let mut broken = gate.clone();
    broken["outcome"] = "perhaps".into();
    assert!(!validator.is_valid(&broken), "the schema refuses something");
}

fn outcomes(gate: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    gate["scenarios"][0]["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| (text(&check["name"]), text(&check["outcome"])))
        .collect()
}

#[test]
fn a_healthy_run_passes_and_leaves_every_format_a_ci_can_use() {
    let bench = Workbench::new();
    bench.file("short.toml", LOOK_UPS);
    bench
        .heapsoak(&["check", "short.toml", "--out", "run"])
        .assert()
        .code(0)
        .stdout(contains("gate: passed, exit code 0"));
    for file in [
        "gate.json",
        "junit.xml",
        "report.sarif",
        "report.md",
        "annotations.txt",
        "summary.md",
        "report.html",
    ] {
        assert!(bench.path("run").join(file).is_file(), "{file}");
    }
    let gate = bench.json("run/gate.json");
    assert_eq!(gate["outcome"], "passed");
    assert_valid(&bench, &gate);
    let page = fs::read_to_string(bench.path("run/report.html")).unwrap();
    assert!(page.contains("<h2>Gate</h2>") && page.contains("positive control"));
    let names: Vec<_> = outcomes(&gate).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["data", "positive control", "verdict"]);
    let junit = fs::read_to_string(bench.path("run/junit.xml")).unwrap();
    assert!(junit.contains("positive control"), "{junit}");
    bench.assert_nothing_left();
}

#[test]
fn a_leak_fails_unless_it_is_suppressed_and_budgets_are_held_against_the_run() {
    let bench = Workbench::new();
    bench.file("short.toml", &leaking_look_ups("cache"));
    bench
        .heapsoak(&["check", "short.toml", "--out", "run", "--quiet"])
        .assert()
        .code(3)
        .stdout(contains("leak in cache").and(contains("gate: failed")));
    let again = |rules: &str| {
        bench.file("heapsoak.toml", &format!("version = 1\n{rules}"));
        bench.heapsoak(&["check", "--recording", "run", "--json"]).output().unwrap()
    };
    let known = "[[suppression]]\ncomponent = \"cache\"\nreason = \"known\"\n";
    let suppressed = again(&format!("{known}until = 2999-01-01"));
    assert_eq!(suppressed.status.code(), Some(0), "{}", String::from_utf8_lossy(&suppressed.stdout));
    let gate: Value = serde_json::from_slice(&suppressed.stdout).unwrap();
    assert_valid(&bench, &gate);
    assert_eq!(gate["suppressions"][0]["says"], "matches 1 finding until 2999-01-01: known");
    assert_eq!(again(&format!("{known}until = 2020-01-01")).status.code(), Some(3));
    let tight = again(&format!("{known}until = 2999-01-01\n[budget.component.cache]\ngrowth-per-1000 = 64"));
    assert_eq!(tight.status.code(), Some(3));
    let unseen =
        again(&format!("{known}until = 2999-01-01\n[budget.component.unscoped]\ngrowth-per-1000 = 64"));
    assert_eq!(unseen.status.code(), Some(4), "{}", String::from_utf8_lossy(&unseen.stdout));
    assert_valid(&bench, &serde_json::from_slice(&unseen.stdout).unwrap());
    assert!(String::from_utf8_lossy(&unseen.stdout).contains("more requests would tell"));
}

#[test]
fn a_baseline_is_written_on_request_and_held_against_the_next_run() {
    let bench = Workbench::new();
    bench.file("short.toml", LOOK_UPS);
    let update =
        ["check", "short.toml", "--baseline", "base.toml", "--update-baseline", "--quiet", "--out", "one"];
    bench.heapsoak(&update).assert().code(0).stderr(contains("look at what changed"));
    let text = fs::read_to_string(bench.path("base.toml")).unwrap();
    assert!(text.contains("[scenario.short.component.cache]"), "{text}");
    let compare = ["check", "short.toml", "--baseline", "base.toml", "--quiet", "--out", "two"];
    bench.heapsoak(&compare).assert().code(0);
    // Of a server that holds three times as much, the same file makes the gate fail.
    bench.file("base.toml", &shrunk(&text));
    bench
        .heapsoak(&["check", "--recording", "two", "--baseline", "base.toml"])
        .assert()
        .code(3)
        .stdout(contains("baseline of unscoped"));
    assert_eq!(
        fs::read_to_string(bench.path("base.toml")).unwrap(),
        shrunk(&text),
        "comparing writes nothing"
    );
}

/// The baseline as it would be had `unscoped` held and allocated next to nothing.
fn shrunk(text: &str) -> String {
    let mut unscoped = false;
    let lines = text.lines().map(|line| {
        unscoped = if line.starts_with('[') { line.ends_with("component.unscoped]") } else { unscoped };
        if unscoped && line.starts_with("held") { "held = [1, 2]" } else { line }
    });
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_soak_test_that_does_not_exist_is_never_passed() {
    let bench = Workbench::new();
    let cases: [(&[&str], &str); 4] = [
        (&["check", "nightly"], "no scenario 'nightly'"),
        (&["check", "--baseline", "none.toml"], "write one with --update-baseline"),
        (&["check", "--config", "none.toml"], "--config"),
        (&["check", "--recording", "none"], "can't read recording none"),
    ];
    for (arguments, says) in cases {
        bench.heapsoak(arguments).assert().code(2).stderr(contains(says));
    }
    bench.file("heapsoak.toml", "version = 1\n[scenario.nightly.budget.component.cache]\npeak = 1");
    bench.heapsoak(&["check", "verifier"]).assert().code(2).stderr(contains("no scenario 'nightly'"));
    bench.file("heapsoak.toml", "version = 1\n[budget.component.cache]\npaek = 1");
    bench
        .heapsoak(&["check", "verifier"])
        .assert()
        .code(2)
        .stderr(contains("heapsoak.toml:3:1").and(contains("unknown field `paek`")));
    let empty = tempfile::tempdir().unwrap();
    fs::create_dir(empty.path().join("leak-scenarios")).unwrap();
    let mut nothing = bench.heapsoak(&["check"]);
    nothing.current_dir(empty.path()).assert().code(2).stderr(contains("no scenario"));
}

#[test]
fn a_recording_without_a_control_closes_the_gate_and_says_so() {
    let bench = Workbench::new();
    bench.file("short.toml", LOOK_UPS);
    bench.heapsoak(&["soak", "short.toml", "--out", "run", "--quiet"]).assert().code(0);
    let text = fs::read_to_string(bench.path("run/recording.jsonl")).unwrap();
    let without: String = text
        .lines()
        .filter(|line| !line.contains("control_planted"))
        .map(|line| format!("{line}\n"))
        .collect();
    let damaged = bench.file("damaged.jsonl", &without);
    bench
        .heapsoak(&["check", "--recording", damaged.to_str().unwrap()])
        .assert()
        .code(7)
        .stdout(contains("no leak was planted").and(contains("gate: invalid, exit code 7")));
}

#[test]
fn a_detection_limit_is_planted_as_the_control_and_closes_the_gate_when_it_is_not_reached() {
    let bench = Workbench::new();
    bench.file("short.toml", LOOK_UPS);
    bench.file("heapsoak.toml", "version = 1\n[gate]\ndetection-limit = 200");
    bench
        .heapsoak(&["check", "short.toml", "--out", "run", "--quiet"])
        .assert()
        .code(7)
        .stdout(contains("more requests"));
    let planted =
        bench.json("run/report.json")["quality"]["control"]["planted_bytes_per_1000_requests"].clone();
    assert!((planted.as_f64().unwrap() - 200.0).abs() < 10.0, "{planted}");
}
