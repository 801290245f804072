//! The program behind `scripts/accuracy`, end to end.

use std::process::{Command, Output};

use serde_json::Value;

fn accuracy(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_accuracy")).args(arguments).output().expect("it was built")
}

#[test]
fn the_object_has_every_key_and_counts_every_trial() {
    let output = accuracy(&["--quick", "--json", "--case", "Arc cycle"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let figures: Value = serde_json::from_slice(&output.stdout).unwrap();
    for key in [
        "found_rate",
        "false_rate",
        "twin_false",
        "inconclusive_rate",
        "coverage_95",
        "detection_limit_found_rate",
        "requests_64B_max",
        "requests_64B_median",
        "smallest_bytes_per_request",
        "aa_flip_rate",
        "sawtooth_found_rate",
        "methods",
    ] {
        assert!(figures.get(key).is_some(), "{key} is missing in {figures:#}");
    }
    // Two seeds of a leak and its twin at four amounts; two seeds asked cycle by cycle.
    assert_eq!(figures["trials"], 2 * 2 * 4 + 2, "{figures:#}");
    assert_eq!(figures["twin_false"], 0, "{figures:#}");
    assert!(figures["found_rate"].as_f64().is_some_and(|rate| rate >= 0.75), "{figures:#}");
}

#[test]
fn a_case_that_does_not_exist_is_refused_by_name() {
    let output = accuracy(&["--case", "no such case"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no such case"), "{said}");
}

#[test]
fn the_sites_of_a_case_are_held_against_the_lines_its_source_marks() {
    let output = accuracy(&["--sites", "--json", "--seeds", "1", "--case", "session never removed"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let figures: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&figures["site_top1_rate"], &figures["site_top3_rate"]),
        (&1.0.into(), &1.0.into()),
        "{figures:#}"
    );
    let case = &figures["cases"][0];
    let site = &case["runs"][0]["sites"][0];
    assert!(site["function"].as_str().unwrap().contains("cases::maps::sessions"), "{site}");
    assert!(case["truth"].as_array().unwrap().contains(&site["place"]), "{case:#}");
}
