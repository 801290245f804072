//! Memory of a process whose heap was not counted.

use heapsoak_record::UNSCOPED;

use super::LeakingResource;
use crate::actions::action;
use crate::judgement::{Finding, Pattern};
use crate::severity::{Weight, severity};
use crate::words::{growth, list};

/// The finding that a process grows: how fast and with which requests, and not where.
pub(super) fn leaking_memory(resource: &LeakingResource) -> Finding {
    let pattern = Pattern::UnboundedGrowth;
    let from = match resource.kinds.as_slice() {
        [] => String::new(),
        kinds => format!(", with {}", list(kinds)),
    };
    let grown = growth(resource.per_1000);
    Finding {
        severity: severity(
            pattern,
            &Weight { per_1000: resource.per_1000.estimate, held: 0.0, resources: &[] },
        ),
        component: UNSCOPED.to_owned(),
        pattern,
        growth_bytes_per_1000_requests: resource.per_1000,
        at_10000_requests_bytes: 10.0 * resource.per_1000.estimate,
        action: action(pattern, "the server", &resource.kinds, &[]),
        growth_bytes_per_1000_triggering_requests: None,
        bound_bytes: None,
        summary: format!("the server's memory ({}) grows{from}", resource.name),
        evidence: vec![format!("{} grows by {grown} per 1,000 requests, seen from outside", resource.name)],
        triggered_by: resource.kinds.clone(),
        resources: vec![resource.name.clone()],
    }
}
