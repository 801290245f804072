//! `report.json` above the folders of several scenarios.

use heapsoak_verdict::Requests;
use serde::Serialize;

use crate::json::{ClaimDocument, SCHEMA_VERSION, whole};
use crate::summary::{FindingSummary, ScenarioSummary, worst};

/// JSON Schema of the `report.json` that stands above the folders of several scenarios.
pub const INDEX_SCHEMA: &str = include_str!("schema/index.schema.json");

#[derive(Serialize)]
struct Aggregate<'a> {
    schema_version: u32,
    verdict: &'static str,
    expectations_met: bool,
    requests: Requests,
    scenarios: Vec<ScenarioDocument<'a>>,
}

#[derive(Serialize)]
struct ScenarioDocument<'a> {
    name: &'a str,
    description: &'a str,
    target: &'a str,
    verdict: &'static str,
    headline: &'a str,
    expectation_met: Option<bool>,
    unmet: &'a [String],
    path: String,
    requests: Requests,
    findings: Vec<FindingDocument<'a>>,
    combined_impact_at_10000_requests_bytes: i64,
    out_of_memory_seconds: Option<f64>,
    claims: Vec<ClaimDocument<'a>>,
}

#[derive(Serialize)]
struct FindingDocument<'a> {
    severity: &'static str,
    component: &'a str,
    pattern: &'static str,
    triggered_by: &'a [String],
    at_10000_requests_bytes: i64,
    summary: &'a str,
}

/// The summary of several scenarios as JSON.
pub(crate) fn json(scenarios: &[ScenarioSummary]) -> Result<String, serde_json::Error> {
    let aggregate = Aggregate {
        schema_version: SCHEMA_VERSION,
        verdict: worst(scenarios).word(),
        expectations_met: scenarios.iter().all(|scenario| scenario.unmet.as_ref().is_none_or(Vec::is_empty)),
        requests: total(scenarios),
        scenarios: scenarios.iter().map(ScenarioDocument::of).collect(),
    };
    let mut text = serde_json::to_string_pretty(&aggregate)?;
    text.push('\n');
    Ok(text)
}

/// Requests of all scenarios.
pub(crate) fn total(scenarios: &[ScenarioSummary]) -> Requests {
    scenarios.iter().fold(Requests::default(), |sum, scenario| Requests {
        sent: sum.sent + scenario.requests.sent,
        ok: sum.ok + scenario.requests.ok,
        expected_errors: sum.expected_errors + scenario.requests.expected_errors,
        failed: sum.failed + scenario.requests.failed,
    })
}

impl<'a> ScenarioDocument<'a> {
    fn of(scenario: &'a ScenarioSummary) -> ScenarioDocument<'a> {
        ScenarioDocument {
            name: &scenario.name,
            description: &scenario.description,
            target: &scenario.target,
            verdict: scenario.verdict.word(),
            headline: &scenario.headline,
            expectation_met: scenario.unmet.as_ref().map(Vec::is_empty),
            unmet: scenario.unmet.as_deref().unwrap_or_default(),
            path: scenario.folder.display().to_string(),
            requests: scenario.requests,
            findings: scenario.findings.iter().map(FindingDocument::of).collect(),
            combined_impact_at_10000_requests_bytes: whole(scenario.combined_impact_at_10000_requests_bytes),
            out_of_memory_seconds: scenario.out_of_memory_seconds,
            claims: scenario.claims.iter().map(ClaimDocument::of).collect(),
        }
    }
}

impl<'a> FindingDocument<'a> {
    fn of(finding: &'a FindingSummary) -> FindingDocument<'a> {
        FindingDocument {
            severity: finding.severity.word(),
            component: &finding.component,
            pattern: finding.pattern.word(),
            triggered_by: &finding.triggered_by,
            at_10000_requests_bytes: whole(finding.at_10000_requests_bytes),
            summary: &finding.summary,
        }
    }
}
