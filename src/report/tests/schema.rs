//! The published JSON Schemas hold for what is written, and refuse what is not in the contract.

#[cfg(test)]
mod synthetic;

use std::path::Path;

use heapsoak_report::{INDEX_SCHEMA, Json, REPORT_SCHEMA, Renderer, Run, ScenarioSummary, write_index};
use heapsoak_verdict::{Growth, RunVerdict};
use jsonschema::Validator;
use serde_json::{Value, json};

fn validator(schema: &str) -> Validator {
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a schema")
}

fn report() -> Value {
    let (recording, judgement) = synthetic::run("claims");
    let files = Json.render(&Run::new(&recording, &judgement)).expect("it renders");
    serde_json::from_str(files[0].text()).expect("it is JSON")
}

#[test]
fn a_report_is_as_its_schema_says() {
    let report = report();
    let validator = validator(REPORT_SCHEMA);
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn a_report_has_everything_the_contract_names() {
    let report = report();
    for field in [
        "schema_version",
        "verdict",
        "scenario",
        "seed",
        "target",
        "requests",
        "components",
        "resources",
        "findings",
        "combined_impact_at_10000_requests_bytes",
        "not_analysed",
    ] {
        assert!(report.get(field).is_some(), "{field}");
    }
    assert_eq!(report["schema_version"], 1);
    assert_eq!(report["findings"][0]["site"], Value::Null);
    assert_eq!(report["findings"][1]["at_10000_requests_bytes"], 892_000);
    assert_eq!(report["findings"][1]["triggered_by"], json!(["session.expired-comment-fails"]));
    assert_eq!(report["components"][2]["name"], "session");
    assert_eq!(report["components"][2]["growth_bytes_per_1000_requests"]["estimate"], 89_200.0);
    assert_eq!(
        report["requests"],
        json!({"sent": 12_000, "ok": 10_799, "expected_errors": 1_200, "failed": 1})
    );
}

/// How long the answers of a run with arrivals took.
fn answer_times() -> heapsoak_record::Event {
    let times = |p50_us| heapsoak_record::Percentiles {
        p50_us,
        p90_us: 2 * p50_us,
        p99_us: 4 * p50_us,
        p999_us: 8 * p50_us,
        max_us: 9 * p50_us,
    };
    heapsoak_record::Event::AnswerTimes {
        cycle: 24,
        from_sent: times(850),
        arrivals: Some(heapsoak_record::Arrivals {
            asked_per_1000_s: 200_000,
            came_per_1000_s: 199_960,
            count: 12_000,
            late: 7,
            from_due: times(2_900),
        }),
    }
}

#[test]
fn answer_times_are_in_every_report_from_both_moments_and_so_is_the_growth_of_the_tool_itself() {
    let (mut recording, judgement) = synthetic::run("claims");
    recording.events.push(answer_times());
    recording.events.push(heapsoak_record::Event::OwnHeap {
        cycle: 24,
        verdict: "leak".to_owned(),
        live_bytes: 1 << 20,
        bytes_per_1000_requests: 2_048,
        low: 1_024,
        high: 3_072,
    });
    let run = Run::new(&recording, &judgement);
    let files = Json.render(&run).unwrap();
    let report: Value = serde_json::from_str(files[0].text()).unwrap();
    assert!(validator(REPORT_SCHEMA).is_valid(&report));
    assert_eq!(report["answer_times"]["from_sent"]["p50_us"], 850);
    assert_eq!(report["answer_times"]["arrivals"]["from_due"]["p99_us"], 11_600);
    let sent = "median 0.85 ms, 99 % within 3.40 ms, all within 7.65 ms";
    let due = "median 2.90 ms, 99 % within 12 ms, all within 26 ms, from when it was due; 200 a second asked for, 200 \
               came, 7 of 12,000 more than 1 ms late";
    let terminal = heapsoak_report::Terminal::default().text(&run).replace("\n  ", " ");
    assert!(terminal.contains(&format!("answers: {sent}; {due}")), "{terminal}");
    let own = "grew by 2 KiB per 1,000 requests (1 KiB to 3 KiB), 1 MiB at the end";
    assert_eq!(report["own_heap"]["growth_bytes_per_1000_requests"]["high"], 3_072);
    assert!(terminal.contains(&format!("heapsoak's own heap {own}")), "{terminal}");
    let page = heapsoak_report::Html.render(&run).unwrap();
    let page = page[0].text();
    assert!(page.contains(sent) && page.contains(due) && page.contains(own), "{page}");
}

#[test]
fn a_wrong_verdict_word_is_refused() {
    let validator = validator(REPORT_SCHEMA);
    for place in [
        "/verdict",
        "/components/0/verdict",
        "/resources/0/verdict",
        "/findings/0/severity",
        "/findings/0/pattern",
    ] {
        let mut report = report();
        *report.pointer_mut(place).unwrap() = json!("leaking");
        assert!(!validator.is_valid(&report), "{place} took a word that is not in the contract");
    }
}

#[test]
fn a_field_that_the_schema_does_not_know_is_refused() {
    let validator = validator(REPORT_SCHEMA);
    let mut report = report();
    report["components"][0]["surprise"] = json!(1);
    assert!(!validator.is_valid(&report));
}

#[test]
fn an_unknown_interval_is_null_and_still_valid() {
    let (recording, mut judgement) = synthetic::run("claims");
    judgement.components[0].growth_bytes_per_1000_requests =
        Growth { estimate: 1.0, low: f64::NEG_INFINITY, high: f64::INFINITY };
    let files = Json.render(&Run::new(&recording, &judgement)).unwrap();
    let report: Value = serde_json::from_str(files[0].text()).unwrap();
    assert_eq!(report["components"][0]["growth_bytes_per_1000_requests"]["low"], Value::Null);
    assert!(validator(REPORT_SCHEMA).is_valid(&report));
}

#[test]
fn a_run_that_died_at_once_still_has_a_valid_report() {
    let (mut recording, mut judgement) = synthetic::run("claims");
    recording.snapshots.clear();
    recording.end = Some(heapsoak_record::End {
        outcome: heapsoak_record::Outcome::TargetDied {
            status: "signal 9".to_owned(),
            stderr: String::new(),
        },
        elapsed_ms: 3,
        requests: 0,
    });
    judgement.verdict = RunVerdict::Invalid;
    judgement.components.clear();
    judgement.resources.clear();
    judgement.findings.clear();
    let folder = tempfile::tempdir().unwrap();
    heapsoak_report::write_run(folder.path(), &Run::new(&recording, &judgement)).unwrap();
    let text = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    assert!(validator(REPORT_SCHEMA).is_valid(&report));
    assert_eq!(report["end"]["how"], "target_died");
}

#[test]
fn the_summary_of_several_scenarios_is_as_its_schema_says() {
    let (recording, judgement) = synthetic::run("claims");
    let run = Run::new(&recording, &judgement);
    let claims = ScenarioSummary::of(&run, Path::new("claims"), Some(Vec::new()));
    let fixed = ScenarioSummary {
        name: "fixed".to_owned(),
        verdict: RunVerdict::Clean,
        unmet: Some(vec!["cache is stable, expected was bounded".to_owned()]),
        findings: Vec::new(),
        ..claims.clone()
    };
    let folder = tempfile::tempdir().unwrap();
    write_index(folder.path(), &[claims, fixed]).unwrap();
    let text = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
    let mut summary: Value = serde_json::from_str(&text).unwrap();
    let validator = validator(INDEX_SCHEMA);
    let errors: Vec<String> = validator.iter_errors(&summary).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(summary["verdict"], "leak");
    assert_eq!(summary["expectations_met"], false);
    assert_eq!(summary["scenarios"][1]["expectation_met"], false);
    assert_eq!(summary["requests"]["sent"], 24_000);
    summary["scenarios"][0]["verdict"] = json!("leaking");
    assert!(!validator.is_valid(&summary));
}
