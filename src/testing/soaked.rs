use heapsoak_gate::{Check, Gated, Outcome, Rules, Run, Suppressions, gate};
use heapsoak_record::Recording;
use heapsoak_verdict::{Finding, Judgement, Pattern};

use crate::sites::Sites;
use crate::soak::Soak;

/// What a soak found.
#[derive(Debug, Clone)]
#[must_use = "nothing is checked until assert_no_leak is called"]
pub struct Soaked {
    recording: Recording,
    judgement: Judgement,
    checks: Vec<Check>,
    sites: Sites,
}

impl Soaked {
    pub(crate) fn new(soak: &Soak, recording: Recording, judgement: Judgement, sites: Sites) -> Soaked {
        let gated = check(soak, &recording, &judgement);
        let mut checks = gated.checks;
        checks.extend(soak.components.iter().filter(|name| judgement.component(name).is_none()).map(
            |name| {
                let known: Vec<&str> =
                    judgement.components.iter().map(|component| component.name.as_str()).collect();
                let says = format!("no iteration allocates in it; those that do: {}", known.join(", "));
                Check {
                    name: format!("component {name}"),
                    outcome: Outcome::Invalid,
                    says,
                    wanted_requests: None,
                }
            },
        ));
        Soaked { recording, judgement, checks, sites }
    }

    /// Fails the test unless nothing leaks and the data are good enough to say so.
    ///
    /// # Panics
    ///
    /// With the [failure](Soaked::failure).
    #[track_caller]
    pub fn assert_no_leak(&self) {
        if let Some(failure) = self.failure() {
            panic!("{failure}");
        }
    }

    /// Why a test of this soak fails: component, growth, and the line that allocates where that is known. None when it passes.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let bad: Vec<&Check> = self.checks.iter().filter(|check| check.outcome != Outcome::Passed).collect();
        let worst = bad.iter().map(|check| check.outcome).max()?;
        let (name, iterations) = (&self.recording.header.scenario, self.judgement.requests.sent);
        let what = match worst {
            Outcome::Failed => "leaks",
            Outcome::Undecided | Outcome::Passed => "is undecided",
            Outcome::Invalid => "can't be judged",
        };
        let mut text = format!("'{name}' {what} ({iterations} iterations)");
        for check in bad {
            text += &format!("\n  {}: {}", check.name, in_iterations(&check.says));
        }
        for finding in self.judgement.findings.iter().filter(|finding| is_leak(finding)) {
            text += &describe(finding, self.sites.of(finding));
        }
        Some(text)
    }

    /// The judgement, as of a server; requests are iterations.
    #[must_use]
    pub fn judgement(&self) -> &Judgement {
        &self.judgement
    }

    /// The recording, as of a server; requests are iterations.
    #[must_use]
    pub fn recording(&self) -> &Recording {
        &self.recording
    }
}

fn check(soak: &Soak, recording: &Recording, judgement: &Judgement) -> Gated {
    let rules = Rules::with_detection_limit(soak.detection_limit);
    // What a budget allows to grow is no failure by itself; the budget is.
    let allowed = |finding: &&Finding| {
        soak.budgets.component.get(&finding.component).is_some_and(|budget| budget.growth_per_1000.is_some())
    };
    let leaks = || judgement.findings.iter().filter(|finding| is_leak(finding));
    let all_allowed = leaks().next().is_some() && leaks().all(|finding| allowed(&finding));
    let run =
        Run { recording, judgement, unmet: all_allowed.then_some(&[] as &[String]), budgets: &soak.budgets };
    gate(&run, &rules, None, &mut Suppressions::none())
}

fn is_leak(finding: &Finding) -> bool {
    finding.pattern != Pattern::Churn && finding.bound_bytes.is_none()
}

fn describe(finding: &Finding, site: Option<&str>) -> String {
    let growth = finding.growth_bytes_per_1000_requests;
    let mut text = format!(
        "\n  {} grows by {:.0} bytes per 1,000 iterations (95 % interval {:.0} to {:.0})",
        finding.component, growth.estimate, growth.low, growth.high
    );
    if let Some(site) = site {
        text += &format!("\n    allocated at {site}");
    }
    for evidence in finding.evidence.iter().take(2) {
        text += &format!("\n    {}", in_iterations(evidence));
    }
    text
}

/// A soak inside a test has iterations where a server has requests.
fn in_iterations(text: &str) -> String {
    text.replace("requests of the run", "iterations").replace("requests", "iterations")
}
