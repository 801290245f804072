//! The smallest leak found in a recording of the mixed replay: blocks that are never freed are added to what a real run
//! counted for a component, which is what a leak would have added to the counters, and the run is judged again.

use std::path::Path;

use heapsoak_record::{Cell, Cohort, Moment, OWN_COMPONENT, Recording, UNSCOPED};
use heapsoak_verdict::{ComponentJudgement, ComponentVerdict, KindJudgement, judge};

use crate::error::AccuracyError;

/// A component path and a request kind.
type Place = (Vec<String>, Option<String>);

/// Size of a block.
const BLOCK: u64 = 64;

/// Rates tried, in bytes per request, largest first.
const RATES: [f64; 7] = [4.0, 2.0, 1.0, 0.75, 0.5, 0.25, 0.1];

/// Steps that are taken from a recording: those of the first so many requests.
const REQUESTS: u64 = 10_000;

/// The smallest rate found in each component, in bytes per request; none where even the largest was not.
pub(crate) fn smallest(path: &Path) -> Result<Vec<(String, Option<f64>)>, AccuracyError> {
    let mut recording = Recording::read(path)?;
    recording.snapshots.retain(|snapshot| snapshot.requests <= REQUESTS);
    let clean = judge(&recording);
    let components = clean
        .components
        .iter()
        .filter(|component| ![OWN_COMPONENT, UNSCOPED].contains(&component.name.as_str()));
    Ok(components
        .map(|component| {
            let place = busiest(&recording, component);
            let found = |rate: &f64| {
                let Some(place) = &place else { return false };
                let judged = judge(&spiked(&recording, place, *rate));
                let kinds = judged.component(&component.name).map(|one| one.kinds.as_slice());
                kinds.unwrap_or_default().iter().any(|kind| kind.kind == place.1 && leaks(kind))
            };
            (component.name.clone(), RATES.iter().copied().take_while(found).last())
        })
        .collect())
}

fn leaks(kind: &KindJudgement) -> bool {
    kind.verdict == ComponentVerdict::Leak
}

/// The recording as it would be with a leak in a context.
fn spiked(recording: &Recording, place: &Place, rate: f64) -> Recording {
    let mut spiked = recording.clone();
    let ends: Vec<(u32, u64)> = recording
        .snapshots
        .iter()
        .filter(|snapshot| snapshot.moment == Moment::CycleEnd)
        .map(|snapshot| (snapshot.cycle, snapshot.requests))
        .collect();
    let due = |requests: u64| (requests as f64 * rate / BLOCK as f64 + 0.5).floor() as u64;
    for snapshot in &mut spiked.snapshots {
        let cycle = snapshot.cycle;
        let Some(heap) = &mut snapshot.heap else { continue };
        let found =
            heap.contexts.iter_mut().find(|context| context.path == place.0 && context.kind == place.1);
        let Some(context) = found else { continue };
        let mut before = 0;
        for (number, requests) in ends.iter().filter(|(number, _)| *number <= cycle) {
            let blocks = due(*requests) - before;
            before = due(*requests);
            if blocks > 0 {
                context.allocated_bytes += BLOCK * blocks;
                context.allocated_blocks += blocks;
                context.survivors.push(Cell {
                    cohort: Cohort(*number),
                    live_bytes: BLOCK * blocks,
                    live_blocks: blocks,
                });
            }
        }
        heap.total_live_bytes += BLOCK * before;
        heap.total_live_blocks += before;
    }
    spiked
}

/// The context of a component that allocated the most blocks for a kind that keeps nothing by itself.
fn busiest(recording: &Recording, component: &ComponentJudgement) -> Option<Place> {
    let heap = recording.snapshots.last()?.heap.as_ref()?;
    let keeps = |of: &Option<String>| component.kinds.iter().any(|kind| kind.kind == *of && leaks(kind));
    heap.contexts
        .iter()
        .filter(|context| {
            context.component() == component.name && context.kind.is_some() && !keeps(&context.kind)
        })
        .max_by_key(|context| context.allocated_blocks)
        .map(|context| (context.path.clone(), context.kind.clone()))
}
