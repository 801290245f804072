use heapsoak_verdict::{Finding, Pattern, Severity};
use serde_json::{Value, json};

use crate::{Check, CheckOutcome, RenderError, Rendered, Renderer, Run, json::whole, phrases};

/// The report as SARIF 2.1.0, for code scanning: one run per scenario, one result per finding.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sarif;

impl Renderer for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn render(&self, run: &Run<'_>) -> Result<Vec<Rendered>, RenderError> {
        self.render_all(std::slice::from_ref(run))
    }

    fn render_all(&self, runs: &[Run<'_>]) -> Result<Vec<Rendered>, RenderError> {
        let log = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": runs.iter().map(scan).collect::<Vec<_>>(),
        });
        let mut contents = serde_json::to_string_pretty(&log)?;
        contents.push('\n');
        Ok(vec![Rendered::new("report.sarif", contents)])
    }
}

/// Patterns in the order of their rules; a check of a gate is the rule after them.
const PATTERNS: [Pattern; 5] = [
    Pattern::UnboundedGrowth,
    Pattern::CleanupGap,
    Pattern::ResourceLifecycle,
    Pattern::Churn,
    Pattern::TimeDriven,
];
const CHECK: &str = "check";

fn scan(run: &Run<'_>) -> Value {
    let header = &run.recording.header;
    let results: Vec<Value> = run
        .findings()
        .map(|(_, finding)| result(run, finding))
        .chain(run.checks.iter().filter(|check| check.outcome != CheckOutcome::Passed).map(failed))
        .collect();
    let quality = &run.judgement.quality;
    let failures = quality
        .failures
        .iter()
        .map(|failure| json!({ "level": "error", "message": { "text": phrases::sentence(failure) } }));
    json!({
        "tool": { "driver": {
            "name": "heapsoak",
            "version": header.tool_version,
            "rules": rules(),
        } },
        "automationDetails": { "id": format!("heapsoak/{}/", header.scenario) },
        "invocations": [{
            "executionSuccessful": quality.failures.is_empty(),
            "commandLine": phrases::reproduce(run),
            "toolExecutionNotifications": failures.collect::<Vec<_>>(),
        }],
        "results": results,
        "properties": {
            "verdict": run.judgement.verdict.word(),
            "target": header.target.name,
            "combinedImpactAt10000RequestsBytes": whole(run.judgement.combined_impact_at_10000_requests_bytes),
        },
    })
}

fn rules() -> Vec<Value> {
    let mut rules: Vec<Value> = PATTERNS
        .into_iter()
        .map(|pattern| {
            json!({
                "id": pattern.word(),
                "shortDescription": { "text": phrases::pattern(pattern) },
                "fullDescription": { "text": phrases::pattern_explained(pattern) },
                "defaultConfiguration": { "level": "warning" },
            })
        })
        .collect();
    rules.push(json!({
        "id": CHECK,
        "shortDescription": { "text": "check of a gate" },
        "fullDescription": { "text": "A budget, a baseline or a control of the gate was not met." },
        "defaultConfiguration": { "level": "error" },
    }));
    rules
}

fn result(run: &Run<'_>, finding: &Finding) -> Value {
    let rule = PATTERNS.iter().position(|pattern| *pattern == finding.pattern);
    let mut triggers = finding.triggered_by.clone();
    triggers.sort_unstable();
    let growth = finding.growth_bytes_per_1000_requests;
    json!({
        "ruleId": finding.pattern.word(),
        "ruleIndex": rule,
        "level": level(finding),
        "message": { "text": message(finding) },
        "locations": [location(run, finding)],
        // The same finding in another run, whatever its figures and wherever its line moved.
        "partialFingerprints": {
            "heapsoak/v1": format!(
                "{}/{}/{}/{}",
                run.recording.header.scenario, finding.component, finding.pattern.word(), triggers.join("+")
            ),
        },
        "properties": {
            "severity": finding.severity.word(),
            "component": finding.component,
            "triggeredBy": finding.triggered_by,
            "growthBytesPer1000Requests": {
                "estimate": number(growth.estimate), "low": number(growth.low), "high": number(growth.high),
            },
            "at10000RequestsBytes": whole(finding.at_10000_requests_bytes),
        },
    })
}

/// Where a finding is: at the line that allocates when it is known, in its component in any case.
fn location(run: &Run<'_>, finding: &Finding) -> Value {
    let mut location = json!({ "logicalLocations": [{ "name": finding.component, "kind": "module" }] });
    let site = run.sites(finding).into_iter().next();
    if let Some((file, line)) = site.and_then(|site| Some((site.file?, site.line?))) {
        location["physicalLocation"] = json!({
            "artifactLocation": { "uri": uri(&file) },
            "region": { "startLine": line.max(1) },
        });
    }
    location
}

/// A file as a URI: relative to the root of the source when it is in it.
fn uri(file: &str) -> String {
    let mut uri = if file.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in file.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_./~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

fn message(finding: &Finding) -> String {
    let mut text = phrases::ended(&finding.summary);
    if !finding.triggered_by.is_empty() {
        text.push_str(&format!(" Triggered by {}.", phrases::list(&finding.triggered_by)));
    }
    text.push(' ');
    text.push_str(&phrases::ended(&finding.action));
    text
}

fn level(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

fn failed(check: &Check) -> Value {
    json!({
        "ruleId": CHECK,
        "ruleIndex": PATTERNS.len(),
        "level": "error",
        "message": { "text": format!("{}: {}", check.name, phrases::ended(&check.says)) },
        "partialFingerprints": { "heapsoak/v1": format!("check/{}", check.name) },
    })
}

/// JSON knows no infinity: an unknown end of an interval is null.
fn number(value: f64) -> Value {
    serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
}
