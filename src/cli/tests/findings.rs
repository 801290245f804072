//! What the shipped scenarios must show: the as-found server's defects, and nothing in the fixed one. The server is soaked
//! once for all tests of this file.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use std::process::Output;
use std::sync::LazyLock;

use serde_json::Value;
use workbench::Workbench;

/// `claims`, `missed` and `fixed`, soaked into the folder `run` of a bench.
struct Soaked {
    bench: Workbench,
    output: Output,
}

static SOAKED: LazyLock<Soaked> = LazyLock::new(|| {
    let bench = Workbench::new();
    let arguments = ["soak", "claims", "missed", "fixed", "--out", "run", "--json", "--quiet", "--no-zoom"];
    let output = bench.heapsoak(&arguments).output().unwrap();
    Soaked { bench, output }
});

#[test]
fn a_soak_whose_expectations_are_met_exits_with_0_and_leaves_no_process() {
    let Soaked { bench, output } = &*SOAKED;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed, bench.json("run/report.json"));
    bench.assert_nothing_left();
}

fn report(scenario: &str) -> Value {
    SOAKED.bench.json(format!("run/{scenario}/report.json"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn named<'a>(entries: &'a Value, name: &str) -> &'a Value {
    let found = list(entries).iter().find(|entry| entry["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {entries:#}"))
}

fn component<'a>(report: &'a Value, name: &str) -> &'a Value {
    named(&report["components"], name)
}

/// The leaks of a component: findings that are neither churn nor freed by time.
fn leaks<'a>(report: &'a Value, component: &str) -> Vec<&'a Value> {
    let passing = ["churn", "time-driven"];
    let is_leak = |finding: &&Value| {
        finding["component"] == component && !passing.contains(&finding["pattern"].as_str().unwrap())
    };
    list(&report["findings"]).iter().filter(is_leak).collect()
}

fn kinds(finding: &Value) -> Vec<&str> {
    list(&finding["triggered_by"]).iter().map(|kind| kind.as_str().unwrap()).collect()
}

fn growth(finding: &Value) -> f64 {
    finding["growth_bytes_per_1000_requests"]["estimate"].as_f64().unwrap()
}

/// A leak of the component that names the kind and grows.
fn assert_leaks(report: &Value, component: &str, kind: &str) {
    let leaks = leaks(report, component);
    let found = leaks.iter().find(|finding| kinds(finding).contains(&kind));
    let found = found.unwrap_or_else(|| panic!("no leak of {component} by {kind} in {leaks:#?}"));
    assert!(growth(found) > 0.0, "{found:#}");
    assert!(found["growth_bytes_per_1000_requests"]["low"].as_f64().unwrap() > 0.0, "{found:#}");
}

#[test]
fn every_scenario_replays_at_least_ten_thousand_requests() {
    for scenario in ["claims", "missed", "fixed"] {
        let requests = &report(scenario)["requests"];
        assert!(requests["sent"].as_u64().unwrap() >= 10_000, "{scenario}: {requests}");
        assert_eq!(requests["failed"], 0, "{scenario}: {requests}");
    }
}

#[test]
fn the_verifier_is_bounded_once_past_its_trim() {
    let report = report("claims");
    let verifier = component(&report, "verifier");
    assert_eq!(verifier["verdict"], "bounded", "{verifier:#}");
    let bound = verifier["bound_bytes"].as_u64().unwrap();
    assert!((500_000..5_000_000).contains(&bound), "{bound}");
    assert!(leaks(&report, "verifier").is_empty());
}

#[test]
fn the_cache_does_not_leak_but_churns_more_the_more_entries_it_has() {
    let report = report("claims");
    let cache = component(&report, "cache");
    assert!(["bounded", "stable"].contains(&cache["verdict"].as_str().unwrap()), "{cache:#}");
    let churn: Vec<_> = list(&report["findings"])
        .iter()
        .filter(|finding| finding["component"] == "cache" && finding["pattern"] == "churn")
        .collect();
    assert_eq!(churn.len(), 1, "{churn:#?}");
    assert!(kinds(churn[0]).contains(&"cache.hit"), "{:#}", churn[0]);
    assert!(leaks(&report, "cache").is_empty());
}

#[test]
fn the_session_leaks_on_one_error_path_and_on_no_other() {
    let report = report("claims");
    let leaks = leaks(&report, "session");
    assert_eq!(leaks.len(), 1, "{leaks:#?}");
    assert_eq!(kinds(leaks[0]), ["session.expired-comment-fails"]);
}

