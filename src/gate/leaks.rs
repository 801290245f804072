//! The verdict itself: no leak, but those a scenario expects and those that are suppressed.

use heapsoak_verdict::{Finding, Pattern, RunVerdict};

use crate::{Check, Outcome, Run, Suppressions};

/// One check on the verdict, or on what the scenario expects of it.
pub(crate) fn checks(run: &Run<'_>, suppressions: &mut Suppressions) -> Vec<Check> {
    let scenario = &run.recording.header.scenario;
    let leaking: Vec<&Finding> = run.judgement.findings.iter().filter(|finding| is_leak(finding)).collect();
    // Matches are counted whether or not they decide anything, so that a suppression in use is never called stale.
    let open: Vec<&Finding> =
        leaking.iter().copied().filter(|finding| !suppressions.excuse(scenario, finding)).collect();
    if let Some(unmet) = run.unmet {
        return vec![expectation(run, unmet)];
    }
    match run.judgement.verdict {
        RunVerdict::Leak if leaking.is_empty() => {
            vec![Check::new("verdict", Outcome::Failed, run.judgement.reasons.join("; "))]
        }
        RunVerdict::Leak | RunVerdict::Clean if open.is_empty() => {
            let says = match leaking.len() {
                0 => "nothing leaks, down to the detection limits of the run".to_owned(),
                number => format!("every leak found is suppressed ({number})"),
            };
            vec![Check::new("verdict", Outcome::Passed, says)]
        }
        RunVerdict::Leak | RunVerdict::Clean => open
            .into_iter()
            .map(|finding| {
                Check::new(format!("leak in {}", finding.component), Outcome::Failed, finding.summary.clone())
            })
            .collect(),
        RunVerdict::Inconclusive => vec![undecided(run)],
        // The check on the data says why.
        RunVerdict::Invalid => Vec::new(),
    }
}

fn undecided(run: &Run<'_>) -> Check {
    let why = run.judgement.reasons.join("; ");
    match run.judgement.wanted_requests {
        Some(wanted) => Check::wanting("verdict", why, wanted as f64),
        None => Check::new("verdict", Outcome::Undecided, why),
    }
}

fn expectation(run: &Run<'_>, unmet: &[String]) -> Check {
    let name = "expectation";
    match (unmet, run.judgement.verdict) {
        ([], verdict) => {
            Check::new(name, Outcome::Passed, format!("{}, as the scenario expects", verdict.word()))
        }
        (_, RunVerdict::Inconclusive) => Check { name: name.to_owned(), ..undecided(run) },
        _ => Check::new(name, Outcome::Failed, unmet.join("; ")),
    }
}

/// Whether a finding is something that grows for ever.
fn is_leak(finding: &Finding) -> bool {
    finding.pattern != Pattern::Churn && finding.bound_bytes.is_none()
}
