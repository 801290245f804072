//! The formats for other programs: as they were before, true to their standards, and safe from what they are fed.

#[cfg(test)]
mod synthetic;

use heapsoak_record::Recording;
use heapsoak_report::{
    Check, CheckOutcome, Csv, FORMATS, GitHub, JUnit, Markdown, Renderer, Run, Sarif, format,
};
use heapsoak_verdict::{ComponentVerdict, Judgement, RunVerdict};
use serde_json::Value;

const NASTY: &str = "<b>|`x`*=1+1\n::error::@all]]>&\"\u{1b}[2J";

fn checks() -> Vec<Check> {
    let check =
        |name: &str, outcome, says: &str| Check { name: name.to_owned(), outcome, says: says.to_owned() };
    vec![
        check("budget of cache", CheckOutcome::Passed, "1 KiB allowed, 12 B found."),
        check("budget of session", CheckOutcome::Failed, "10 KiB allowed, 87.1 KiB found."),
        check("positive control", CheckOutcome::Undecided, "The control did not run."),
    ]
}

fn rendered(renderer: &dyn Renderer, checks: &[Check]) -> String {
    let (recording, judgement) = synthetic::run("claims");
    let run = Run::new(&recording, &judgement).with_checks(checks);
    renderer.render(&run).expect("it renders")[0].text().to_owned()
}

/// A run whose every name is hostile.
fn hostile() -> (Recording, Judgement) {
    let (mut recording, mut judgement) = synthetic::run(NASTY);
    recording.header.target.name = NASTY.to_owned();
    recording.header.kinds[0].name = NASTY.to_owned();
    for snapshot in &mut recording.snapshots {
        snapshot.resources[0].name = NASTY.to_owned();
    }
    judgement.components[0].name = NASTY.to_owned();
    judgement.components[0].verdict = ComponentVerdict::Leak;
    for finding in &mut judgement.findings {
        finding.component = NASTY.to_owned();
        finding.summary = NASTY.to_owned();
        finding.action = NASTY.to_owned();
        finding.triggered_by = vec![NASTY.to_owned()];
    }
    judgement.resources[0].name = NASTY.to_owned();
    judgement.not_analysed.push(NASTY.to_owned());
    (recording, judgement)
}

#[test]
fn the_comment_on_a_pull_request_reads_as_before() {
    insta::assert_snapshot!(rendered(&Markdown, &checks()));
}

#[test]
fn the_test_results_are_as_before() {
    insta::assert_snapshot!(rendered(&JUnit, &checks()));
}

#[test]
fn the_code_scanning_results_are_as_before() {
    insta::assert_snapshot!(rendered(&Sarif, &checks()));
}

#[test]
fn the_annotations_are_as_before() {
    insta::assert_snapshot!(rendered(&GitHub, &checks()));
}

#[test]
fn the_series_are_as_before() {
    let (mut recording, judgement) = synthetic::run("claims");
    recording.snapshots.truncate(2);
    let files = Csv.render(&Run::new(&recording, &judgement)).unwrap();
    insta::assert_snapshot!(files[0].text());
}

#[test]
fn every_quiet_snapshot_and_context_is_in_the_series() {
    let (recording, judgement) = synthetic::run("claims");
    let files = Csv.render(&Run::new(&recording, &judgement)).unwrap();
    let mut table = csv::Reader::from_reader(files[0].contents.as_slice());
    let live: u64 = table
        .records()
        .map(|row| row.unwrap())
        .filter(|row| &row[1] == "24" && &row[3] == "after_advance" && &row[10] == "live_bytes")
        .map(|row| row[11].parse::<u64>().unwrap())
        .sum();
    assert_eq!(live, recording.snapshots.last().unwrap().heap.as_ref().unwrap().total_live_bytes);
}

