//! One run, in every format a report can be printed in.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use std::fs;

use workbench::Workbench;

const FILES: [(&str, &str); 5] = [
    ("markdown", "report.md"),
    ("csv", "series.csv"),
    ("junit", "junit.xml"),
    ("sarif", "report.sarif"),
    ("github", "annotations.txt"),
];

#[test]
fn a_recording_is_printed_in_every_format_and_written_only_when_asked() {
    let bench = Workbench::new();
    bench.heapsoak(&["soak", "verifier", "--requests", "600", "--out", "run", "--quiet"]).output().unwrap();
    let before = fs::read_dir(bench.path("run")).unwrap().count();
    for (format, file) in FILES {
        let printed = bench.heapsoak(&["report", "run", "--format", format]).output().unwrap();
        assert!(!printed.stdout.is_empty(), "{format}");
        assert_eq!(String::from_utf8(printed.stderr).unwrap(), "", "{format}");
        assert_eq!(fs::read_dir(bench.path("run")).unwrap().count(), before, "{format}");
        let written =
            bench.heapsoak(&["report", "run", "--format", format, "--out", "out"]).output().unwrap();
        assert_eq!(written.stdout, printed.stdout, "{format}");
        assert_eq!(fs::read(bench.path("out").join(file)).unwrap(), printed.stdout, "{format}");
        assert_eq!(written.status.code(), printed.status.code());
    }
    let page = bench.heapsoak(&["report", "run", "--format", "html"]).output().unwrap();
    assert_eq!(page.stdout, fs::read(bench.path("run/report.html")).unwrap());
}

#[test]
fn a_step_of_github_actions_gets_its_summary_added_to_what_is_there() {
    let bench = Workbench::new();
    bench.heapsoak(&["soak", "verifier", "--requests", "600", "--out", "run", "--quiet"]).output().unwrap();
    let summary = bench.file("summary.md", "before\n");
    let step = bench
        .heapsoak(&["report", "run", "--format", "github"])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .unwrap();
    assert!(String::from_utf8(step.stdout).unwrap().starts_with("::"));
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("before\n###") && text.contains("verifier"), "{text}");
    let nowhere = bench
        .heapsoak(&["report", "run", "--format", "github"])
        .env("GITHUB_STEP_SUMMARY", bench.path("none/summary.md"))
        .assert();
    nowhere.code(2).stderr(predicates::str::contains("GITHUB_STEP_SUMMARY"));
}

#[test]
fn a_soak_of_several_scenarios_prints_them_as_one() {
    let bench = Workbench::new();
    let arguments = ["soak", "verifier", "cache", "--requests", "600", "--quiet", "--out", "run"];
    let run = bench.heapsoak(&arguments).args(["--format", "junit"]).output().unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    assert_eq!(text.matches("<testsuite ").count(), 2, "{text}");
}
