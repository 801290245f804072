use std::env;
use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use heapsoak_report::Bytes;
use heapsoak_verdict::Finding;
use serde_json::Value;

use super::Candidate;
use crate::exit::Exit;
use crate::failure::Failure;

/// A rate within this factor of the one it had is the same.
const SAME: f64 = 1.5;

/// What a smaller scenario showed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// The leak, at the rate it had.
    Shows {
        /// Bytes per 1,000 requests.
        measured: f64,
    },
    /// A leak at another rate.
    OtherRate {
        /// Bytes per 1,000 requests.
        measured: f64,
    },
    /// No leak there.
    Nothing {
        /// What it is instead.
        verdict: String,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Shows { measured } => write!(f, "it keeps {} per 1,000 requests", Bytes(*measured)),
            Outcome::OtherRate { measured } => {
                write!(f, "it keeps {} per 1,000 requests, another rate", Bytes(*measured))
            }
            Outcome::Nothing { verdict } => write!(f, "the component is {verdict}"),
        }
    }
}

/// Soaks a scenario by a process of its own, and looks at the component of the finding.
pub(super) fn attempt(file: &Path, candidate: &Candidate, finding: &Finding) -> Result<Outcome, Failure> {
    let internal =
        |why: String| Failure::new(Exit::Internal, format!("can't soak {}: {why}", file.display()));
    let folder = file.with_extension("run");
    let _ = std::fs::remove_dir_all(&folder);
    let program = env::current_exe().map_err(|error| internal(error.to_string()))?;
    let soak = Command::new(program)
        .args(["soak", "--json", "--quiet", "--out"])
        .args([&folder, file])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| internal(error.to_string()))?;
    let _ = std::fs::remove_dir_all(&folder);
    let Ok(report) = serde_json::from_slice::<Value>(&soak.stdout) else {
        // A kind that can't do without another one, or a server that would not start with this load.
        let said = String::from_utf8_lossy(&soak.stderr);
        let why = said.lines().next().unwrap_or("it said nothing").trim().to_owned();
        return Ok(Outcome::Nothing { verdict: format!("not soaked: {why}") });
    };
    if report["end"]["how"] == "interrupted" {
        return Err(Failure::new(Exit::Invalid, "interrupted"));
    }
    Ok(read(&report, candidate, finding))
}

fn read(report: &Value, candidate: &Candidate, finding: &Finding) -> Outcome {
    let components = report["components"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(component) = components.iter().find(|one| one["name"] == finding.component.as_str()) else {
        return Outcome::Nothing { verdict: "not in the run".to_owned() };
    };
    let run = report["verdict"].as_str().unwrap_or_default();
    if component["verdict"] != "leak" || run == "invalid" {
        let verdict = if run == "invalid" {
            "in a run that is invalid"
        } else {
            component["verdict"].as_str().unwrap_or("?")
        };
        return Outcome::Nothing { verdict: verdict.to_owned() };
    }
    let growth = &component["growth_bytes_per_1000_requests"];
    let measured = growth["estimate"].as_f64().unwrap_or(0.0);
    let is_same = (candidate.bytes_per_1000 / SAME..=candidate.bytes_per_1000 * SAME).contains(&measured);
    if is_same { Outcome::Shows { measured } } else { Outcome::OtherRate { measured } }
}

#[cfg(test)]
mod tests {
    use heapsoak_verdict::{Growth, Pattern, Severity};
    use serde_json::json;

    use super::*;

    fn finding() -> Finding {
        Finding {
            severity: Severity::High,
            component: "session".to_owned(),
            pattern: Pattern::CleanupGap,
            growth_bytes_per_1000_requests: Growth::default(),
            at_10000_requests_bytes: 0.0,
            triggered_by: Vec::new(),
            growth_bytes_per_1000_triggering_requests: None,
            resources: Vec::new(),
            bound_bytes: None,
            summary: String::new(),
            evidence: Vec::new(),
            action: String::new(),
        }
    }

    fn outcome(verdict: &str, bytes: f64) -> Outcome {
        let component = json!({ "name": "session", "verdict": verdict, "growth_bytes_per_1000_requests": { "estimate": bytes } });
        let report = json!({ "verdict": "leak", "components": [component] });
        let candidate =
            Candidate { kinds: Vec::new(), weights: Vec::new(), bytes_per_1000: 1_000.0, requests: 1 };
        read(&report, &candidate, &finding())
    }

    #[test]
    fn only_a_leak_at_the_rate_it_had_will_do() {
        assert_eq!(outcome("leak", 1_200.0), Outcome::Shows { measured: 1_200.0 });
        assert_eq!(outcome("leak", 400.0), Outcome::OtherRate { measured: 400.0 });
        assert_eq!(outcome("leak", 2_000.0), Outcome::OtherRate { measured: 2_000.0 });
        assert!(matches!(outcome("bounded", 1_000.0), Outcome::Nothing { .. }));
    }
}
