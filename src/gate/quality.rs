//! Whether the data can carry an answer at all. What is missing is said, and closes the gate.

use heapsoak_verdict::ComponentVerdict;

use crate::words::{bytes, count};
use crate::{Check, Figures, Outcome, Run};

/// Fewest cycles that are judged.
const LEAST_CYCLES: u32 = 8;

/// One check on the data, one on the positive control, and one per component that a detection limit was asked of.
pub(crate) fn checks(run: &Run<'_>, detection_limit: Option<f64>) -> Vec<Check> {
    let mut checks = vec![data(run), control(run)];
    if let Some(limit) = detection_limit {
        checks.push(sensitivity(run, limit));
    }
    checks
}

fn data(run: &Run<'_>) -> Check {
    let quality = &run.judgement.quality;
    let mut missing: Vec<String> = quality.failures.clone();
    if let Some(control) = &quality.control {
        // It has a check of its own.
        missing.retain(|failure| Some(failure) != control.missed.as_ref());
    }
    if quality.cycles < LEAST_CYCLES {
        missing.push(format!("{} cycles were recorded, {LEAST_CYCLES} are needed", quality.cycles));
    }
    if quality.not_quiet > 0 && missing.is_empty() {
        missing.push(format!(
            "{} of {} snapshots were taken before the server came to rest",
            quality.not_quiet, quality.snapshots
        ));
    }
    if !run.recording.snapshots.iter().any(|snapshot| snapshot.heap.is_some()) {
        missing.push("the heap was not counted: the target does not carry the probe".to_owned());
    }
    if missing.is_empty() {
        let says = format!(
            "{:.2} % of the requests landed as expected, {} snapshots at rest, none dropped, {} cycles",
            (10_000.0 * quality.landed).floor() / 100.0,
            quality.snapshots,
            quality.cycles
        );
        return Check::new("data", Outcome::Passed, says);
    }
    Check::new("data", Outcome::Invalid, missing.join("; "))
}

fn control(run: &Run<'_>) -> Check {
    let name = "positive control";
    let Some(control) = &run.judgement.quality.control else {
        let says = "no leak was planted: nothing shows that this run would have found one";
        return Check::new(name, Outcome::Invalid, says);
    };
    if let Some(missed) = &control.missed {
        return Check::new(name, Outcome::Invalid, missed.clone());
    }
    let planted = bytes(control.planted_bytes_per_1000_requests);
    if control.verdict != ComponentVerdict::Leak {
        let says = format!("the leak of {planted} per 1,000 requests that was planted was not found");
        return Check::new(name, Outcome::Invalid, says);
    }
    let found = bytes(control.growth_bytes_per_1000_requests.estimate);
    Check::new(
        name,
        Outcome::Passed,
        format!("{planted} per 1,000 requests were planted, {found} were found"),
    )
}

/// Whether the run saw as little in every component as was asked for.
fn sensitivity(run: &Run<'_>, limit: f64) -> Check {
    let name = "detection limit";
    let figures = Figures::of(run.judgement);
    let coarse: Vec<(&String, f64)> = figures
        .components
        .iter()
        .filter(|(_, figures)| figures.verdict != ComponentVerdict::Leak && figures.detectable > limit)
        .map(|(component, figures)| (component, figures.detectable))
        .collect();
    let Some(worst) = coarse.iter().map(|(_, detectable)| *detectable).reduce(f64::max) else {
        return Check::new(
            name,
            Outcome::Passed,
            format!("{} per 1,000 requests or less everywhere", bytes(limit)),
        );
    };
    let list: Vec<String> =
        coarse.iter().map(|(component, detectable)| format!("{component} {}", bytes(*detectable))).collect();
    let wanted = (figures.requests * (worst / limit - 1.0)).max(1.0).ceil();
    let says = format!(
        "asked for {} per 1,000 requests, this run sees no less than: {}; about {} more requests would do",
        bytes(limit),
        list.join(", "),
        count(wanted)
    );
    Check { wanted_requests: Some(wanted as u64), ..Check::new(name, Outcome::Invalid, says) }
}
