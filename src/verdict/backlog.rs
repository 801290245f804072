//! A queue that grows: its oldest cohorts die, as those of every bounded queue do, and yet its level rises for as long
//! as the run goes on, since each entry waits longer than the one before. What a bounded queue can't do is rise at the
//! same rate to the end of the run.

use crate::cohorts::{Rest, TURNED_OVER};
use crate::policy::Policy;
use crate::statistics::{MeanRate, mann_kendall, mean_rate};
use crate::timeline::Timeline;
use crate::unit::Unit;

/// Each third of the run past warm-up must rise at this share of the mean rate at least.
const LEAST_THIRD: f64 = 0.6;

/// A rise of the level that chance brings about more often than this is none.
const CHANCE: f64 = 0.001;

/// The mean age of what is alive must grow by this factor from the middle of the run to its end. A queue of which each
/// entry waits longer doubles it; where only the load rises, it stays.
const OLDER: f64 = 1.5;

/// What is alive must be older than so many cycles on average: younger, it is in work rather than in a queue.
const LEAST_AGE: f64 = 2.0;

/// A level that rises to the end of the run while its cohorts die.
#[derive(Debug, Clone)]
pub(crate) struct Backlog {
    /// Bytes per request by which the level rose from cycle to cycle.
    pub(crate) grown: MeanRate,
}

/// Looks for a queue that grows. None when its cohorts do not die, or its level does not rise steadily.
pub(crate) fn backlog(timeline: &Timeline<'_>, unit: &Unit, rest: &Rest, policy: &Policy) -> Option<Backlog> {
    if rest.turned_over < TURNED_OVER {
        return None;
    }
    let past = timeline.cycles.get(rest.warm_up..)?;
    let level: Vec<f64> = past.iter().map(|cycle| unit.states[cycle.last].live.bytes).collect();
    let requests: Vec<f64> = past.iter().map(|cycle| timeline.instants[cycle.last].requests).collect();
    if !grows_older(timeline, unit) {
        return None;
    }
    if level.len() < policy.least_cycles || mann_kendall(&level).p > CHANCE {
        return None;
    }
    let steps = |values: &[f64]| -> Vec<f64> { values.windows(2).map(|pair| pair[1] - pair[0]).collect() };
    let grown = mean_rate(&steps(&level), &steps(&requests), 0.0);
    let steady = (0..3).all(|third| {
        let edge = |third: usize| third * (level.len() - 1) / 3;
        let (from, to) = (edge(third), edge(third + 1));
        let exposed = requests[to] - requests[from];
        exposed > 0.0 && (level[to] - level[from]) / exposed >= LEAST_THIRD * grown.rate.estimate
    });
    (steady && grown.rate.low > 0.0).then_some(Backlog { grown })
}

/// Whether what is alive grows older with the run, in requests and in cycles: where cycles get longer, what lives for
/// so many of them grows older in requests.
fn grows_older(timeline: &Timeline<'_>, unit: &Unit) -> bool {
    let verdict = timeline.verdict_instant();
    let half = 0.5 * timeline.requests();
    let middle = timeline.instants.iter().position(|instant| instant.requests >= half).unwrap_or(verdict);
    let requests = |at: usize| timeline.instants[at].requests;
    let cycles = |at: usize| f64::from(timeline.instants[at].cycle);
    if mean_age(timeline, unit, verdict, &cycles).is_none_or(|age| age < LEAST_AGE) {
        return false;
    }
    [&requests as &dyn Fn(usize) -> f64, &cycles].into_iter().all(|time| {
        match (mean_age(timeline, unit, middle, time), mean_age(timeline, unit, verdict, time)) {
            (Some(then), Some(now)) => now >= OLDER * then,
            _ => false,
        }
    })
}

/// Mean age of a unit's blocks; none without blocks that requests made.
fn mean_age(timeline: &Timeline<'_>, unit: &Unit, at: usize, time: &dyn Fn(usize) -> f64) -> Option<f64> {
    let (mut blocks, mut age) = (0.0, 0.0);
    for (span, held) in unit.states[at].cells().filter(|(span, _)| *span >= 1) {
        blocks += held.blocks;
        age += held.blocks * (time(at) - time(timeline.spans[span].born)).max(0.0);
    }
    (blocks > 0.0).then(|| age / blocks)
}
