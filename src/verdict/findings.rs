//! From judged components and resources to findings: one per cause, worst first.

use heapsoak_record::UNSCOPED;

use crate::actions::action;
use crate::components::Component;
use crate::evidence::{Judged, sum};
use crate::explain::explain;
use crate::judgement::{Finding, Growth, Pattern};
use crate::policy::Policy;
use crate::severity::{Weight, severity};
use crate::timeline::Timeline;
use crate::words::{bytes, count, duration, growth, list};

/// Kinds of one component that keep more than this many times as much per request as others have another cause.
const ANOTHER_CAUSE: f64 = 4.0;

/// A leaking resource with the kinds that trigger it.
#[derive(Debug, Clone)]
pub(crate) struct LeakingResource {
    pub(crate) name: String,
    pub(crate) kinds: Vec<String>,
    pub(crate) per_1000: Growth,
}

/// All findings of a run, worst first.
pub(crate) fn findings(
    timeline: &Timeline<'_>,
    components: &[Component],
    resources: &[LeakingResource],
    policy: &Policy,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut merged = Vec::new();
    // Named components first: what the same requests leave outside any component goes with their finding.
    let (unscoped, named): (Vec<_>, Vec<_>) =
        components.iter().partition(|component| component.name == UNSCOPED);
    for component in named.into_iter().chain(unscoped) {
        leaks(timeline, component, resources, &mut merged, &mut findings);
        findings.extend(held_by_time(timeline, component, &findings, policy));
        findings.extend(churn(component));
    }
    findings.extend(resources_alone(components, resources, &merged));
    findings.sort_by(|a: &Finding, b: &Finding| {
        b.severity
            .cmp(&a.severity)
            .then(b.at_10000_requests_bytes.total_cmp(&a.at_10000_requests_bytes))
            .then_with(|| a.component.cmp(&b.component))
    });
    findings
}

fn leaks(
    timeline: &Timeline<'_>,
    component: &Component,
    resources: &[LeakingResource],
    merged: &mut Vec<String>,
    findings: &mut Vec<Finding>,
) {
    for cause in causes(component, resources) {
        let kinds: Vec<String> = cause.iter().filter_map(|part| part.kind()).map(str::to_owned).collect();
        if component.name == UNSCOPED && fold_into(&kinds, &cause, findings) {
            continue;
        }
        let along: Vec<&LeakingResource> =
            resources.iter().filter(|resource| shares(&resource.kinds, &kinds)).collect();
        merged.extend(along.iter().map(|resource| resource.name.clone()));
        findings.push(leak(timeline, component, &cause, kinds, &along));
    }
    if component.whole.leaks() && component.leaking().next().is_none() {
        findings.push(leak(timeline, component, &[&component.whole], Vec::new(), &[]));
    }
}

/// The leaking parts of a component by cause: the background, the kinds that hold resources, and the other kinds
/// wherever the bytes they keep per request differ much.
fn causes<'c>(component: &'c Component, resources: &[LeakingResource]) -> Vec<Vec<&'c Judged>> {
    let holds = |part: &&Judged| {
        resources
            .iter()
            .any(|resource| part.kind().is_some_and(|kind| resource.kinds.iter().any(|other| other == kind)))
    };
    let (background, by_kind): (Vec<_>, Vec<_>) = component.leaking().partition(|part| part.kind().is_none());
    let (holding, mut others): (Vec<_>, Vec<_>) = by_kind.into_iter().partition(holds);
    others.sort_by(|a, b| a.growth.estimate.total_cmp(&b.growth.estimate));
    let mut causes: Vec<Vec<&Judged>> = others
        .chunk_by(|a, b| b.growth.estimate <= ANOTHER_CAUSE * a.growth.estimate)
        .map(<[&Judged]>::to_vec)
        .collect();
    causes.extend([holding, background].into_iter().filter(|cause| !cause.is_empty()));
    causes
}

fn shares(a: &[String], b: &[String]) -> bool {
    a.iter().any(|kind| b.contains(kind))
}

