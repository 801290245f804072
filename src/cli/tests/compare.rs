//! `diff` and `verify-fix` on real runs of the server, broken and repaired.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod workbench;

use predicates::prelude::*;
use predicates::str::contains;
use workbench::Workbench;

fn soak(bench: &Workbench, out: &str, as_found: &str) {
    let arguments = ["soak", "cache", "--quiet", "--out", out, "--as-found", as_found];
    bench.heapsoak(&arguments).output().unwrap();
}

#[test]
fn a_real_fix_is_verified_a_missing_one_is_not_and_what_never_grew_is_undecided() {
    let bench = Workbench::new();
    soak(&bench, "broken", "cache.namespaces");
    soak(&bench, "fixed", "none");
    let check = |before: &str, after: &str| bench.heapsoak(&["verify-fix", before, after]).assert();
    check("broken", "fixed").code(0).stdout(contains("FIXED")).stderr("");
    check("broken", "broken").code(3).stdout(contains("NOT FIXED").and(contains("Still grows")));
    check("fixed", "broken").code(4).stdout(contains("INCONCLUSIVE").and(contains("Nothing grew before")));
    let one = bench.heapsoak(&["verify-fix", "broken", "fixed", "--component", "queue"]).assert();
    one.code(4).stdout(contains("Of queue nothing grew"));

    let diff = bench.heapsoak(&["diff", "broken", "fixed"]).assert().success();
    diff.stdout(contains("gone").and(contains("cache · Cache::get")));
    let json = bench.heapsoak(&["diff", "fixed", "broken", "--json"]).output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["components"][0]["name"], "cache");
    assert_eq!(json["components"][0]["change"], "new");
    // The line, with an interval: nothing of it in the one, all of the leak in the other.
    let site = &json["sites"][0];
    assert_eq!(site["function"], "autopilot::cache::Cache::get", "{site}");
    assert!(site["file"].as_str().is_some_and(|file| file.ends_with("src/autopilot/cache/mod.rs")), "{site}");
    assert!(
        site["before"]["low"].as_f64() <= Some(0.0) && site["after"]["low"].as_f64() > Some(0.0),
        "{site}"
    );
    assert!(site["difference"]["low"].as_f64() > Some(0.0), "{site}");
    let text = bench.heapsoak(&["diff", "broken", "fixed", "--format", "markdown"]).assert();
    text.success().stdout(contains("| `cache` | leak → "));
}

#[test]
fn a_recording_that_cannot_be_read_is_named() {
    let bench = Workbench::new();
    bench.file("text.jsonl", "hello\n");
    bench.file("new.jsonl", "{\"header\":{\"format_version\":999,\"tool_version\":\"9.9.9\"}}\n");
    bench.heapsoak(&["diff", "none", "text.jsonl"]).assert().code(2).stderr(contains("none"));
    bench.heapsoak(&["verify-fix", "text.jsonl", "none"]).assert().code(2).stderr(contains("text.jsonl:1"));
    bench.heapsoak(&["verify-fix", "new.jsonl", "none"]).assert().code(6);
}
