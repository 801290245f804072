//! The page is one file that can be trusted: whatever a scenario is called.

#[cfg(test)]
mod synthetic;

use std::fs;
use std::path::Path;

use heapsoak_record::{Recording, Resource, Unit};
use heapsoak_report::{
    Charts, Check, CheckOutcome, Html, Renderer, Run, ScenarioSummary, Terminal, write_index, write_run,
};
use heapsoak_verdict::{Growth, Judgement, Severity};

const NASTY: &str = "<script>alert('x')</script>\"&\u{1b}[2J";

fn page_of(recording: &Recording, judgement: &Judgement) -> String {
    Html.render(&Run::new(recording, judgement)).expect("it renders")[0].text().to_owned()
}

#[test]
fn every_run_leaves_a_page_a_document_and_charts() {
    let (recording, judgement) = synthetic::run("claims");
    let folder = tempfile::tempdir().unwrap();
    let written = write_run(folder.path(), &Run::new(&recording, &judgement)).unwrap();
    assert!(written.iter().all(|path| path.is_file()));
    for file in [
        "report.html",
        "report.json",
        "charts/growth-session.svg",
        "charts/growth-verifier.svg",
        "charts/survivors-session.svg",
        "charts/finding-2-survivors.svg",
        "charts/finding-3-churn.svg",
        "charts/resource-fds-pipe.svg",
    ] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
    assert!(!folder.path().join("charts/survivors-verifier.svg").exists(), "verifier does not leak");
}

#[test]
fn the_page_loads_nothing_and_runs_nothing_but_its_own_script_for_charts() {
    let (recording, judgement) = synthetic::run("claims");
    let page = &page_of(&recording, &judgement);
    let script = format!("<script>\n{}\n</script>", include_str!("../templates/charts.js").trim_end());
    assert_eq!(page.matches(&script).count(), 1);
    let page = &page.replace(&script, "");
    for word in ["<script", "<link", "<img", "src=", "url(", "@import", "javascript:", "onload"] {
        assert!(!page.contains(word), "{word}");
    }
    let namespace = "xmlns=\"http://www.w3.org/2000/svg\"";
    assert!(!page.replace(namespace, "").contains("http"), "an address beside the namespace of the drawings");
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
}

#[test]
fn names_from_outside_are_shown_and_never_obeyed() {
    let (mut recording, mut judgement) = synthetic::run(NASTY);
    recording.header.description = NASTY.to_owned();
    recording.header.target.name = NASTY.to_owned();
    recording.header.kinds[0].name = NASTY.to_owned();
    judgement.components[0].name = NASTY.to_owned();
    judgement.findings[0].component = NASTY.to_owned();
    judgement.findings[0].summary = NASTY.to_owned();
    judgement.findings[1].triggered_by = vec![NASTY.to_owned()];
    judgement.resources[0].name = NASTY.to_owned();
    judgement.claims[0].claim.says = NASTY.to_owned();
    judgement.not_analysed.push(NASTY.to_owned());
    let run = Run::new(&recording, &judgement);

    let folder = tempfile::tempdir().unwrap();
    for path in write_run(folder.path(), &Run::new(&recording, &judgement)).unwrap() {
        assert!(path.starts_with(folder.path()));
        let text = fs::read_to_string(&path).unwrap();
        if path.extension().is_some_and(|ending| ending != "json") {
            assert!(!text.contains("<script>alert"), "{}", path.display());
        }
    }
    let text = Terminal::default().text(&run);
    assert!(!text.contains('\u{1b}'), "{text}");

    let summary = ScenarioSummary::of(&run, Path::new(NASTY), None);
    write_index(folder.path(), &[summary]).unwrap();
    assert!(!fs::read_to_string(folder.path().join("report.html")).unwrap().contains("<script>alert"));
}

