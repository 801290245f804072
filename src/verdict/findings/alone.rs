//! Resources that leak on their own.

use std::collections::BTreeMap;

use heapsoak_record::UNSCOPED;

use super::{LeakingResource, Merged};
use crate::actions::action;
use crate::components::Component;
use crate::judgement::{Finding, Growth, Pattern};
use crate::severity::{Weight, severity};
use crate::words::{count, list};

/// Resources that leak without heap growth of the same kinds, one finding for each component.
pub(super) fn resources_alone(
    components: &[Component],
    resources: &[LeakingResource],
    merged: &[Merged],
) -> Vec<Finding> {
    let mut groups: BTreeMap<&str, (Vec<&LeakingResource>, Vec<String>)> = BTreeMap::new();
    for resource in resources {
        let told = |kind: &String| merged.contains(&(resource.name.clone(), kind.clone()));
        let left: Vec<&String> = resource.kinds.iter().filter(|kind| !told(kind)).collect();
        if resource.kinds.is_empty() {
            groups.entry(UNSCOPED).or_default().0.push(resource);
        }
        for kind in left {
            let (along, kinds) = groups.entry(component_of(components, kind)).or_default();
            if !along.iter().any(|other| other.name == resource.name) {
                along.push(resource);
            }
            if !kinds.contains(kind) {
                kinds.push(kind.clone());
            }
        }
    }
    groups.into_iter().map(|(component, (along, kinds))| finding(component, &along, kinds)).collect()
}

/// The component a kind is named after, where there is one of that name.
fn component_of<'c>(components: &'c [Component], kind: &str) -> &'c str {
    let prefix = kind.split('.').next().unwrap_or(kind);
    components.iter().find(|component| component.name == prefix).map_or(UNSCOPED, |component| &component.name)
}

fn finding(component: &str, along: &[&LeakingResource], kinds: Vec<String>) -> Finding {
    let names: Vec<String> = along.iter().map(|resource| resource.name.clone()).collect();
    let evidence = along.iter().map(|resource| {
        let (low, high) = (count(resource.per_1000.low), count(resource.per_1000.high));
        let grown = count(resource.per_1000.estimate);
        format!("{} grows by {grown} ({low} to {high}) per 1,000 requests", resource.name)
    });
    let weight = Weight { per_1000: 0.0, held: 0.0, resources: &names };
    Finding {
        severity: severity(Pattern::ResourceLifecycle, &weight),
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
}
