//! From judged components and resources to findings: one per cause, worst first.

mod alone;
mod held;
mod leaking;
mod memory;
mod wasteful;

use heapsoak_record::{UNSCOPED, Unit};

use crate::components::Component;
use crate::evidence::Judged;
use crate::judgement::{Finding, Growth};
use crate::policy::Policy;
use crate::timeline::Timeline;

/// A leaking resource with the kinds that trigger it.
#[derive(Debug, Clone)]
pub(crate) struct LeakingResource {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    pub(crate) kinds: Vec<String>,
    /// The components that leak on the same kinds, and tell of it; none when the resource leaks alone.
    pub(crate) homes: Vec<String>,
    pub(crate) per_1000: Growth,
}

/// A resource and a kind whose part in it is told in a finding.
type Merged = (String, String);

/// All findings of a run, worst first.
pub(crate) fn findings(
    timeline: &Timeline<'_>,
    components: &[Component],
    resources: &[LeakingResource],
    policy: &Policy,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut merged: Vec<Merged> = Vec::new();
    // Named components first: what the same requests leave outside any component goes with their finding.
    let (unscoped, named): (Vec<_>, Vec<_>) =
        components.iter().partition(|component| component.name == UNSCOPED);
    for component in named.into_iter().chain(unscoped) {
        leaking::leaks(timeline, component, resources, &mut merged, &mut findings);
        findings.extend(held::held_by_time(timeline, component, &findings, policy));
        findings.extend(wasteful::churn(component));
    }
    let (memory, counts): (Vec<_>, Vec<_>) =
        resources.iter().cloned().partition(|resource| resource.unit == Unit::Bytes);
    findings.extend(memory.iter().map(memory::leaking_memory));
    findings.extend(alone::resources_alone(components, &counts, &merged));
    findings.sort_by(|a: &Finding, b: &Finding| {
        b.severity
            .cmp(&a.severity)
            .then(b.at_10000_requests_bytes.total_cmp(&a.at_10000_requests_bytes))
            .then_with(|| a.component.cmp(&b.component))
    });
    findings
}

/// Whether two lists of kinds have one in common.
fn shares(a: &[String], b: &[String]) -> bool {
    a.iter().any(|kind| b.contains(kind))
}

/// A sentence with the kind it is about.
fn labelled(part: &Judged, sentence: &str) -> String {
    part.kind().map_or_else(|| sentence.to_owned(), |kind| format!("{kind}: {sentence}"))
}

/// The kinds of some parts.
fn kinds_of(parts: &[&Judged]) -> Vec<String> {
    parts.iter().filter_map(|part| part.kind()).map(str::to_owned).collect()
}
