//! Allocation out of proportion.

use super::labelled;
use crate::actions::action;
use crate::churn::Churn;
use crate::components::Component;
use crate::evidence::Judged;
use crate::judgement::{Finding, Growth, Pattern};
use crate::severity::of_churn;
use crate::words::{bytes, count};

/// Allocation out of proportion, one finding for all kinds of a component.
pub(super) fn churn(component: &Component) -> Option<Finding> {
    let churning: Vec<(&Judged, &Churn)> = component
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
        severity: of_churn(worst),
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
