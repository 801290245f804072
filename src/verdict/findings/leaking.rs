//! What grows for ever.

use heapsoak_record::UNSCOPED;

use super::{LeakingResource, Merged, kinds_of, labelled, shares};
use crate::actions::action;
use crate::components::Component;
use crate::evidence::{Judged, sum};
use crate::explain::explain;
use crate::judgement::{Finding, Growth, Pattern};
use crate::severity::{Weight, severity};
use crate::timeline::Timeline;
use crate::words::{bytes, count, growth, list};

/// Kinds of one component that keep more than this many times as much per request as others have another cause.
const ANOTHER_CAUSE: f64 = 4.0;

/// Adds the findings of a component that leaks; what they tell of resources goes to `merged`.
pub(super) fn leaks(
    timeline: &Timeline<'_>,
    component: &Component,
    resources: &[LeakingResource],
    merged: &mut Vec<Merged>,
    findings: &mut Vec<Finding>,
) {
    let own: Vec<&Judged> =
        component.leaking().filter(|part| component.name != UNSCOPED || !fold_into(part, findings)).collect();
    let held: Vec<&LeakingResource> =
        resources.iter().filter(|resource| resource.homes.contains(&component.name)).collect();
    for mut cause in causes(own, &held) {
        cause.sort_by(|a, b| b.growth_per_1000().estimate.total_cmp(&a.growth_per_1000().estimate));
        let kinds = kinds_of(&cause);
        let along: Vec<&LeakingResource> =
            held.iter().copied().filter(|resource| shares(&resource.kinds, &kinds)).collect();
        for resource in &along {
            merged.extend(kinds.iter().map(|kind| (resource.name.clone(), kind.clone())));
        }
        findings.push(leak(timeline, component, &cause, kinds, &along));
    }
    if component.whole.leaks() && component.leaking().next().is_none() {
        findings.push(leak(timeline, component, &[&component.whole], Vec::new(), &[]));
    }
}

/// The leaking parts of a component by cause: the background, the kinds that hold resources, and the other kinds
/// wherever the bytes they keep per request differ much.
fn causes<'c>(leaking: Vec<&'c Judged>, resources: &[&LeakingResource]) -> Vec<Vec<&'c Judged>> {
    let holds = |part: &&Judged| {
        resources
            .iter()
            .any(|resource| part.kind().is_some_and(|kind| resource.kinds.iter().any(|other| other == kind)))
    };
    let (background, by_kind): (Vec<_>, Vec<_>) = leaking.into_iter().partition(|part| part.kind().is_none());
    let (holding, mut others): (Vec<_>, Vec<_>) = by_kind.into_iter().partition(holds);
    others.sort_by(|a, b| a.growth.estimate.total_cmp(&b.growth.estimate));
    let mut causes: Vec<Vec<&Judged>> = others
        .chunk_by(|a, b| b.growth.estimate <= ANOTHER_CAUSE * a.growth.estimate)
        .map(<[&Judged]>::to_vec)
        .collect();
    causes.extend([holding, background].into_iter().filter(|cause| !cause.is_empty()));
    causes
}

/// What a kind leaves outside any component is told with the greatest finding it triggers.
fn fold_into(part: &Judged, findings: &mut [Finding]) -> bool {
    let Some(kind) = part.kind() else { return false };
    let found = findings
        .iter_mut()
        .filter(|finding| {
            finding.growth_bytes_per_1000_requests.estimate > 0.0
                && finding.triggered_by.iter().any(|other| other == kind)
        })
        .max_by(|a, b| a.at_10000_requests_bytes.total_cmp(&b.at_10000_requests_bytes));
    let Some(finding) = found else { return false };
    finding.evidence.push(format!(
        "{kind}: the same requests keep {} per 1,000 requests of the run outside any component",
        growth(part.growth_per_1000())
    ));
    true
}

fn leak(
    timeline: &Timeline<'_>,
    component: &Component,
    cause: &[&Judged],
    kinds: Vec<String>,
    along: &[&LeakingResource],
) -> Finding {
    let growths: Vec<Growth> = cause.iter().map(|part| part.growth_per_1000()).collect();
    let total = sum(&growths);
    let share: f64 = cause.iter().map(|part| part.share).sum();
    let triggering = (!kinds.is_empty() && share > 0.0).then(|| total.scaled(1.0 / share));
    let resources: Vec<String> = along.iter().map(|resource| resource.name.clone()).collect();
    let pattern = if cause.iter().any(|part| part.evidence.per_second.is_some()) {
        Pattern::TimeDriven
    } else if !resources.is_empty() {
        Pattern::ResourceLifecycle
    } else if is_cleanup_gap(timeline, component, cause) {
        Pattern::CleanupGap
    } else {
        Pattern::UnboundedGrowth
    };
    let mut evidence: Vec<String> = cause
        .iter()
        .flat_map(|part| explain(timeline, part).into_iter().map(|sentence| labelled(part, &sentence)))
        .collect();
    for resource in along {
        let (name, grown) = (&resource.name, count(resource.per_1000.estimate));
        evidence.push(format!("{name} grows along, by {grown} per 1,000 requests"));
    }
    let summary = format!(
        "{} keeps {} per 1,000 requests{}",
        component.name,
        growth(total),
        triggering.map_or_else(String::new, |own| format!(
            ", {} per 1,000 of {}",
            bytes(own.estimate),
            list(&kinds)
        )),
    );
    Finding {
        severity: severity(pattern, &Weight { per_1000: total.estimate, held: 0.0, resources: &resources }),
        component: component.name.clone(),
        pattern,
        growth_bytes_per_1000_requests: total,
        at_10000_requests_bytes: 10.0 * total.estimate,
        action: action(pattern, &component.name, &kinds, &resources),
        triggered_by: kinds,
        growth_bytes_per_1000_triggering_requests: triggering,
        resources,
        bound_bytes: None,
        summary,
        evidence,
    }
}

/// A minority of the component's kinds leaks, and their requests end in errors as expected. A third is enough: a kind
/// may need other requests to get where it fails.
fn is_cleanup_gap(timeline: &Timeline<'_>, component: &Component, cause: &[&Judged]) -> bool {
    let with_requests = component.parts.iter().filter(|part| part.unit.kind.is_some()).count();
    let Some(snapshot) = timeline.snapshots.get(timeline.verdict_instant()) else { return false };
    cause.len() * 2 < with_requests
        && cause.iter().all(|part| {
            part.unit
                .kind
                .and_then(|kind| snapshot.kinds.get(kind))
                .is_some_and(|count| count.expected_errors * 3 >= count.sent)
        })
}
