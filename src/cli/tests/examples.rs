//! The servers in `examples/`: clean as they are, and with their leak switched on, it is found and named.

mod workbench;

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::json;
use workbench::{Workbench, repository};

/// Builds the examples once; returns the folder of their programs.
fn programs() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--locked", "--package", "heapsoak-examples", "--bins"]);
        let status = build.current_dir(repository()).status().expect("cargo runs");
        assert!(status.success(), "the examples build");
        PathBuf::from(env!("CARGO_BIN_EXE_heapsoak")).parent().expect("a program is in a folder").to_owned()
    })
}

/// Soaks an example as it is and with its leak.
fn check(name: &str, component: &str, kind: &str) {
    let program = programs().join(format!("example-{name}"));
    let scenario = repository().join(format!("examples/{name}.toml"));
    let bench = Workbench::new();
    let (scenario, command) = (scenario.display().to_string(), program.display().to_string());
    let healthy = ["soak", &scenario, "--spawn", &command, "--out", "healthy"];
    bench.heapsoak(&healthy).assert().code(0);
    assert_eq!(bench.json("healthy/report.json")["verdict"], "clean");
    let leaking = ["soak", &scenario, "--spawn", &command, "--out", "leaking"];
    bench.heapsoak(&leaking).env("EXAMPLE_LEAK", "1").assert().code(3);
    let report = bench.json("leaking/report.json");
    let findings = report["findings"].as_array().expect("findings are a list");
    let leak = findings.iter().find(|finding| finding["component"] == component);
    let leak = leak.unwrap_or_else(|| panic!("no finding for {component} in {findings:#?}"));
    // Whoever adds to the table that keeps too much may be the one under whom it doubles.
    let triggers = leak["triggered_by"].as_array().expect("triggers are a list");
    assert!(triggers.contains(&json!(kind)), "{leak:#}");
    bench.assert_nothing_left();
}

#[test]
fn the_leak_of_the_axum_example_is_found() {
    check("axum", "notes", "notes.refused");
}

#[test]
fn the_leak_of_the_hyper_example_is_found() {
    check("hyper", "cases", "cases.refused");
}

#[test]
fn the_leak_of_the_actix_example_is_found() {
    check("actix", "orders", "orders.unknown");
}

#[test]
fn the_leak_of_the_example_with_spans_is_found_in_the_inner_span() {
    check("spans", "parsing", "sum.unparsable");
}

#[test]
fn the_leak_of_the_tonic_example_is_found_over_http2() {
    check("tonic", "seats", "seats.none");
}

#[test]
fn the_leak_of_the_example_with_a_thread_for_each_request_is_found() {
    check("threads", "files", "files.nameless");
}