#[test]
fn a_terminal_report_keeps_to_eighty_columns() {
    let (recording, judgement) = synthetic::run("claims");
    let text = Terminal::default().text(&Run::new(&recording, &judgement));
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn colour_changes_no_letter_of_the_terminal_report() {
    let (recording, judgement) = synthetic::run("claims");
    let run = Run::new(&recording, &judgement);
    let coloured = Terminal { colour: true }.text(&run);
    let mut plain = String::new();
    let mut parts = coloured.split("\u{1b}[");
    plain.push_str(parts.next().unwrap());
    for part in parts {
        plain.push_str(part.split_once('m').unwrap().1);
    }
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(plain, Terminal::default().text(&run));
}

#[test]
fn survivors_are_drawn_per_cohort_with_the_judged_ones_marked() {
    let (recording, judgement) = synthetic::run("claims");
    let files = Charts.render(&Run::new(&recording, &judgement)).unwrap();
    let chart = files.iter().find(|file| file.path.ends_with("survivors-session.svg")).unwrap();
    // Eighteen judged cohorts in the colour of alarm; six others and no start-up in grey; one shaded range.
    assert_eq!(chart.text().matches("fill=\"#B42318\"").count(), 18);
    assert_eq!(chart.text().matches("fill=\"#A9B4C0\"").count(), 6);
    assert_eq!(chart.text().matches("fill=\"#F0F3F6\"").count(), 1);
    assert!(chart.text().contains("<text"), "labels are text, not outlines");
    assert!(chart.text().contains("prefers-color-scheme:dark"));
}

#[test]
fn a_chart_says_its_values_when_it_is_pointed_at_and_not_too_many() {
    let (recording, judgement) = synthetic::run("claims");
    let files = Charts.render(&Run::new(&recording, &judgement)).unwrap();
    let chart = files.iter().find(|file| file.path.ends_with("survivors-session.svg")).unwrap();
    assert!(chart.text().contains("<title>cycle that allocated it 24: "), "{}", chart.text());
    let (long, found) = synthetic::long(100, 1);
    for file in Charts.render(&Run::new(&long, &found)).unwrap() {
        assert!((1..=40).contains(&file.text().matches("<title>").count()), "{}", file.path.display());
    }
}

#[test]
fn the_same_run_gives_the_same_files_to_the_byte() {
    let (recording, judgement) = synthetic::run("claims");
    let run = Run::new(&recording, &judgement);
    assert_eq!(Html.render(&run).unwrap(), Html.render(&run).unwrap());
    assert_eq!(Charts.render(&run).unwrap(), Charts.render(&run).unwrap());
}

#[test]
fn the_page_says_that_the_memory_limit_is_assumed_and_when_it_is_reached() {
    let (mut recording, mut judgement) = synthetic::run("claims");
    let page = |recording: &_, judgement: &_| page_of(recording, judgement);
    let unknown = page(&recording, &judgement);
    assert!(unknown.contains("assumed limit of 2 GiB"));
    // (2 GiB - 26,880,000 B) / 89.2 B a request / 1,250 requests a second = 19,019 s.
    assert!(unknown.contains("5.3 h"));
    recording.header.target.memory_limit_bytes = Some(512 * 1024 * 1024);
    let known = page(&recording, &judgement);
    assert!(!known.contains("assumed limit") && known.contains("limit of 512 MiB"));
    judgement.out_of_memory.growth_bytes_per_1000_requests = Growth::default();
    assert!(page(&recording, &judgement).contains("no end found"));
}

/// The pages that `scripts/test-page` shows to a browser: written to the folder that HEAPSOAK_PAGES names.
#[test]
fn the_pages_that_a_browser_is_shown_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let asked = std::env::var_os("HEAPSOAK_PAGES").map(std::path::PathBuf::from);
    let pages = asked.as_deref().unwrap_or(folder.path());
    let source = folder.path().join("src");
    fs::create_dir_all(&source).unwrap();
    let lines: String =
        (1..30).map(|line| format!("    let line_{line} = keep(&mut self.history, {line});\n")).collect();
    fs::write(source.join("session.rs"), lines).unwrap();

    let (mut recording, judgement) = synthetic::run("claims");
    recording.stacks.push(synthetic::stacks::stacks());
    let bytes = |name: &str, value| Resource { name: name.to_owned(), value, unit: Unit::Bytes };
    let last = recording.snapshots.last_mut().unwrap();
    last.resources.extend([bytes("memory.heap", 9_000_000), bytes("memory.files", 14_000_000)]);
    last.resources.extend([bytes("jemalloc.rounding", 400_000), bytes("jemalloc.resident", 9_500_000)]);
    let check =
        |name: &str, outcome, says: &str| Check { name: name.to_owned(), outcome, says: says.to_owned() };
    let checks = [
        check("data", CheckOutcome::Passed, "12,000 requests, all of them as expected"),
        check(
            "budget of session: growth",
            CheckOutcome::Failed,
            "allowed 1 KiB per 1,000 requests, found 87 KiB",
        ),
        check("budget of cache: growth", CheckOutcome::Undecided, "about 4,000 more requests would tell"),
    ];
    let full = Run::new(&recording, &judgement).with_root(folder.path()).with_checks(&checks);
    let (long, found) = synthetic::long(100, 20);
    for (name, run) in [("full.html", full), ("long.html", Run::new(&long, &found))] {
        let page = Html.render(&run).unwrap().remove(0);
        fs::write(pages.join(name), &page.contents).unwrap();
    }
    let page = fs::read_to_string(pages.join("full.html")).unwrap();
    for part in [
        "budget of session: growth",
        "Resident memory",
        "class=\"here\"",
        "Called from",
        "Claimed against measured",
        "unexplained",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn the_page_of_a_long_run_of_many_components_stays_small() {
    let (recording, judgement) = synthetic::long(100, 20);
    let page = page_of(&recording, &judgement);
    assert!(page.matches("<svg").count() >= 20);
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
}

#[test]
fn an_action_plan_follows_the_order_of_the_findings() {
    let (recording, mut judgement) = synthetic::run("claims");
    judgement.findings.truncate(2);
    judgement.findings[0].action = "first step".to_owned();
    judgement.findings[1].action = "second step".to_owned();
    judgement.findings[1].severity = Severity::Low;
    let page = page_of(&recording, &judgement);
    let plan = page.split_once("Action plan").unwrap().1;
    assert!(plan.find("first step").unwrap() < plan.find("second step").unwrap());
}

#[test]
fn what_the_judge_says_is_rendered_in_every_format() {
    let (recording, _) = synthetic::run("claims");
    let judgement = heapsoak_verdict::judge(&recording);
    let session = judgement.findings.iter().find(|finding| finding.component == "session").unwrap();
    assert_eq!(session.triggered_by, ["session.expired-comment-fails"]);
    let folder = tempfile::tempdir().unwrap();
    write_run(folder.path(), &Run::new(&recording, &judgement)).unwrap();
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("Triggered by") && page.contains(&session.triggered_by[0]));
    let text = Terminal::default().text(&Run::new(&recording, &judgement));
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn a_run_of_any_length_is_rendered() {
    let (whole, _) = synthetic::run("claims");
    for snapshots in [0, 1, 2, 5] {
        let mut recording = whole.clone();
        recording.snapshots.truncate(snapshots);
        recording.end = None;
        let judgement = heapsoak_verdict::judge(&recording);
        let folder = tempfile::tempdir().unwrap();
        let written = write_run(folder.path(), &Run::new(&recording, &judgement)).unwrap();
        assert!(written.len() >= 2, "{snapshots} snapshots");
        let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
        assert!(page.contains("the recorder was stopped before the run ended"), "{snapshots} snapshots");
        assert!(!page.contains("NaN") && !page.contains(">inf"), "{snapshots} snapshots");
        let text = Terminal::default().text(&Run::new(&recording, &judgement));
        assert!(text.contains("INVALID"), "{text}");
    }
}
