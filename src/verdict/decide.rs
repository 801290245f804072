//! The answer that the evidence about a unit gives.

use crate::cohorts::TURNED_OVER;
use crate::evidence::{Evidence, Ground, Judged, sum};
use crate::judgement::{ComponentVerdict, Growth};
use crate::policy::Policy;
use crate::timeline::Timeline;
use crate::unit::Unit;

/// So many whole cohorts that died without leaving anything show a turnover, too.
const DEATHS: usize = 3;

/// So many survivors of old cohorts may be the first of a leak.
const FIRST_OF_A_LEAK: f64 = 2.0;

/// More events than so many times what it takes are not the first of a leak: something else is wrong with it.
const MANY: f64 = 4.0;

/// Which tests hold after correction for their number.
#[derive(Clone, Copy)]
pub(crate) struct Tests {
    pub(crate) survivors: bool,
    pub(crate) in_place: bool,
    pub(crate) backlog: bool,
}

/// Weighs the evidence about a unit.
pub(crate) fn decide(
    timeline: &Timeline<'_>,
    unit: Unit,
    evidence: Evidence,
    tests: Tests,
    policy: &Policy,
) -> Judged {
    let share = unit.share(timeline);
    let mut grounds = grounds(&evidence, tests, policy);
    let mut growth = grown(&evidence, &grounds);
    let material = growth.estimate * share * 1000.0 >= policy.least_growth;
    let enough = timeline.cycles.len() >= policy.least_cycles;
    let (verdict, wanted) = if enough && material && !grounds.is_empty() {
        (ComponentVerdict::Leak, None)
    } else {
        grounds.clear();
        without_leak(timeline, &evidence, share, enough, policy)
    };
    let still_dying = !evidence.rest.settled && evidence.rest.turned_over < TURNED_OVER;
    if verdict == ComponentVerdict::Bounded && (still_dying || evidence.stands_still) {
        // What counts is that the level no longer rises.
        growth = evidence.level.since.scaled(0.001 / share.max(f64::MIN_POSITIVE));
    }
    Judged { unit, evidence, verdict, grounds, growth, share, wanted }
}

/// What speaks for a leak. Survivors lead; the others tell what survivors can't.
fn grounds(evidence: &Evidence, tests: Tests, policy: &Policy) -> Vec<Ground> {
    let mut grounds = Vec::new();
    if let Some(backlog) = evidence.backlog.as_ref().filter(|_| tests.backlog)
        && backlog.grown.rate.low > evidence.rest.kept.rate.high
    {
        // What survives of the queue's old cohorts is a part of its growth.
        return vec![Ground::Backlog];
    }
    if tests.survivors
        && evidence.rest.is_steady(policy)
        && evidence.rest.kept.rate.low > 0.0
        && !evidence.stands_still
    {
        grounds.push(Ground::Survivors);
    }
    if tests.in_place && evidence.in_place.steady && evidence.in_place.grown.rate.low > 0.0 {
        grounds.push(Ground::InPlace);
    }
    if !grounds.is_empty() {
        return grounds;
    }
    if evidence.sublinear.is_some() && !evidence.stands_still {
        return vec![Ground::Sublinear];
    }
    if evidence.doubling.is_some_and(|doubling| doubling.goes_on) {
        return vec![Ground::Doubling];
    }
    Vec::new()
}

/// Growth in bytes per request of the unit, by what it was found by.
fn grown(evidence: &Evidence, grounds: &[Ground]) -> Growth {
    let none = Growth::default();
    let parts: Vec<Growth> = grounds
        .iter()
        .map(|ground| match ground {
            Ground::Survivors => evidence.rest.kept.rate,
            Ground::InPlace => evidence.in_place.grown.rate,
            Ground::Doubling => evidence.doubling.map_or(none, |doubling| doubling.grown),
            Ground::Sublinear => evidence.sublinear.map_or(none, |sublinear| sublinear.grown),
            Ground::Backlog => evidence.backlog.as_ref().map_or(none, |backlog| backlog.grown.rate),
        })
        .collect();
    if parts.is_empty() { evidence.rest.kept.rate } else { sum(&parts) }
}

/// The answer for a unit that was not found to leak, and how many more requests it wants.
fn without_leak(
    timeline: &Timeline<'_>,
    evidence: &Evidence,
    share: f64,
    enough: bool,
    policy: &Policy,
) -> (ComponentVerdict, Option<f64>) {
    let level = &evidence.level;
    if enough && let Some(wanted) = first_of_a_leak(evidence, share, policy) {
        return (ComponentVerdict::Inconclusive, Some(wanted));
    }
    if !level.grew(policy) {
        return (ComponentVerdict::Stable, None);
    }
    // A rise that would be of no account if it went on is not waited for.
    let waits = level.rise / level.requests.max(1.0) * 1000.0 >= policy.least_undecided;
    if !enough {
        let cycles = timeline.cycles.len().max(1) as f64;
        let wanted = level.requests / cycles * (policy.least_cycles as f64);
        return (ComponentVerdict::Inconclusive, Some(wanted).filter(|_| waits));
    }
    let rest = &evidence.rest;
    let turns_over =
        rest.turned_over >= TURNED_OVER || rest.died >= DEATHS || (rest.settled && rest.blocks == 0.0);
    if level.held() || level.fluctuates() || (!level.larger_blocks && (turns_over || evidence.time.is_some()))
    {
        return (ComponentVerdict::Bounded, None);
    }
    // The next doubling, were there one, comes at the latest after as many requests as the last rise came after.
    let wanted = (2.0 * level.reached - level.requests).max(0.1 * level.requests);
    (ComponentVerdict::Inconclusive, Some(wanted).filter(|_| waits))
}

/// How many more requests it takes to tell whether a few survivors are the first of a leak: they have stopped dying,
/// come from too few events to fill the groups, and younger cohorts left some as well as older ones.
fn first_of_a_leak(evidence: &Evidence, share: f64, policy: &Policy) -> Option<f64> {
    let rest = &evidence.rest;
    let requests = evidence.level.requests;
    let needed = policy.least_groups as f64 * policy.survivors_per_group;
    let few = (FIRST_OF_A_LEAK..MANY * needed).contains(&rest.events) && !rest.thins_out;
    let bytes = rest.bytes / rest.exposure.max(1.0) * share * 1000.0;
    // Of cohorts that are few, a block or two may be the last to go.
    let stay = rest.settled || (rest.stopped && rest.groups >= 2);
    let open =
        few && stay && rest.goes_on && !evidence.stands_still && bytes >= policy.least_undecided_survivors;
    // A third more than it takes on average.
    open.then(|| (requests * (1.35 * needed / rest.events - 1.0)).clamp(0.25 * requests, requests))
}
