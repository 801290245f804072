//! The detection limit of a run, found by trying it: blocks that are never freed are added to what was counted, evenly
//! over the requests, until the rules call the unit a leak. (Chemists call this standard addition, and state limits of
//! their methods by spiked samples.) So the limit holds for this run, with all the memory that comes and goes in it.

use crate::cohorts::rest;
use crate::evidence::{Evidence, stands_still};
use crate::policy::Policy;
use crate::timeline::Timeline;
use crate::unit::{Held, Unit};

/// More blocks than this are not tried.
const MOST_BLOCKS: f64 = 1e7;

/// A leak leaves its blocks at random, now more and now fewer than on average: so many standard deviations are added,
/// of a Poisson number.
const MARGIN: f64 = 3.0;

/// The smallest leak, in bytes per request of the unit, that would have been called one: in blocks of `block` bytes.
/// `level` is the chance below which a test holds.
pub(crate) fn limit(
    timeline: &Timeline<'_>,
    unit: &Unit,
    evidence: &Evidence,
    policy: &Policy,
    level: f64,
) -> f64 {
    let block = usual_block(timeline, unit);
    let warm_up = evidence.rest.warm_up;
    // What is kept already is not to be counted to the leak that is tried.
    let cleaned = (!evidence.stands_still).then(|| clean(timeline, unit, &evidence.rest.judged));
    let unit = cleaned.as_ref().unwrap_or(unit);
    let exposure: f64 = (1..timeline.spans.len()).map(|span| unit.exposure(timeline, span)).sum();
    let found = |blocks: f64| is_found(timeline, unit, warm_up, policy, level, Held { bytes: block, blocks });
    let mut enough = policy.least_groups as f64 * policy.survivors_per_group;
    let mut few = 0.0;
    while enough < MOST_BLOCKS && !found(enough) {
        few = enough;
        enough *= 2.0;
    }
    while enough - few > (0.05 * enough).max(1.0) {
        let middle = ((enough + few) / 2.0).floor();
        if found(middle) {
            enough = middle;
        } else {
            few = middle;
        }
    }
    let least = (enough + MARGIN * enough.sqrt()) * block / exposure.max(1.0);
    // Where blocks are used again, a leak shows only when it moves the level by more than they seem to leak.
    if evidence.stands_still { least.max(1.5 * evidence.rest.kept.rate.estimate) } else { least }
}

/// The usual size of the unit's blocks: the mean of those alive or of all there ever were, whichever is smaller.
pub(crate) fn usual_block(timeline: &Timeline<'_>, unit: &Unit) -> f64 {
    let Some(state) = unit.states.get(timeline.verdict_instant()) else { return 16.0 };
    // Where there is no block the mean is no number, and passed over.
    let of_all = state.allocated_bytes / state.allocated_blocks;
    let usual = of_all.min(state.live.bytes / state.live.blocks);
    if usual.is_finite() { usual.max(1.0) } else { 16.0 }
}

/// Whether a unit with so many blocks more, each of `more.bytes`, is called a leak by its survivors.
fn is_found(
    timeline: &Timeline<'_>,
    unit: &Unit,
    warm_up: usize,
    policy: &Policy,
    level: f64,
    more: Held,
) -> bool {
    let spiked = spike(timeline, unit, more);
    let rest = rest(timeline, &spiked, warm_up, policy);
    rest.is_steady(policy)
        && rest.kept.rate.low > 0.0
        && rest.kept.p <= level
        && !stands_still(timeline, &spiked, &rest)
}

/// The unit without what the judged cohorts keep.
fn clean(timeline: &Timeline<'_>, unit: &Unit, judged: &[usize]) -> Unit {
    let mut cleaned = unit.clone();
    let last = &unit.states[timeline.verdict_instant()];
    for &span in judged {
        let kept = last.held(span);
        let less = Held { bytes: -kept.bytes, blocks: -kept.blocks };
        for (state, before) in cleaned.states.iter_mut().zip(&unit.states) {
            // Survivors were there all along; while their cohort was under way, not yet all of them.
            if kept.blocks > 0.0 && before.held(span).blocks >= kept.blocks {
                state.grow(span, less);
            }
        }
    }
    cleaned
}

/// The unit with blocks added that are never freed, evenly over its requests.
fn spike(timeline: &Timeline<'_>, unit: &Unit, more: Held) -> Unit {
    let exposure: f64 = (1..timeline.spans.len()).map(|span| unit.exposure(timeline, span)).sum();
    let mut spiked = unit.clone();
    let (mut exposed, mut added) = (0.0, 0.0);
    for span in 1..timeline.spans.len() {
        exposed += unit.exposure(timeline, span);
        let due = (more.blocks * exposed / exposure.max(1.0) + 0.5).floor();
        let blocks = due - added;
        added = due;
        if blocks <= 0.0 {
            continue;
        }
        let held = Held { bytes: blocks * more.bytes, blocks };
        let cycle = timeline.instants[timeline.spans[span].born].cycle;
        for (state, instant) in spiked.states.iter_mut().zip(&timeline.instants) {
            if instant.cycle >= cycle {
                state.grow(span, held);
            }
        }
    }
    spiked
}
