//! `shrink`: the smallest scenario that shows a leak of a real run, and shows it at the same rate.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use predicates::str::contains;
use workbench::Workbench;

#[test]
fn a_leak_of_one_kind_is_shrunk_to_it_and_the_scenario_written_shows_it_again() {
    let bench = Workbench::new();
    let arguments = ["soak", "cache", "--as-found", "cache.namespaces", "--out", "run", "--json", "--quiet"];
    let whole = bench.heapsoak(&arguments).output().unwrap();
    let whole: serde_json::Value = serde_json::from_slice(&whole.stdout).unwrap();
    assert_eq!(whole["verdict"], "leak");
    let shrunk = bench.heapsoak(&["shrink", "run", "--json"]).output().unwrap();
    let stderr = String::from_utf8(shrunk.stderr).unwrap();
    assert_eq!(shrunk.status.code(), Some(0), "{stderr}");
    let shrunk: serde_json::Value = serde_json::from_slice(&shrunk.stdout).unwrap();
    assert_eq!(shrunk[0]["kinds"], serde_json::json!(["cache.unknown-namespace"]), "{shrunk:#}");
    let (expected, measured) =
        (shrunk[0]["expected"].as_f64().unwrap(), shrunk[0]["measured"].as_f64().unwrap());
    assert!(measured > expected / 1.5 && measured < expected * 1.5, "{measured} against {expected}");

    // What was written is a scenario like any other: it is valid, and its own expectation is met.
    let file = shrunk[0]["scenario"].as_str().unwrap();
    bench.heapsoak(&["scenario", "validate", file]).assert().success();
    let again = bench.heapsoak(&["soak", file, "--out", "again", "--json"]).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
    let again: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    let sent: Vec<&str> =
        again["kinds"].as_array().unwrap().iter().map(|kind| kind["name"].as_str().unwrap()).collect();
    assert_eq!(sent, ["cache.unknown-namespace"]);
    bench.assert_nothing_left();
}

#[test]
fn a_run_without_a_leak_has_nothing_to_shrink() {
    let bench = Workbench::new();
    let arguments =
        ["soak", "verifier", "--as-found", "none", "--requests", "600", "--out", "run", "--quiet"];
    bench.heapsoak(&arguments).output().unwrap();
    bench.heapsoak(&["shrink", "run"]).assert().code(2).stderr(contains("nothing to shrink"));
    bench.heapsoak(&["shrink", "none"]).assert().code(2).stderr(contains("none"));
}
