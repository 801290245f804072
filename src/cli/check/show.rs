use std::fmt::Write as _;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use heapsoak_gate::{Check, Outcome};
use heapsoak_report::{GitHub, Html, JUnit, Markdown, Rendered, Renderer, Run, Sarif, write_all};
use serde::Serialize;

use super::gated::Gated;
use crate::arguments::{Check as Arguments, Format};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::print;

/// Version of `gate.json`.
const SCHEMA_VERSION: u32 = 1;

/// Writes what the gate found beside the reports, in every format a CI can use, and prints the one asked for.
pub(super) fn show(
    arguments: &Arguments,
    gated: &[Gated],
    suppressed: &[Check],
    folder: Option<&Path>,
    exit: Exit,
) -> Result<(), Failure> {
    let document = document(gated, suppressed, exit)?;
    let runs: Vec<Run<'_>> = gated.iter().map(Gated::run).collect();
    let mut written = Vec::new();
    if let Some(folder) = folder.filter(|_| !runs.is_empty()) {
        let renderers: [&dyn Renderer; 4] = [&JUnit, &Sarif, &Markdown, &GitHub];
        let mut files = vec![Rendered::new("gate.json", document.clone())];
        for renderer in renderers {
            files.extend(renderer.render_all(&runs)?);
        }
        files.extend(pages(gated, folder)?);
        written = write_all(folder, &files)?;
    }
    match arguments.soak.output.format() {
        Format::Terminal => print::data(table(gated, suppressed, exit).as_bytes())?,
        Format::Json => print::data(document.as_bytes())?,
        _ => print::runs(&runs, arguments.soak.output)?,
    };
    print::paths(&written, arguments.soak.quiet);
    Ok(())
}

/// The pages that the soaks wrote, again, with what the gate asked. A folder without pages gets none.
fn pages(gated: &[Gated], folder: &Path) -> Result<Vec<Rendered>, Failure> {
    let root = std::env::current_dir().unwrap_or_default();
    let mut pages = Vec::new();
    for run in gated {
        let name = if gated.len() == 1 { Path::new("") } else { Path::new(run.scenario()) };
        if folder.join(name).join("report.html").is_file() {
            let rendered = Html.render(&run.run().with_root(&root))?;
            pages.extend(rendered.into_iter().map(|page| Rendered::new(name.join(page.path), page.contents)));
        }
    }
    Ok(pages)
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    exit_code: u8,
    outcome: &'static str,
    scenarios: Vec<ScenarioDocument<'a>>,
    suppressions: Vec<CheckDocument<'a>>,
}

#[derive(Serialize)]
struct ScenarioDocument<'a> {
    name: &'a str,
    verdict: &'static str,
    outcome: &'static str,
    checks: Vec<CheckDocument<'a>>,
}

#[derive(Serialize)]
struct CheckDocument<'a> {
    name: &'a str,
    outcome: &'static str,
    says: &'a str,
    wanted_requests: Option<u64>,
}

fn document(gated: &[Gated], suppressed: &[Check], exit: Exit) -> Result<String, Failure> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        exit_code: exit.code(),
        outcome: worst(gated, suppressed, exit),
        scenarios: gated
            .iter()
            .map(|run| ScenarioDocument {
                name: run.scenario(),
                verdict: run.judgement.verdict.word(),
                outcome: run.outcome.word(),
                checks: checks(&run.checks),
            })
            .collect(),
        suppressions: checks(suppressed),
    };
    let mut text = serde_json::to_string_pretty(&document)
        .map_err(|error| Failure::new(Exit::Internal, format!("can't write gate.json: {error}")))?;
    text.push('\n');
    Ok(text)
}

fn checks(checks: &[Check]) -> Vec<CheckDocument<'_>> {
    checks.iter().map(CheckDocument::of).collect()
}

impl<'a> CheckDocument<'a> {
    fn of(check: &'a Check) -> CheckDocument<'a> {
        CheckDocument {
            name: &check.name,
            outcome: check.outcome.word(),
            says: &check.says,
            wanted_requests: check.wanted_requests,
        }
    }
}

/// The worst word there is; a run that did not go to its end is invalid, whatever its checks say.
fn worst(gated: &[Gated], suppressed: &[Check], exit: Exit) -> &'static str {
    let checks = suppressed.iter().map(|check| check.outcome);
    let worst = gated.iter().map(|run| run.outcome).chain(checks).max();
    match exit {
        Exit::Clean | Exit::Inconclusive | Exit::Leak => worst.unwrap_or(Outcome::Invalid).word(),
        _ => Outcome::Invalid.word(),
    }
}

/// One line per scenario, and every check that did not pass below it.
fn table(gated: &[Gated], suppressed: &[Check], exit: Exit) -> String {
    let width = gated.iter().map(|run| run.scenario().chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for run in gated {
        let passed = run.checks.iter().filter(|check| check.outcome == Outcome::Passed).count();
        let word = coloured(run.outcome, 9);
        let (scenario, all) = (run.scenario(), run.checks.len());
        let _ = writeln!(text, "{scenario:width$}  {word}  {passed} of {all} checks passed");
        list(&mut text, &run.checks);
    }
    if !suppressed.is_empty() {
        text.push_str("suppressions\n");
        for check in suppressed {
            let _ = writeln!(text, "  {}  {}: {}", coloured(check.outcome, 9), check.name, check.says);
        }
    }
    let _ = writeln!(text, "\ngate: {}, exit code {exit}", worst(gated, suppressed, exit));
    text
}

fn list(text: &mut String, checks: &[Check]) {
    for check in checks.iter().filter(|check| check.outcome != Outcome::Passed) {
        let _ = writeln!(text, "  {}  {}: {}", coloured(check.outcome, 9), check.name, check.says);
    }
}

fn coloured(outcome: Outcome, width: usize) -> String {
    let colour = match outcome {
        Outcome::Passed => AnsiColor::Green,
        Outcome::Undecided => AnsiColor::Yellow,
        Outcome::Failed | Outcome::Invalid => AnsiColor::Red,
    };
    let style = Style::new().fg_color(Some(colour.into()));
    format!("{style}{:width$}{style:#}", outcome.word())
}
