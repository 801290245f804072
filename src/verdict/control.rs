//! The positive control: whether the leak that the probe planted on purpose is found.

use heapsoak_record::{CONTROL_COMPONENT, Event};

use crate::components::Component;
use crate::judgement::{ComponentVerdict, Control, Growth};
use crate::policy::Policy;
use crate::timeline::Timeline;
use crate::words::{bytes, count};

/// How far the growth found may be from what was planted, as a share of it, when the interval is narrower than that.
const TOLERANCE: f64 = 0.1;

/// Takes the control out of a run's components, so that nothing tells of it as a part of the server.
pub(crate) fn take(components: &mut Vec<Component>) -> Option<Component> {
    let at = components.iter().position(|component| component.name == CONTROL_COMPONENT)?;
    Some(components.remove(at))
}

/// What became of the control; none when the run asked for none.
pub(crate) fn control(
    timeline: &Timeline<'_>,
    found: Option<&Component>,
    policy: &Policy,
) -> Option<Control> {
    let mut planted_bytes = 0;
    let mut missing = None;
    let last_cycle = timeline.cycles.last().map_or(0, |cycle| timeline.instants[cycle.end].cycle);
    for event in &timeline.recording.events {
        match event {
            // What a run that was stopped planted in its last cycle is in no snapshot.
            Event::ControlPlanted { cycle, bytes, .. } if *cycle <= last_cycle => planted_bytes += bytes,
            Event::ControlMissing { why, .. } => missing = Some(why.clone()),
            _ => {}
        }
    }
    if planted_bytes == 0 && missing.is_none() {
        return None;
    }
    let requests = timeline.requests();
    let planted = if requests > 0.0 { planted_bytes as f64 / requests * 1000.0 } else { 0.0 };
    let verdict = found.map_or(ComponentVerdict::Stable, |component| component.verdict);
    let growth = found.map_or(Growth::default(), |component| component.growth);
    let missed = match missing {
        Some(why) => Some(format!("the positive control could not be planted: {why}")),
        None => missed(planted, planted_bytes, found),
    };
    Some(Control {
        planted_bytes_per_1000_requests: planted,
        growth_bytes_per_1000_requests: growth,
        verdict,
        // A run that is too short finds nothing, and says so itself.
        missed: missed.filter(|_| timeline.cycles.len() >= policy.least_cycles),
    })
}

/// Why the control counts as missed, if it does.
fn missed(planted: f64, planted_bytes: u64, found: Option<&Component>) -> Option<String> {
    let rate = bytes(planted);
    let Some(component) = found else {
        return Some(format!("the probe planted a leak of {rate} per 1,000 requests and did not count it"));
    };
    let live = component.whole.evidence.level.end;
    if live < planted_bytes as f64 {
        return Some(format!(
            "the probe planted {} bytes that are never freed, and counts {} of them",
            count(planted_bytes as f64),
            count(live)
        ));
    }
    if component.verdict != ComponentVerdict::Leak {
        return Some(format!(
            "the leak of {rate} per 1,000 requests that the probe planted was not found ({}): this run would not \
             have found another of that size",
            component.verdict.word()
        ));
    }
    let Growth { estimate, low, high } = component.growth;
    let near = (estimate - planted).abs() <= TOLERANCE * planted;
    (!near && !(low..=high).contains(&planted)).then(|| {
        format!(
            "the leak of {rate} per 1,000 requests that the probe planted was measured as {}: growth can't be trusted",
            bytes(estimate)
        )
    })
}
