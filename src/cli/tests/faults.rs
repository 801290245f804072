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
