//! The bench in its quick form: that every subject runs and every figure is there. How large they are is not for a test.

use std::process::Command;

use serde_json::Value;

const KEYS: [&str; 12] = [
    "exact_request_ratio",
    "exact_cohorts_request_ratio",
    "idle_request_ratio",
    "sampled_request_ratio",
    "stacks_request_ratio",
    "zoom_request_ratio",
    "zoom_largest_request_ratio",
    "sampled_stacks_request_ratio",
    "pair_ns_ratio_1",
    "pair_ns_ratio_2",
    "rss_ratio",
    "snapshot_us",
];
const PEERS: [&str; 4] = ["cap", "stats_alloc", "tracking-allocator", "dhat (over the system's allocator)"];

fn bench(flags: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_bench-probe")).args(flags).output().expect("it was built");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("figures are UTF-8")
}

fn positive(figures: &Value, key: &str) -> f64 {
    let figure = figures[key].as_f64().unwrap_or_else(|| panic!("{key} is missing in {figures}"));
    assert!(figure.is_finite() && figure > 0.0, "{key} is {figure}");
    figure
}

#[test]
fn the_quick_bench_prints_every_figure() {
    let figures: Value = serde_json::from_str(&bench(&["--quick", "--json"])).expect("one JSON object");
    for key in KEYS {
        positive(&figures, key);
    }
    for peer in PEERS {
        for key in ["request_ratio", "rss_ratio", "pair_ns_ratio_1", "pair_ns_ratio_2"] {
            positive(&figures["peers"][peer], key);
        }
    }
}

#[test]
fn a_request_has_about_122_allocations_and_as_many_frees() {
    let figures: Value = serde_json::from_str(&bench(&["--quick", "--json", "--only", "stats_alloc"]))
        .expect("one JSON object");
    for key in ["allocations_per_request", "frees_per_request"] {
        let count = positive(&figures, key);
        assert!((112.0..=132.0).contains(&count), "{key} is {count}");
    }
}

#[test]
fn the_table_has_a_row_for_each_mode() {
    let table = bench(&["--quick", "--no-peers"]);
    for name in ["jemalloc alone", "probe, exact", "probe, asleep"] {
        assert!(table.contains(&format!("| {name} |")), "no row {name} in\n{table}");
    }
}

#[test]
fn a_row_that_does_not_exist_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_bench-probe"))
        .args(["--quick", "--only", "no such row"])
        .output()
        .expect("it was built");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no such row"));
}

#[test]
fn layouts_take_turns_and_must_be_there() {
    let folder = tempfile::tempdir().expect("the test can go on");
    let bench = |linked: &std::path::Path| {
        Command::new(env!("CARGO_BIN_EXE_bench-probe"))
            .args(["--quick", "--json", "--only", "asleep", "--rounds", "3", "--linked"])
            .arg(linked)
            .output()
            .expect("it was built")
    };
    let empty = bench(folder.path());
    assert_eq!(empty.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&empty.stderr).contains("--layouts"));

    // A layout whose probe prints a figure that no other has.
    let layout = folder.path().join("1");
    std::fs::create_dir_all(&layout).expect("the test can go on");
    let fake = layout.join("subject-probe");
    std::fs::write(
        &fake,
        "#!/bin/sh\necho '{\"cpu_ns\":1e12,\"wall_ns\":1e12,\"resident_kib\":1,\"peak_kib\":1}'\n",
    )
    .and_then(|()| std::fs::set_permissions(&fake, std::os::unix::fs::PermissionsExt::from_mode(0o755)))
    .expect("the test can go on");
    std::fs::create_dir(folder.path().join("2")).expect("the test can go on");
    let linked = bench(folder.path());
    assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    let figures: Value = serde_json::from_slice(&linked.stdout).expect("one JSON object");
    assert_eq!(figures["layouts"], 2);
    assert!(
        positive(&figures, "idle_request_ratio") > 1e4,
        "two rounds of three are the layout's: {figures}"
    );
}
