use heapsoak_verdict::{Finding, RunVerdict, Severity};

use crate::terminal::tame;
use crate::units::Bytes;
use crate::{CheckOutcome, RenderError, Rendered, Renderer, Run, Site, markdown, phrases};
use heapsoak_record::Unit;

/// The report for a step of GitHub Actions: workflow commands that become annotations (`annotations.txt`, to be
/// printed by the step) and the text of the step's summary (`summary.md`, to be added to `$GITHUB_STEP_SUMMARY`).
#[derive(Debug, Clone, Copy, Default)]
pub struct GitHub;

impl Renderer for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn render(&self, run: &Run<'_>) -> Result<Vec<Rendered>, RenderError> {
        Ok(vec![
            Rendered::new("annotations.txt", annotations(run)),
            Rendered::new("summary.md", markdown::text(run)),
        ])
    }
}

fn annotations(run: &Run<'_>) -> String {
    let scenario = &run.recording.header.scenario;
    let mut text = String::new();
    let verdict = run.judgement.verdict;
    if verdict != RunVerdict::Leak {
        let level = if verdict == RunVerdict::Clean { "notice" } else { "error" };
        let title = format!("{scenario}: {}", verdict.word());
        text.push_str(&command(level, None, &title, &phrases::headline(run)));
    }
    for (_, finding) in run.findings() {
        let title = format!("{scenario}: {}, {}", finding.component, phrases::pattern(finding.pattern));
        let site = run.sites(finding).into_iter().next();
        let message = message(finding, site.as_ref());
        text.push_str(&command(level(finding), site.as_ref(), &title, &message));
    }
    for check in run.checks.iter().filter(|check| check.outcome != CheckOutcome::Passed) {
        let title = format!("{scenario}: {} {}", check.name, check.outcome.word());
        text.push_str(&command("error", None, &title, &check.says));
    }
    text
}

fn message(finding: &Finding, site: Option<&Site>) -> String {
    let growth = finding.growth_bytes_per_1000_requests;
    let mut parts = vec![phrases::ended(&finding.summary)];
    if growth.estimate > 0.0 {
        parts.push(format!(
            "{} per 1,000 requests ({}), {} at 10,000.",
            phrases::estimate(growth, Unit::Bytes),
            phrases::interval(growth, Unit::Bytes),
            Bytes(finding.at_10000_requests_bytes)
        ));
    }
    if !finding.triggered_by.is_empty() {
        parts.push(format!("Triggered by {}.", phrases::list(&finding.triggered_by)));
    }
    parts.extend(site.map(phrases::at));
    parts.push(phrases::ended(&finding.action));
    parts.join(" ")
}

/// What grows for ever is an error, whatever its size; the rest goes by its severity.
fn level(finding: &Finding) -> &'static str {
    match finding.severity {
        _ if phrases::keeps_growing(finding) => "error",
        Severity::Critical | Severity::High | Severity::Medium => "warning",
        Severity::Low => "notice",
    }
}

/// One workflow command on its line, at the line of the source when it is known.
fn command(level: &str, site: Option<&Site>, title: &str, message: &str) -> String {
    let mut properties = String::new();
    if let Some((file, line)) = site.and_then(|site| Some((site.file.as_deref()?, site.line?))) {
        properties = format!("file={},line={line},", property(&tame(file)));
    }
    format!("::{level} {properties}title={}::{}\n", property(&tame(title)), data(&tame(message)))
}

/// A message: what would end the command is written as the runner reads it back.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property: what would end it, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_its_command_or_begin_another() {
        let line = command("error", None, "a:b,c", "100 %\n::set-output name=x::y");
        assert_eq!(line.lines().count(), 1);
        assert_eq!(line, "::error title=a%3Ab%2Cc::100 %25::set-output name=x::y\n");
    }
}
