//! What waits for time to free it.

use heapsoak_record::UNSCOPED;

use super::{kinds_of, labelled, shares};
use crate::actions::action;
use crate::components::Component;
use crate::evidence::Judged;
use crate::explain::explain;
use crate::judgement::{Finding, Growth, Pattern};
use crate::policy::Policy;
use crate::severity::{Weight, severity};
use crate::timeline::Timeline;
use crate::words::{bytes, duration};

/// Memory that waits for time to free it, where it is much.
pub(super) fn held_by_time(
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
    let kinds = kinds_of(&waiting);
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
            "{} holds up to {} a request until time frees it, after at most {}; {} at most in this run",
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
