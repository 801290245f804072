//! The page above several scenarios.

use std::path::Path;

use askama::Template;
use heapsoak_verdict::RunVerdict;

use crate::charts::{self, STYLE};
use crate::html::{ClaimRow, Word};
use crate::summary::{FindingSummary, ScenarioSummary, worst};
use crate::units::{Bytes, Count, Seconds};
use crate::{RenderError, Rendered, aggregate, phrases};

#[derive(Template)]
#[template(path = "index.html")]
struct Index<'a> {
    chart_style: &'static str,
    verdict: Word,
    headline: String,
    requests: String,
    scenarios: Vec<Entry<'a>>,
    chart: &'a str,
}

struct Entry<'a> {
    name: &'a str,
    link: String,
    description: &'a str,
    target: &'a str,
    verdict: &'static str,
    tone: &'static str,
    expectation: &'static str,
    expectation_tone: &'static str,
    headline: &'a str,
    unmet: &'a [String],
    requests: String,
    impact: String,
    lasts: String,
    severities: String,
    findings: Vec<Row<'a>>,
    claims: Vec<ClaimRow<'a>>,
}

struct Row<'a> {
    severity: &'static str,
    component: &'a str,
    pattern: &'static str,
    impact: String,
    triggered_by: String,
    summary: &'a str,
}

/// The files above the folders of several scenarios.
pub(crate) fn render(scenarios: &[ScenarioSummary]) -> Result<Vec<Rendered>, RenderError> {
    let chart = charts::impact(scenarios)?;
    let page = Index {
        chart_style: STYLE,
        verdict: worst(scenarios).into(),
        headline: headline(scenarios),
        requests: Count(aggregate::total(scenarios).sent as f64).to_string(),
        scenarios: scenarios.iter().map(Entry::of).collect(),
        chart: &chart.svg,
    };
    let html = Rendered::new("report.html", page.render()?);
    let json = Rendered::new("report.json", aggregate::json(scenarios)?);
    Ok(vec![chart.file(), json, html])
}

/// How many scenarios ended how, and whether that was expected.
fn headline(scenarios: &[ScenarioSummary]) -> String {
    let named = |verdict: RunVerdict| {
        let names: Vec<&str> =
            scenarios.iter().filter(|s| s.verdict == verdict).map(|s| s.name.as_str()).collect();
        match names.len() {
            0 => None,
            1..=3 => Some(phrases::list(&names)),
            many => Some(format!("{many} of {} scenarios", scenarios.len())),
        }
    };
    let sentences = [
        named(RunVerdict::Leak).map(|names| format!("Leaks were found in {names}.")),
        named(RunVerdict::Invalid).map(|names| format!("No verdict can be given on {names}.")),
        named(RunVerdict::Inconclusive).map(|names| format!("Undecided: {names}.")),
        named(RunVerdict::Clean).map(|names| format!("No leak was found in {names}.")),
    ];
    let expecting = scenarios.iter().filter(|scenario| scenario.unmet.is_some()).count();
    let failed: Vec<&str> = scenarios
        .iter()
        .filter(|scenario| scenario.unmet.as_ref().is_some_and(|unmet| !unmet.is_empty()))
        .map(|scenario| scenario.name.as_str())
        .collect();
    let expected = match (expecting, failed.as_slice()) {
        (0, _) => None,
        (_, []) => Some("Every expectation was met.".to_owned()),
        (_, names) => Some(format!("Not as expected: {}.", phrases::list(names))),
    };
    sentences.into_iter().flatten().chain(expected).collect::<Vec<_>>().join(" ")
}

impl<'a> Entry<'a> {
    fn of(scenario: &'a ScenarioSummary) -> Entry<'a> {
        let Word { word, tone } = scenario.verdict.into();
        let severities = scenario.findings.iter().map(|finding| finding.severity);
        Entry {
            name: &scenario.name,
            link: link(&scenario.folder),
            description: &scenario.description,
            target: &scenario.target,
            verdict: word,
            tone,
            expectation: scenario.expectation(),
            expectation_tone: match scenario.unmet.as_deref() {
                None => "dim",
                Some([]) => "good",
                Some(_) => "bad",
            },
            headline: &scenario.headline,
            unmet: scenario.unmet.as_deref().unwrap_or_default(),
            requests: Count(scenario.requests.sent as f64).to_string(),
            impact: Bytes(scenario.combined_impact_at_10000_requests_bytes).to_string(),
            lasts: scenario.out_of_memory_seconds.map_or_else(|| "–".to_owned(), |s| Seconds(s).to_string()),
            severities: phrases::severities(severities),
            findings: scenario.findings.iter().map(Row::of).collect(),
            claims: scenario.claims.iter().map(ClaimRow::of).collect(),
        }
    }
}

impl<'a> Row<'a> {
    fn of(finding: &'a FindingSummary) -> Row<'a> {
        Row {
            severity: finding.severity.word(),
            component: &finding.component,
            pattern: phrases::pattern(finding.pattern),
            impact: Bytes(finding.at_10000_requests_bytes).to_string(),
            triggered_by: phrases::list(&finding.triggered_by),
            summary: &finding.summary,
        }
    }
}

/// A relative link to the report in a folder, whatever the folder is called.
fn link(folder: &Path) -> String {
    let mut link = "./".to_owned();
    for byte in folder.join("report.html").to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"-_./".contains(&byte) {
            link.push(char::from(byte));
        } else {
            link.push_str(&format!("%{byte:02X}"));
        }
    }
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_always_relative_and_encoded() {
        assert_eq!(link(Path::new("claims")), "./claims/report.html");
        assert_eq!(link(Path::new("javascript:x y")), "./javascript%3Ax%20y/report.html");
    }
}