#[test]
fn a_pending_time_out_is_time_driven_and_bounded() {
    let report = report("claims");
    let timed: Vec<_> = list(&report["findings"])
        .iter()
        .filter(|finding| finding["component"] == "process" && finding["pattern"] == "time-driven")
        .collect();
    assert_eq!(timed.len(), 1, "{timed:#?}");
    assert!(timed[0]["bound_bytes"].as_u64().unwrap() > 0, "{:#}", timed[0]);
}

#[test]
fn children_that_outlive_sigterm_leak_bytes_descriptors_and_processes() {
    let report = report("claims");
    assert_leaks(&report, "process", "process.ignores-term");
    let resources: Vec<&str> = leaks(&report, "process")
        .iter()
        .flat_map(|finding| list(&finding["resources"]))
        .map(|resource| resource.as_str().unwrap())
        .collect();
    assert!(resources.contains(&"children"), "{resources:?}");
    assert!(resources.iter().any(|resource| resource.starts_with("fds.")), "{resources:?}");
}

#[test]
fn every_claim_is_answered() {
    let report = report("claims");
    let answer = |component: &str| {
        let claim = list(&report["claims"]).iter().find(|claim| claim["component"] == component);
        claim.unwrap_or_else(|| panic!("no claim on {component}"))["answer"].as_str().unwrap().to_owned()
    };
    assert_eq!(answer("verifier"), "wrong");
    assert_eq!(answer("cache"), "wrong");
    for component in ["session", "process"] {
        assert!(["right", "wrong", "understated", "overstated"].contains(&answer(component).as_str()));
    }
    let page = std::fs::read_to_string(SOAKED.bench.path("run/claims/report.html")).unwrap();
    assert!(page.to_lowercase().contains("claimed"));
}

#[test]
fn what_the_review_missed_is_found_with_its_trigger() {
    let report = report("missed");
    assert_eq!(report["verdict"], "leak");
    assert_leaks(&report, "session", "session.success");
    assert_leaks(&report, "verifier", "verifier.junk-suffix");
    assert_leaks(&report, "cache", "cache.unknown-namespace");
    assert_leaks(&report, "queue", "queue.unwritable");
}

#[test]
fn the_fixed_server_has_no_finding_above_low_and_no_zombie() {
    let report = report("fixed");
    assert_eq!(report["verdict"], "clean", "{:#}", report["reasons"]);
    for component in list(&report["components"]) {
        let verdict = component["verdict"].as_str().unwrap();
        assert!(["bounded", "stable"].contains(&verdict), "{component:#}");
    }
    for finding in list(&report["findings"]) {
        assert_eq!(finding["severity"], "low", "{finding:#}");
    }
    assert_eq!(named(&report["resources"], "zombies")["value"]["end"], 0);
}

#[test]
fn the_same_seed_gives_the_same_verdicts_and_growth_within_two_per_cent() {
    let bench = Workbench::new();
    bench.heapsoak(&["soak", "missed", "--out", "again", "--quiet"]).assert().code(0);
    let (first, again) = (report("missed"), bench.json("again/report.json"));
    assert_eq!(first["verdict"], again["verdict"]);
    assert_eq!(list(&first["components"]).len(), list(&again["components"]).len());
    for one in list(&first["components"]) {
        let other = component(&again, one["name"].as_str().unwrap());
        assert_eq!(one["verdict"], other["verdict"], "{one:#}\n{other:#}");
        if one["verdict"] == "leak" {
            let (one_growth, other_growth) = (growth(one), growth(other));
            let apart = (one_growth - other_growth).abs() / one_growth.max(other_growth);
            assert!(apart <= 0.02, "{}: {one_growth} and {other_growth}", one["name"]);
        }
    }
}

#[test]
fn the_index_names_every_scenario_and_its_expectation() {
    let index = SOAKED.bench.json("run/report.json");
    let names: Vec<_> =
        list(&index["scenarios"]).iter().map(|scenario| scenario["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["claims", "missed", "fixed"]);
    for scenario in list(&index["scenarios"]) {
        assert_eq!(scenario["expectation_met"], true, "{scenario:#}");
        let folder = SOAKED.bench.path("run").join(scenario["path"].as_str().unwrap());
        assert!(folder.join("report.html").is_file() || folder.is_file(), "{}", folder.display());
    }
    assert!(SOAKED.bench.path("run/report.html").is_file());
}