/// What a kind leaves outside any component is told with the finding it already triggers.
fn fold_into(kinds: &[String], cause: &[&Judged], findings: &mut [Finding]) -> bool {
    let found = findings.iter_mut().find(|finding| {
        finding.growth_bytes_per_1000_requests.estimate > 0.0
            && !kinds.is_empty()
            && kinds.iter().all(|kind| finding.triggered_by.contains(kind))
    });
    let Some(finding) = found else { return false };
    let more: Vec<Growth> = cause.iter().map(|part| part.growth_per_1000()).collect();
    finding.evidence.push(format!(
        "the same requests keep {} per 1,000 requests outside any component",
        growth(sum(&more))
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
    let mut evidence: Vec<String> = Vec::new();
    for part in cause {
        let on = part.kind().map_or_else(String::new, |kind| format!("{kind}: "));
        evidence.extend(explain(timeline, part).into_iter().map(|sentence| format!("{on}{sentence}")));
    }
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

/// A minority of the component's kinds leaks, and their requests end in errors as expected.
fn is_cleanup_gap(timeline: &Timeline<'_>, component: &Component, cause: &[&Judged]) -> bool {
    let with_requests = component.parts.iter().filter(|part| part.unit.kind.is_some()).count();
    let Some(snapshot) = timeline.snapshots.get(timeline.verdict_instant()) else { return false };
    cause.len() * 2 < with_requests
        && cause.iter().all(|part| {
            part.unit
                .kind
                .and_then(|kind| snapshot.kinds.get(kind))
                .is_some_and(|count| count.expected_errors * 2 > count.sent)
        })
}

/// Memory that waits for time to free it, where it is much.
fn held_by_time(
    timeline: &Timeline<'_>,
    component: &Component,
    known: &[Finding],
    policy: &Policy,
) -> Option<Finding> {
    let waiting: Vec<&Judged> = component
        .parts
        .iter()
        .filter(|part| {
            part.evidence.time.is_some_and(|time| time.per_request >= policy.least_time_held_per_request)
        })
        .collect();
    let whole = component.whole.evidence.time;
    let much = whole.is_some_and(|time| time.peak >= policy.least_time_held);
    let waiting = if waiting.is_empty() && much {
        component.parts.iter().filter(|part| part.evidence.time.is_some()).collect()
    } else {
        waiting
    };
    let peak: f64 = waiting.iter().filter_map(|part| part.evidence.time).map(|time| time.peak).sum();
    let kinds: Vec<String> = waiting.iter().filter_map(|part| part.kind()).map(str::to_owned).collect();
    let told = known
        .iter()
        .any(|finding| finding.pattern == Pattern::TimeDriven && shares(&finding.triggered_by, &kinds));
    let longest =
        waiting.iter().filter_map(|part| part.evidence.time).map(|time| time.lifetime_ms).fold(0.0, f64::max);
    if waiting.is_empty() || (component.name == UNSCOPED && told) {
        return None;
    }
    let each =
        waiting.iter().filter_map(|part| part.evidence.time).map(|time| time.per_request).fold(0.0, f64::max);
    Some(Finding {
        severity: severity(Pattern::TimeDriven, &Weight { per_1000: 0.0, held: peak, resources: &[] }),
        component: component.name.clone(),
        pattern: Pattern::TimeDriven,
        growth_bytes_per_1000_requests: Growth::default(),
        at_10000_requests_bytes: 0.0,
        action: action(Pattern::TimeDriven, &component.name, &kinds, &[]),
        growth_bytes_per_1000_triggering_requests: None,
        resources: Vec::new(),
        bound_bytes: Some(peak as u64),
        summary: format!(
            "{} holds up to {} a request for {} and then frees it; {} at most in this run",
            component.name,
            bytes(each),
            duration(longest),
            bytes(peak),
        ),
        evidence: waiting
            .iter()
            .flat_map(|part| explain(timeline, part).into_iter().map(|sentence| labelled(part, &sentence)))
            .collect(),
        triggered_by: kinds,
    })
}

fn labelled(part: &Judged, sentence: &str) -> String {
    part.kind().map_or_else(|| sentence.to_owned(), |kind| format!("{kind}: {sentence}"))
}

/// Allocation out of proportion, one finding for all kinds of a component.
fn churn(component: &Component) -> Option<Finding> {
    let churning: Vec<(&Judged, &crate::churn::Churn)> = component
        .parts
        .iter()
        .filter_map(|part| part.evidence.churn.as_ref().map(|churn| (part, churn)))
        // What is kept is growth, not churn.
        .filter(|(part, churn)| churn.grows || !part.leaks() || part.growth.estimate < 0.01 * churn.late)
        .collect();
    let (_, worst) = churning.iter().max_by(|a, b| a.1.late.total_cmp(&b.1.late))?;
    let kinds: Vec<String> = churning.iter().filter_map(|(part, _)| part.kind()).map(str::to_owned).collect();
    let mut evidence = Vec::new();
    for (part, churn) in &churning {
        let way = if churn.grows { "grew" } else { "went" };
        let from_to = format!("{way} from {} to {} a request", bytes(churn.early), bytes(churn.late));
        evidence.push(labelled(part, &format!("allocation {from_to} through the run")));
        if let Some((gauge, first, last)) = &churn.gauge {
            let (first, last) = (count(*first as f64), count(*last as f64));
            evidence
                .push(labelled(part, &format!("the gauge {gauge} grew alongside, from {first} to {last}")));
        }
    }
    let grows = churning.iter().any(|(_, churn)| churn.grows);
    let summary = if grows {
        let growing =
            churning.iter().filter(|(_, churn)| churn.grows).max_by(|a, b| a.1.late.total_cmp(&b.1.late));
        let churn = growing.map_or(*worst, |(_, churn)| *churn);
        let (early, late) = (bytes(churn.early), bytes(churn.late));
        format!(
            "{} allocates more and more per request: {early} early in the run, {late} at its end",
            component.name
        )
    } else {
        format!("{} allocates {} per request", component.name, bytes(worst.late))
    };
    Some(Finding {
        severity: crate::severity::of_churn(worst),
        component: component.name.clone(),
        pattern: Pattern::Churn,
        growth_bytes_per_1000_requests: Growth::default(),
        at_10000_requests_bytes: 0.0,
        action: action(Pattern::Churn, &component.name, &kinds, &[]),
        triggered_by: kinds,
        growth_bytes_per_1000_triggering_requests: None,
        resources: Vec::new(),
        bound_bytes: None,
        summary,
        evidence,
    })
}

/// Resources that leak without heap growth of the same kinds, those of the same kinds together.
fn resources_alone(
    components: &[Component],
    resources: &[LeakingResource],
    merged: &[String],
) -> Vec<Finding> {
    let mut groups: Vec<Vec<&LeakingResource>> = Vec::new();
    for resource in resources.iter().filter(|resource| !merged.contains(&resource.name)) {
        match groups.iter_mut().find(|group| group[0].kinds == resource.kinds) {
            Some(group) => group.push(resource),
            None => groups.push(vec![resource]),
        }
    }
    groups
        .into_iter()
        .map(|group| {
            let kinds = group[0].kinds.clone();
            let prefix = kinds.first().and_then(|kind| kind.split('.').next()).unwrap_or(UNSCOPED);
            let known = components.iter().any(|component| component.name == prefix);
            let component = if known { prefix } else { UNSCOPED };
            let names: Vec<String> = group.iter().map(|resource| resource.name.clone()).collect();
            let evidence = group.iter().map(|resource| {
                let (low, high) = (count(resource.per_1000.low), count(resource.per_1000.high));
                let grown = count(resource.per_1000.estimate);
                format!("{} grows by {grown} ({low} to {high}) per 1,000 requests", resource.name)
            });
            Finding {
                severity: severity(
                    Pattern::ResourceLifecycle,
                    &Weight { per_1000: 0.0, held: 0.0, resources: &names },
                ),
                component: component.to_owned(),
                pattern: Pattern::ResourceLifecycle,
                growth_bytes_per_1000_requests: Growth::default(),
                at_10000_requests_bytes: 0.0,
                action: action(Pattern::ResourceLifecycle, component, &kinds, &names),
                growth_bytes_per_1000_triggering_requests: None,
                bound_bytes: None,
                summary: format!("{} are never released", list(&names)),
                evidence: evidence.collect(),
                triggered_by: kinds,
                resources: names,
            }
        })
        .collect()
}
