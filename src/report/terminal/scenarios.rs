//! The table that ends a run of several scenarios.

use super::ink::{Ink, finish, tame};
use super::layout::{paragraph, table};
use crate::summary::{FindingSummary, ScenarioSummary};
use crate::units::{Bytes, Count, Seconds};

/// A line per scenario, then what was found and what was expected in vain.
#[must_use]
pub fn scenario_table(scenarios: &[ScenarioSummary], colour: bool) -> String {
    let rows = scenarios.iter().map(|scenario| {
        let expectation = match scenario.unmet.as_deref() {
            Some([]) => Ink::Good.on("met"),
            Some(_) => Ink::Bad.on("not met"),
            None => Ink::Quiet.on(scenario.expectation()),
        };
        vec![
            tame(&scenario.name),
            Ink::from(scenario.verdict).on(scenario.verdict.word()),
            expectation,
            Count(scenario.requests.sent as f64).to_string(),
            Bytes(scenario.combined_impact_at_10000_requests_bytes).to_string(),
            scenario
                .out_of_memory_seconds
                .map_or_else(|| "–".to_owned(), |seconds| Seconds(seconds).to_string()),
            count(&scenario.findings),
        ]
    });
    let head = ["scenario", "verdict", "expected", "requests", "at 10,000", "lasts", "findings"];
    let rows: Vec<_> = rows.collect();
    let mut text = table(&head, &rows, 3..6);
    for scenario in scenarios.iter().filter(|scenario| !scenario.findings.is_empty()) {
        text.push_str(&format!("\n{}\n", Ink::Strong.on(&tame(&scenario.name))));
        for finding in &scenario.findings {
            text.push_str(&line(finding));
        }
    }
    for scenario in scenarios {
        for unmet in scenario.unmet.iter().flatten() {
            let words = format!("{}: {}", tame(&scenario.name), tame(unmet));
            text.push_str(&format!("\n{}", paragraph(&words, "not met: ", "  ")));
        }
    }
    finish(&text, colour)
}

/// How many, and how bad the worst is.
fn count(findings: &[FindingSummary]) -> String {
    match findings.iter().map(|finding| finding.severity).max() {
        Some(worst) => Ink::from(worst).on(&format!("{}, up to {}", findings.len(), worst.word())),
        None => "none".to_owned(),
    }
}

fn line(finding: &FindingSummary) -> String {
    let severity = Ink::from(finding.severity).on(finding.severity.word());
    let words = format!("{severity} · {} · {}", tame(&finding.component), tame(&finding.summary));
    paragraph(&words, "  ", "    ")
}
