//! What was claimed about the server, beside what was measured.

use heapsoak_record::Claim;

use crate::components::Component;
use crate::findings::LeakingResource;
use crate::judgement::{Answer, ClaimJudgement, ComponentVerdict, Finding, Growth, Pattern};
use crate::timeline::Timeline;
use crate::words::{bytes, list};

/// A claim within this factor of the measurement is right.
const CLOSE: f64 = 2.0;

/// Sets each claim beside the measurement.
pub(crate) fn claims(
    timeline: &Timeline<'_>,
    components: &[Component],
    findings: &[Finding],
    resources: &[LeakingResource],
) -> Vec<ClaimJudgement> {
    let claims = &timeline.recording.header.claims;
    claims
        .iter()
        .map(|claim| match components.iter().find(|component| component.name == claim.component) {
            Some(component) => weigh(timeline, claim, component, findings, resources),
            None => ClaimJudgement {
                claim: claim.clone(),
                verdict: None,
                measured_bytes_per_1000_requests: None,
                bound_bytes: None,
                answer: Answer::NotMeasured,
                because: format!("no memory was charged to {} in this run", claim.component),
            },
        })
        .collect()
}

fn weigh(
    timeline: &Timeline<'_>,
    claim: &Claim,
    component: &Component,
    findings: &[Finding],
    resources: &[LeakingResource],
) -> ClaimJudgement {
    let per_request = requests_of_the_run_per_own(timeline, component);
    let measured = component.growth.scaled(per_request);
    let bounded = component.verdict == ComponentVerdict::Bounded;
    let peak = component.whole.evidence.level.peak;
    let (answer, because) = match component.verdict {
        ComponentVerdict::Leak => leaking(claim, component, measured, findings, resources),
        ComponentVerdict::Inconclusive => {
            (Answer::NotMeasured, "the run was too short to tell whether it goes on growing".to_owned())
        }
        ComponentVerdict::Bounded | ComponentVerdict::Stable => not_leaking(claim, component, findings),
    };
    ClaimJudgement {
        claim: claim.clone(),
        verdict: Some(component.verdict),
        measured_bytes_per_1000_requests: Some(measured),
        bound_bytes: bounded.then_some(peak as u64),
        answer,
        because,
    }
}

/// Requests of the run for each request to the component: those whose kind has the component's name in front, or,
/// without any, those that made it allocate.
fn requests_of_the_run_per_own(timeline: &Timeline<'_>, component: &Component) -> f64 {
    let prefix = format!("{}.", component.name);
    let kinds = &timeline.recording.header.kinds;
    let named: f64 = (0..kinds.len())
        .filter(|&kind| kinds[kind].name.starts_with(&prefix))
        .map(|kind| timeline.requests_of(Some(kind)))
        .sum();
    let touching: f64 = component
        .parts
        .iter()
        .filter_map(|part| part.unit.kind)
        .map(|kind| timeline.requests_of(Some(kind)))
        .sum();
    let own = if named > 0.0 { named } else { touching };
    if own > 0.0 { timeline.requests() / own } else { 1.0 }
}

/// The claim is about growth, and the component grows. What it keeps per triggering request does not depend on the
/// scenario's mix, so that decides; the growth per request of the component is told beside it.
fn leaking(
    claim: &Claim,
    component: &Component,
    measured: Growth,
    findings: &[Finding],
    resources: &[LeakingResource],
) -> (Answer, String) {
    let kinds: Vec<&str> = component.leaking().filter_map(|part| part.kind()).collect();
    let worst = component
        .leaking()
        .filter(|part| part.kind().is_some())
        .map(|part| 1000.0 * part.growth.estimate)
        .reduce(f64::max);
    let grown = worst.unwrap_or(measured.estimate);
    let claimed = claim.bytes_per_1000_requests as f64;
    let paths = component.parts.iter().filter(|part| part.unit.kind.is_some()).count();
    let which = if kinds.is_empty() {
        String::new()
    } else if kinds.len() < paths {
        format!(" on {} and nowhere else", list(&kinds))
    } else {
        format!(" on {}", list(&kinds))
    };
    let figures =
        format!("it keeps {} per 1,000 such requests{which}; claimed were {}", bytes(grown), bytes(claimed));
    let along: Vec<&str> = resources
        .iter()
        .filter(|resource| {
            findings.iter().any(|finding| {
                finding.component == component.name && finding.resources.contains(&resource.name)
            })
        })
        .map(|resource| resource.name.as_str())
        .collect();
    if !claim.unbounded {
        return (Answer::Understated, format!("{figures}, and an end; there is none"));
    }
    if grown > CLOSE * claimed {
        let also = if along.is_empty() { String::new() } else { format!(", and {} for ever", list(&along)) };
        (Answer::Understated, format!("{figures}{also}"))
    } else if grown * CLOSE < claimed {
        (Answer::Overstated, figures)
    } else {
        (Answer::Right, figures)
    }
}

fn not_leaking(claim: &Claim, component: &Component, findings: &[Finding]) -> (Answer, String) {
    let level = &component.whole.evidence.level;
    let of = |pattern| {
        findings.iter().find(|finding| finding.component == component.name && finding.pattern == pattern)
    };
    let mut because = match component.verdict {
        ComponentVerdict::Bounded => format!("it is bounded, at {}", bytes(level.peak)),
        _ => "nothing is retained".to_owned(),
    };
    if let Some(held) = of(Pattern::TimeDriven) {
        because = format!("{because}; {}", held.summary);
    }
    if let Some(churn) = of(Pattern::Churn) {
        because = format!("{because}; what it costs is churn: {}", churn.summary);
    }
    let claimed = claim.bytes_per_1000_requests as f64;
    if claim.unbounded {
        return (Answer::Wrong, format!("claimed to grow for ever; {because}"));
    }
    if claimed == 0.0 {
        return (Answer::Right, because);
    }
    let answer = if component.verdict == ComponentVerdict::Stable {
        Answer::Wrong
    } else if level.rise > CLOSE * claimed {
        Answer::Understated
    } else if level.rise * CLOSE < claimed {
        Answer::Overstated
    } else {
        Answer::Right
    };
    (answer, because)
}
