//! Figures from commit to commit.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use std::fs;

use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use workbench::{LOOK_UPS, Workbench, leaking_look_ups};

#[test]
fn the_commit_where_a_leak_came_in_is_named_in_terminal_and_page() {
    let bench = Workbench::new();
    let leaking = leaking_look_ups("cache.namespaces");
    for (commit, text) in [("c1", LOOK_UPS), ("c2", LOOK_UPS), ("c3", &leaking), ("c4", &leaking)] {
        bench.file("look-ups.toml", text);
        bench.heapsoak(&["soak", "look-ups.toml", "--out", commit, "--quiet", "--no-zoom"]).output().unwrap();
        bench
            .heapsoak(&["history", commit, "--commit", commit])
            .assert()
            .code(0)
            .stderr(contains("kept look-ups"));
    }
    // The same run again changes nothing.
    bench.heapsoak(&["history", "c4", "--commit", "c4"]).assert().code(0).stderr(contains("knew already"));
    bench
        .heapsoak(&["history", "--page", "history.html"])
        .assert()
        .code(0)
        .stdout(contains("cache of look-ups stepped up at c3").and(contains("4 runs up to c4")));
    let page = fs::read_to_string(bench.path("history.html")).unwrap();
    assert!(page.contains("cache of look-ups stepped up at c3 (after c2)"), "{page}");
    assert!(page.contains("<svg") && !page.contains("<script") && !page.contains("http://"));
}

#[test]
fn what_is_no_history_and_no_run_is_refused_with_the_remedy() {
    let bench = Workbench::new();
    bench.heapsoak(&["history"]).assert().code(2).stderr(contains("begin a history"));
    bench.heapsoak(&["history", "nowhere", "--commit", "c1"]).assert().code(2).stderr(contains("nowhere"));
    bench.file("notes.txt", "no database of anybody's, but a text that is long enough to be looked at");
    bench
        .heapsoak(&["history", "--file", "notes.txt"])
        .assert()
        .code(2)
        .stderr(contains("notes.txt").and(contains("--file")));
    fs::create_dir(bench.path("empty")).unwrap();
    bench
        .heapsoak(&["history", "empty", "--commit", "c1"])
        .assert()
        .code(2)
        .stderr(contains("no recording in empty"));
}
