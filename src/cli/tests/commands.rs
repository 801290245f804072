//! The commands beside a full soak, run as a user would, and what the README says about them.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use std::fs;

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use workbench::{Workbench, repository};

/// The shipped scenarios.
const SHIPPED: [&str; 9] =
    ["cache", "claims", "fixed", "missed", "mixed", "process", "queue", "session", "verifier"];

#[test]
fn the_shipped_scenarios_are_listed_and_valid() {
    let bench = Workbench::new();
    let list = bench.heapsoak(&["scenario", "list"]).assert().success().stderr("");
    let list = String::from_utf8(list.get_output().stdout.clone()).unwrap();
    // Each has a line of its own, and an indented one on what it covers.
    let (covers, heads): (Vec<&str>, Vec<&str>) = list.lines().partition(|line| line.starts_with(' '));
    let names: Vec<&str> = heads.iter().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, SHIPPED);
    assert!(covers.len() > SHIPPED.len() && covers[0].contains("components  cache (5 kinds)"), "{list}");
    let valid = bench.heapsoak(&["scenario", "validate"]).assert().success().stderr("");
    let lines = String::from_utf8(valid.get_output().stdout.clone()).unwrap().lines().count();
    assert_eq!(lines, SHIPPED.len());
}

#[test]
fn a_short_soak_writes_its_files_points_latest_at_them_and_can_be_judged_again() {
    let bench = Workbench::new();
    let run =
        bench.heapsoak(&["soak", "verifier", "--requests", "600", "--seed", "7", "--json"]).output().unwrap();
    let stderr = String::from_utf8(run.stderr).unwrap();
    let report: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(report, bench.json("reports/latest/report.json"));
    assert_eq!(report["seed"], 7);
    assert_eq!(report["scenario"], "verifier");
    assert!(report["requests"]["sent"].as_u64().unwrap() >= 600);
    let link = fs::read_link(bench.path("reports/latest")).unwrap();
    assert!(link.to_str().unwrap().ends_with("-verifier"), "{}", link.display());
    assert!(stderr.contains("report.html"), "{stderr}");
    assert!(fs::read_dir(bench.path("reports/latest/charts")).unwrap().count() > 0);

    let schema = bench.heapsoak(&["schema", "report"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert!(jsonschema::is_valid(&schema, &report));

    bench.heapsoak(&["report", "reports/latest", "--out", "again"]).output().unwrap();
    for file in ["report.json", "report.html"] {
        let first = fs::read_to_string(bench.path("reports/latest").join(file)).unwrap();
        assert_eq!(first, fs::read_to_string(bench.path("again").join(file)).unwrap(), "{file}");
    }
    let evidence = contains("survivors").and(contains("detection limit"));
    bench.heapsoak(&["explain", "reports/latest", "verifier"]).assert().success().stdout(evidence);
    let unknown = contains("no component 'nobody'").and(contains("verifier"));
    bench.heapsoak(&["explain", "reports/latest", "nobody"]).assert().code(2).stderr(unknown);
    bench.assert_nothing_left();
}

#[test]
fn defects_can_be_switched_off_and_the_expectation_goes_with_them() {
    let bench = Workbench::new();
    let arguments = ["soak", "verifier", "--requests", "600", "--as-found", "none", "--json", "--out", "run"];
    let run = bench.heapsoak(&arguments).output().unwrap();
    assert!(String::from_utf8(run.stderr).unwrap().contains("not checked"));
    assert_eq!(bench.json("run/report.json")["as_found"], Value::Array(Vec::new()));
}

#[test]
fn output_for_a_pipe_has_no_colour() {
    let bench = Workbench::new();
    let run = bench.heapsoak(&["soak", "verifier", "--requests", "600", "--out", "run"]).output().unwrap();
    let stdout = String::from_utf8(run.stdout).unwrap();
    assert!(stdout.contains("verifier"), "{stdout}");
    assert!(!stdout.contains('\u{1b}'), "{stdout}");
}

#[test]
fn completions_and_the_manual_page_are_printed() {
    let bench = Workbench::new();
    for shell in ["bash", "zsh", "fish"] {
        bench.heapsoak(&["completions", shell]).assert().success().stdout(contains("scenario")).stderr("");
    }
    bench.heapsoak(&["man"]).assert().success().stdout(contains(".TH heapsoak").and(contains("Exit codes")));
}

#[test]
fn the_hidden_subcommands_stay_hidden() {
    let bench = Workbench::new();
    bench.heapsoak(&["--help"]).assert().success().stdout(contains("__").not());
}

/// The lines of the README's first block of commands.
fn readme_commands() -> Vec<String> {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let block = readme.split("```\n").nth(1).unwrap();
    block.lines().map(|line| line.split('#').next().unwrap().trim().to_owned()).collect()
}

#[test]
fn the_readme_shows_the_two_commands_that_there_are() {
    assert_eq!(readme_commands(), ["cargo run --release -- soak", "scripts/test"]);
    // `cargo run` means the tool, and the tool takes these arguments.
    let manifest = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("default-members = [\"src/cli\"]"));
    Workbench::new().heapsoak(&["soak", "--help"]).assert().success();
    // The test command runs every test of the workspace, against the lock file.
    let script = fs::read_to_string(repository().join("scripts/test")).unwrap();
    assert!(script.contains("cargo test --workspace --locked"));
    let ci = fs::read_to_string(repository().join(".ci/run")).unwrap();
    assert!(ci.contains("scripts/test") && ci.contains("cargo fmt") && ci.contains("-D warnings"));
}

#[test]
fn every_command_the_readme_mentions_is_one() {
    let bench = Workbench::new();
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let mentioned: Vec<&str> =
        readme.split("`heapsoak ").skip(1).map(|rest| rest.split('`').next().unwrap()).collect();
    assert!(!mentioned.is_empty());
    for command in mentioned {
        let words =
            command.split_whitespace().take_while(|word| word.chars().all(|c| c.is_ascii_lowercase()));
        let words: Vec<&str> = words.chain(["--help"]).collect();
        bench.heapsoak(&words).assert().success();
    }
}

#[test]
fn every_file_the_readme_links_to_is_there() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let targets = readme.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
    let local: Vec<&str> = targets.filter(|target| !target.starts_with("http")).collect();
    assert!(local.len() > 3);
    for target in local {
        assert!(repository().join(target).exists(), "{target}");
    }
}
