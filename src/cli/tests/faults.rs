//! Leaks that live on error paths only.

mod workbench;

use workbench::{Workbench, repository};

fn soak(name: &str) {
    let bench = Workbench::new();
    let scenario = repository().join(format!("leak-scenarios/faults/{name}.toml"));
    // Success: what the scenario expects was found.
    bench.heapsoak(&["soak", &scenario.display().to_string(), "--out", "run"]).assert().code(0);
    let requests = &bench.json("run/report.json")["requests"];
    assert_eq!(requests["failed"], 0, "{requests}");
    bench.assert_nothing_left();
}

#[test]
fn every_leak_of_an_error_path_is_found_under_its_fault_and_named_by_its_request_kind() {
    soak("faults");
}

#[test]
fn requests_that_end_well_show_none_of_them() {
    soak("happy");
}

#[test]
fn what_a_restart_loads_again_is_told_beside_the_leak_of_the_longest_stretch() {
    let bench = Workbench::new();
    let scenario = repository().join("leak-scenarios/faults/restart.toml").display().to_string();
    bench.heapsoak(&["soak", &scenario, "--no-zoom", "--out", "run"]).assert().code(0);
    let report = bench.json("run/report.json");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let first = text(&report["not_analysed"][0]);
    assert!(
        first.contains("restarted 5 times") && first.contains("longest stretch, cycles 41 to 50"),
        "{first}"
    );
    let findings = report["findings"].as_array().expect("findings are a list");
    let session = findings.iter().find(|finding| finding["component"] == "session").expect("session leaks");
    let evidence: Vec<String> =
        session["evidence"].as_array().expect("evidence is a list").iter().map(text).collect();
    assert!(
        evidence.iter().any(|one| one.starts_with("after each restart, before any request")),
        "{evidence:?}"
    );
    // The healthy server keeps a few sessions in memory, and loads no more of them each time.
    let healthy = ["soak", &scenario, "--as-found", "none", "--no-zoom", "--out", "healthy"];
    bench.heapsoak(&healthy).output().expect("it runs");
    let report = bench.json("healthy/report.json");
    let told = report["components"].as_array().expect("components are a list").iter();
    let told = told.flat_map(|component| component["evidence"].as_array().cloned().unwrap_or_default());
    assert!(!told.into_iter().any(|one| text(&one).contains("after each restart")));
    assert_ne!(report["verdict"], "leak");
    bench.assert_nothing_left();
}
