//! `scenario list`, `validate` and `new`, as a user types them.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use std::path::PathBuf;

use predicates::prelude::*;
use predicates::str::{contains, starts_with};
use workbench::{Workbench, repository};

fn source(name: &str) -> PathBuf {
    repository().join("src/driver/tests/drafts").join(name)
}

#[test]
fn the_list_says_what_each_scenario_covers() {
    let bench = Workbench::new();
    let list = bench.heapsoak(&["scenario", "list"]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let missed = list.split("\nmissed ").nth(1).unwrap();
    let missed: Vec<&str> = missed.lines().skip(1).take_while(|line| line.starts_with(' ')).collect();
    let of = |what: &str| {
        missed.iter().find(|line| line.trim_start().starts_with(what)).unwrap_or_else(|| panic!("{missed:?}"))
    };
    assert!(of("components").contains("queue (") && of("components").contains("session ("));
    assert!(of("failing").contains("session.expired-comment-fails"));
    assert!(of("succeeding").contains("verifier.valid"));
    assert!(of("faults").contains("unwritable"));
    assert!(of("clock").contains("6m further"));
}

#[test]
fn the_list_says_in_which_rhythm_a_scenario_asks() {
    let bench = Workbench::new();
    std::fs::remove_file(bench.path("leak-scenarios")).unwrap();
    std::fs::create_dir(bench.path("leak-scenarios")).unwrap();
    let phases = "[restart]\nevery = 12\n[[warm-up]]\nname = \"ramp\"\nrequests = 9\n[[phase]]\nname = \"burst\"\nshare = 1\n[[phase]]\nname = \"pause\"\nidle = \"1s\"\n";
    let text = std::fs::read_to_string(repository().join("examples/axum.toml")).unwrap();
    bench.file("leak-scenarios/mine.toml", &text.replacen("[load]", &format!("{phases}[load]"), 1));
    let list = bench.heapsoak(&["scenario", "list"]).assert().success();
    list.stdout(
        contains("warm-up     ramp")
            .and(contains("phases      burst, pause"))
            .and(contains("restart     every 12 cycles"))
            .and(contains("faults      restart")),
    );
}

#[test]
fn a_mistake_is_drawn_with_its_line_and_what_was_probably_meant() {
    let bench = Workbench::new();
    let good = std::fs::read_to_string(repository().join("examples/axum.toml")).unwrap();
    bench.file("mine.toml", &good.replacen("cycles =", "cylces =", 1));
    let line = good.lines().position(|line| line.starts_with("cycles =")).unwrap() + 1;
    bench
        .heapsoak(&["scenario", "validate", "mine.toml"])
        .assert()
        .code(2)
        .stdout("")
        .stderr(contains(format!("mine.toml:{line}:1")).and(contains("did you mean 'cycles'?")));
}

#[test]
fn a_draft_goes_to_stdout_or_to_a_file_and_is_valid() {
    let bench = Workbench::new();
    for (option, name) in [("--from-openapi", "shop.openapi.yaml"), ("--from-har", "shop.har")] {
        let file = source(name).display().to_string();
        let out = bench.heapsoak(&["scenario", "new", option, &file]).assert().success().stderr("");
        let printed = String::from_utf8(out.get_output().stdout.clone()).unwrap();
        let named = format!("{name}.toml");
        bench.heapsoak(&["scenario", "new", option, &file, "--out", &named]).assert().success().stdout("");
        assert_eq!(std::fs::read_to_string(bench.path(&named)).unwrap(), printed);
        bench.heapsoak(&["scenario", "validate", &named]).assert().success();
        // What is there is never written over.
        let again = bench.heapsoak(&["scenario", "new", option, &file, "--out", &named]).assert().code(2);
        again.stderr(contains(format!("{named} exists")));
    }
}

#[test]
fn a_draft_of_what_is_none_is_one_clear_line() {
    let bench = Workbench::new();
    bench.file("page.html", "<html>\n");
    let one_line = || predicate::function(|text: &str| text.lines().count() == 1);
    for option in ["--from-openapi", "--from-har"] {
        let run = bench.heapsoak(&["scenario", "new", option, "page.html"]).assert().code(2);
        run.stdout("").stderr(starts_with("error: page.html").and(one_line()));
    }
    bench.heapsoak(&["scenario", "new"]).assert().code(2).stdout("");
}

#[test]
fn a_leak_is_found_under_a_rhythm_as_under_none_and_the_report_says_what_was_done() {
    let bench = Workbench::new();
    let scenario = repository().join("leak-scenarios/rhythms/burst.toml").display().to_string();
    bench.heapsoak(&["soak", &scenario, "--no-zoom", "--out", "run"]).assert().code(0);
    let report = bench.json("run/report.json");
    // What came before the cycles is in no figure.
    let (sent, cycles) =
        (report["requests"]["sent"].as_u64().unwrap(), report["quality"]["cycles"].as_u64().unwrap());
    assert_eq!(sent, cycles * 200);
    let phases = report["phases"].as_array().unwrap();
    let names: Vec<_> = phases.iter().map(|phase| phase["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ramp", "steady", "burst", "pause"]);
    assert_eq!((&phases[0]["requests"], &phases[0]["before_the_cycles"]), (&300.into(), &true.into()));
    assert_eq!((&phases[2]["connections"], &phases[2]["times"]), (&32.into(), &cycles.into()));
    assert_eq!(phases[1]["requests"].as_u64().unwrap() + phases[2]["requests"].as_u64().unwrap(), sent);
    assert!(phases[3]["took_ms"].as_u64() >= Some(100 * cycles) && phases[3]["requests"] == 0);
    let page = std::fs::read_to_string(bench.path("run/report.html")).unwrap();
    assert!(page.contains("Phase burst, in each of"), "the page tells of the phases");
    let healthy = ["soak", &scenario, "--as-found", "none", "--no-zoom", "--out", "healthy", "--quiet"];
    bench.heapsoak(&healthy).output().unwrap();
    assert_ne!(bench.json("healthy/report.json")["verdict"], "leak");
    bench.assert_nothing_left();
}

#[test]
fn what_is_allocated_again_and_again_is_found_though_nothing_stays_and_its_line_is_named() {
    let bench = Workbench::new();
    let scenario = repository().join("leak-scenarios/churn/transcripts.toml").display().to_string();
    bench.heapsoak(&["soak", &scenario, "--out", "run"]).assert().code(0);
    let finding = &bench.json("run/report.json")["findings"][0];
    assert_eq!(finding["pattern"], "churn");
    let function = finding["site"]["function"].as_str().unwrap();
    assert!(function.contains("Transcript::rewrite") || function.contains("Entry::line"), "{function}");
    bench
        .heapsoak(&["soak", &scenario, "--as-found", "none", "--out", "healthy", "--quiet"])
        .output()
        .unwrap();
    assert!(bench.json("healthy/report.json")["findings"].as_array().unwrap().is_empty());
    bench.assert_nothing_left();
}

#[test]
fn a_variable_that_is_not_set_is_asked_for_before_anything_starts() {
    let bench = Workbench::new();
    let file = source("shop.har").display().to_string();
    bench.heapsoak(&["scenario", "new", "--from-har", &file, "--out", "shop.toml"]).assert().success();
    let run =
        bench.heapsoak(&["soak", "shop.toml", "--quiet"]).env_remove("HEAPSOAK_COOKIE").assert().code(2);
    run.stdout("").stderr(contains("HEAPSOAK_ACCESS_TOKEN").and(contains("set it")));
    assert!(!bench.path("reports").join("latest").exists());
}

#[test]
fn a_draft_of_an_openapi_document_asks_the_server_it_describes_what_it_answers_as_described() {
    let bench = Workbench::new();
    let file = source("shop.openapi.yaml").display().to_string();
    bench.heapsoak(&["scenario", "new", "--from-openapi", &file, "--out", "shop.toml"]).assert().success();
    let server = repository().join("src/cli/tests/servers/shop.js");
    let (command, url) = (format!("node {}", server.display()), "http://127.0.0.1:{port}");
    let soak = [
        "soak",
        "shop.toml",
        "--spawn",
        &command,
        "--url",
        url,
        "--requests",
        "2000",
        "--quiet",
        "--out",
        "run",
    ];
    let run = bench.heapsoak(&soak).env("HEAPSOAK_TOKEN", "let-me-in").output().unwrap();
    let stderr = String::from_utf8_lossy(&run.stderr);
    let report = bench.json("run/report.json");
    let requests = &report["requests"];
    assert!(requests["sent"].as_u64() >= Some(2000), "{requests}, {stderr}");
    let failed = |kind: &&serde_json::Value| kind["failed"] != 0;
    let kinds = report["kinds"].as_array().unwrap();
    assert_eq!(kinds.iter().find(failed), None);
    // What is wrong on purpose is refused as wrong.
    for kind in kinds {
        let name = kind["name"].as_str().unwrap();
        let wrong = name.ends_with("-unknown") || name.ends_with("-malformed");
        assert_eq!(kind["ok"] == 0, wrong, "{kind}");
    }
    bench.assert_nothing_left();
}
