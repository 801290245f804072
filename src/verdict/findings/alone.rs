//! Resources that leak on their own.

use heapsoak_record::UNSCOPED;

use super::LeakingResource;
use crate::actions::action;
use crate::components::Component;
use crate::judgement::{Finding, Growth, Pattern};
use crate::severity::{Weight, severity};
use crate::words::{count, list};

/// Resources that leak without heap growth of the same kinds, those of the same kinds together.
pub(super) fn resources_alone(
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
