//! Soaks with a profiler beside the probe.

#![cfg(feature = "jemalloc-profiler")]
#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use std::fs;
use std::io::Read as _;
use std::process::Output;

use predicates::str::contains;
use serde_json::Value;
use workbench::{Workbench, finish};

const SOAK: [&str; 7] = ["soak", "verifier", "--requests", "600", "--seed", "7", "--out"];

fn soak(bench: &Workbench, folder: &str, profiler: &[&str]) -> Output {
    let arguments: Vec<&str> = SOAK.iter().chain(&[folder]).chain(profiler).copied().collect();
    bench.heapsoak(&arguments).output().unwrap()
}

/// What the report of a run says of the verifier's heap: exact, so it is the same in every run with the same seed.
fn counts(bench: &Workbench, folder: &str) -> (Value, Value) {
    let report = bench.json(format!("{folder}/report.json"));
    let components = report["components"].as_array().unwrap();
    let verifier = components.iter().find(|component| component["name"] == "verifier").unwrap();
    (verifier["live_bytes"].clone(), verifier["allocations_per_request"].clone())
}

#[test]
fn a_profiler_adds_its_file_and_changes_neither_counts_nor_exit_code() {
    let bench = Workbench::new();
    let plain = soak(&bench, "plain", &[]);
    for (profiler, file) in [("dhat", "dhat-heap.json"), ("jemalloc", "jemalloc.heap")] {
        let profiled = soak(&bench, profiler, &["--profiler", profiler]);
        let stderr = String::from_utf8(profiled.stderr).unwrap();
        let path = bench.path(profiler).join(file);
        assert!(stderr.contains(&format!("profile written to {}", path.display())), "{stderr}");
        assert!(path.is_file());
        assert_eq!(profiled.status.code(), plain.status.code(), "{profiler}: {stderr}");
        assert_eq!(counts(&bench, profiler), counts(&bench, "plain"), "{profiler}");
    }
    assert!(!bench.path("plain/dhat-heap.json").exists() && !bench.path("plain/jemalloc.heap").exists());

    let dhat = bench.json("dhat/dhat-heap.json");
    assert_eq!(dhat["dhatFileVersion"], 2);
    let frames = dhat["ftbl"].as_array().unwrap();
    assert!(frames.iter().any(|frame| frame.as_str().unwrap().contains("autopilot::verifier")));
    let kept: u64 = dhat["pps"].as_array().unwrap().iter().map(|point| point["eb"].as_u64().unwrap()).sum();
    let (live, _) = counts(&bench, "dhat");
    assert!(kept >= live["end"].as_u64().unwrap(), "written while the server holds what it holds");

    let jemalloc = fs::read_to_string(bench.path("jemalloc/jemalloc.heap")).unwrap();
    assert!(jemalloc.starts_with("heap_v2/524288\n"), "{jemalloc}");
    assert!(jemalloc.contains("\nMAPPED_LIBRARIES:\n"), "{jemalloc}");
    bench.assert_nothing_left();
}

#[test]
fn jemallocs_profile_is_written_as_pprof_too_with_the_servers_functions() {
    let bench = Workbench::new();
    let arguments =
        ["soak", "verifier", "--requests", "600", "--no-zoom", "--out", "run", "--profiler", "jemalloc"];
    // A sample per 4 KiB: of one per 512 KiB, no block may be the server's own after so few requests.
    bench.heapsoak(&arguments).env("_RJEM_MALLOC_CONF", "lg_prof_sample:12").output().unwrap();
    let mut pprof = Vec::new();
    let file = fs::File::open(bench.path("run/jemalloc.pb.gz")).unwrap();
    flate2::read::GzDecoder::new(file).read_to_end(&mut pprof).unwrap();
    let holds = |text: &str| pprof.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("inuse_space") && holds("autopilot::") && holds("src/autopilot/"));
    bench.assert_nothing_left();
}

#[test]
fn each_of_several_scenarios_has_a_profile_of_its_own() {
    let bench = Workbench::new();
    let arguments =
        ["soak", "verifier", "cache", "--requests", "600", "--out", "run", "--profiler", "jemalloc"];
    let run = bench.heapsoak(&arguments).output().unwrap();
    let stderr = String::from_utf8(run.stderr).unwrap();
    for scenario in ["verifier", "cache"] {
        let path = bench.path("run").join(scenario).join("jemalloc.heap");
        assert!(path.is_file() && stderr.contains(path.to_str().unwrap()), "{stderr}");
    }
}

#[test]
fn a_server_that_dies_leaves_no_profile_and_the_tool_says_so() {
    let bench = Workbench::new();
    let arguments =
        ["soak", "verifier", "--requests", "200000", "--out", "run", "--quiet", "--profiler", "dhat"];
    let tool = bench.start(&arguments);
    bench.wait_for_snapshots("run", 2).kill();
    let (code, _, stderr) = finish(tool);
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.contains("no profile in"), "{stderr}");
    assert!(!bench.path("run/dhat-heap.json").exists());
    bench.assert_nothing_left();
}

#[test]
fn an_unknown_profiler_is_refused() {
    let bench = Workbench::new();
    let arguments = ["soak", "verifier", "--profiler", "massif"];
    bench.heapsoak(&arguments).assert().code(2).stderr(contains("massif"));
    assert!(!bench.path("reports").exists());
}