#[test]
fn the_code_scanning_results_are_valid_sarif_whatever_was_found() {
    let mut schema: Value = serde_json::from_str(include_str!("sarif/sarif-2.1.0.schema.json")).unwrap();
    // The one pattern of the schema that is no regular expression here, of a field that is not written.
    for of in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{of}/properties/language")).unwrap();
        assert!(language.as_object_mut().unwrap().remove("pattern").is_some());
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    let (recording, judgement) = synthetic::run("claims");
    let (mut cut, _) = synthetic::run("cut");
    cut.snapshots.clear();
    cut.end = None;
    let invalid = heapsoak_verdict::judge(&cut);
    assert_eq!(invalid.verdict, RunVerdict::Invalid);
    let (nasty, found) = hostile();
    let checks = checks();
    let runs = [
        Run::new(&recording, &judgement).with_checks(&checks),
        Run::new(&cut, &invalid),
        Run::new(&nasty, &found),
    ];
    let log: Value = serde_json::from_slice(&Sarif.render_all(&runs).unwrap()[0].contents).unwrap();
    let errors: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(log["runs"].as_array().unwrap().len(), 3);
    assert_eq!(log["runs"][1]["invocations"][0]["executionSuccessful"], false);
    for result in log["runs"][0]["results"].as_array().unwrap() {
        let rule = &log["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
    }
    let mut broken = log;
    broken["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!validator.is_valid(&broken), "the schema refuses a level that there is not");
}

#[test]
fn the_test_results_count_what_leaks_as_failed_and_what_is_open_as_an_error() {
    let (recording, mut judgement) = synthetic::run("claims");
    judgement.components[0].verdict = ComponentVerdict::Inconclusive;
    let checks = checks();
    let runs = [Run::new(&recording, &judgement).with_checks(&checks), Run::new(&recording, &judgement)];
    let files = JUnit.render_all(&runs).unwrap();
    let report = quick_junit::Report::deserialize_from_str(files[0].text()).unwrap();
    let counts: Vec<_> =
        report.test_suites.iter().map(|suite| (suite.tests, suite.failures, suite.errors)).collect();
    // The run, five components, three resources, three checks; session and pipes leak, cache is open.
    assert_eq!(counts, [(12, 3, 2), (9, 2, 1)]);
}

#[test]
fn a_run_that_cannot_be_judged_is_never_shown_as_passed() {
    let (mut recording, _) = synthetic::run("claims");
    recording.snapshots.clear();
    recording.end = None;
    let judgement = heapsoak_verdict::judge(&recording);
    let run = Run::new(&recording, &judgement);
    let text = |renderer: &dyn Renderer| renderer.render(&run).unwrap()[0].text().to_owned();
    let report = quick_junit::Report::deserialize_from_str(&text(&JUnit)).unwrap();
    assert!(report.test_suites[0].errors > 0);
    assert!(text(&GitHub).starts_with("::error "));
    assert!(text(&Markdown).contains("invalid"));
}

#[test]
fn no_name_breaks_out_of_a_format() {
    let (mut recording, judgement) = hostile();
    recording.stacks.push(synthetic::stacks::stacks());
    for symbol in recording.stacks[0].symbols.iter_mut().flatten() {
        (symbol.function, symbol.file) = (NASTY.to_owned(), Some(NASTY.to_owned()));
    }
    let run = Run::new(&recording, &judgement);
    for name in FORMATS {
        for file in format(name, false, false).unwrap().render(&run).unwrap() {
            assert!(!file.text().contains('\u{1b}'), "{name}");
        }
    }
    let text = |renderer: &dyn Renderer| renderer.render(&run).unwrap()[0].text().to_owned();
    assert!(
        text(&GitHub)
            .lines()
            .all(|line| ["::error ", "::warning ", "::notice "].iter().any(|way| line.starts_with(way)))
    );
    let markdown = text(&Markdown);
    // Between backquotes, and in the indented command, nothing is obeyed.
    let prose = markdown.lines().filter(|line| !line.starts_with("    "));
    let prose: Vec<&str> =
        prose.flat_map(|line| line.split("\\`").flat_map(|part| part.split('`').step_by(2))).collect();
    assert!(prose.iter().all(|part| !part.contains("<b>") && !part.contains("@all")), "{markdown}");
    let columns = |line: &str| line.replace(r"\|", "").matches('|').count();
    for table in markdown.split("\n\n").filter(|part| part.starts_with("| ")) {
        let heads: Vec<usize> = table.lines().filter(|line| line.starts_with('|')).map(columns).collect();
        assert!(heads.iter().all(|count| *count == heads[0]), "{table}");
    }
    quick_junit::Report::deserialize_from_str(&text(&JUnit)).unwrap();
}

#[test]
fn several_runs_are_one_file_in_each_format_for_programs() {
    let (recording, judgement) = synthetic::run("claims");
    let (other, second) = synthetic::run("missed");
    let runs = [Run::new(&recording, &judgement), Run::new(&other, &second)];
    for name in ["markdown", "csv", "junit", "sarif", "github"] {
        let files = format(name, false, false).unwrap().render_all(&runs).unwrap();
        assert!(files[0].text().contains("claims") && files[0].text().contains("missed"), "{name}");
    }
    let table = Csv.render_all(&runs).unwrap().remove(0);
    assert_eq!(table.text().matches("scenario,snapshot").count(), 1);
}
