use std::path::{Path, PathBuf};

use heapsoak_verdict::{ClaimJudgement, Pattern, Requests, RunVerdict, Severity};

use crate::{Forecast, Run, phrases};

/// One scenario of a run of several, as its index page and its terminal table show it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioSummary {
    /// Name of the scenario.
    pub name: String,
    /// What it exercises.
    pub description: String,
    /// Name of the server under test.
    pub target: String,
    /// Its verdict.
    pub verdict: RunVerdict,
    /// The answer in one or two sentences.
    pub headline: String,
    /// What of its `expect` was not met, a sentence each; none when it expects nothing.
    pub unmet: Option<Vec<String>>,
    /// Folder of its report, relative to the index page.
    pub folder: PathBuf,
    /// Requests by their answers.
    pub requests: Requests,
    /// What was found, worst first.
    pub findings: Vec<FindingSummary>,
    /// What it will have kept after 10,000 requests.
    pub combined_impact_at_10000_requests_bytes: f64,
    /// Seconds until the memory limit is reached; none when nothing leaks.
    pub out_of_memory_seconds: Option<f64>,
    /// What was claimed, beside what was measured.
    pub claims: Vec<ClaimJudgement>,
}

/// One finding of a [`ScenarioSummary`].
#[derive(Debug, Clone, PartialEq)]
pub struct FindingSummary {
    /// How bad it is.
    pub severity: Severity,
    /// Component it is in.
    pub component: String,
    /// Its shape.
    pub pattern: Pattern,
    /// Request kinds that trigger it.
    pub triggered_by: Vec<String>,
    /// What it will have kept after 10,000 requests.
    pub at_10000_requests_bytes: f64,
    /// One sentence that says what was found.
    pub summary: String,
}

impl ScenarioSummary {
    /// Sums up a run whose report is in `folder` (relative to the index page). `unmet` is what the scenario
    /// expected in vain, `None` when it expects nothing.
    #[must_use]
    pub fn of(run: &Run<'_>, folder: &Path, unmet: Option<Vec<String>>) -> ScenarioSummary {
        let Run { recording, judgement, .. } = *run;
        ScenarioSummary {
            name: recording.header.scenario.clone(),
            description: recording.header.description.clone(),
            target: recording.header.target.name.clone(),
            verdict: judgement.verdict,
            headline: phrases::headline(run),
            unmet,
            folder: folder.to_owned(),
            requests: judgement.requests,
            findings: judgement
                .findings
                .iter()
                .map(|finding| FindingSummary {
                    severity: finding.severity,
                    component: finding.component.clone(),
                    pattern: finding.pattern,
                    triggered_by: finding.triggered_by.clone(),
                    at_10000_requests_bytes: finding.at_10000_requests_bytes,
                    summary: finding.summary.clone(),
                })
                .collect(),
            combined_impact_at_10000_requests_bytes: judgement.combined_impact_at_10000_requests_bytes,
            out_of_memory_seconds: Forecast::of(run).seconds,
            claims: judgement.claims.clone(),
        }
    }

    /// Whether everything expected came true: `met`, `not met`, or `–` when nothing was expected.
    #[must_use]
    pub(crate) fn expectation(&self) -> &'static str {
        match self.unmet.as_deref() {
            None => "–",
            Some([]) => "met",
            Some(_) => "not met",
        }
    }
}

/// The verdict over several scenarios: a leak found is a fact whatever else went wrong; after it come runs that
/// prove nothing, then those that were too short.
pub(crate) fn worst(scenarios: &[ScenarioSummary]) -> RunVerdict {
    let rank = |verdict: RunVerdict| match verdict {
        RunVerdict::Clean => 0,
        RunVerdict::Inconclusive => 1,
        RunVerdict::Invalid => 2,
        RunVerdict::Leak => 3,
    };
    scenarios
        .iter()
        .map(|scenario| scenario.verdict)
        .max_by_key(|verdict| rank(*verdict))
        .unwrap_or(RunVerdict::Invalid)
}
