//! Second evidence: the level of a unit at the quiet points.
//!
//! Growth is judged on the scale of log(requests). A container that doubles stands still between two steps for as
//! many requests as it took to the first of them; so only a level that held for longer than that has held.

use crate::judgement::Growth;
use crate::policy::Policy;
use crate::statistics::{mann_kendall, theil_sen};
use crate::timeline::Timeline;
use crate::unit::Unit;

/// Rises below this share of the whole rise are not steps.
const STEP: f64 = 0.05;

/// A rise of the troughs that chance brings about more often than this is none.
const NO_TREND: f64 = 0.05;

/// A later peak may lie above that of the first half by this factor, counted from the start.
const SAME_HEIGHT: f64 = 2.0;

/// A container of few ever-larger blocks: its bytes grow by this factor more than its blocks do.
const LARGER_BLOCKS: f64 = 1.5;

/// The level of a unit over the run.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    /// Bytes at the first quiet point.
    pub(crate) start: f64,
    /// Bytes at the last one.
    pub(crate) end: f64,
    /// The most at any.
    pub(crate) peak: f64,
    /// Bytes by which the peak lies above the start.
    pub(crate) rise: f64,
    /// Requests after which the peak was all but reached.
    pub(crate) reached: f64,
    /// Requests of the run.
    pub(crate) requests: f64,
    /// Whether its growth belongs to few ever-larger blocks.
    pub(crate) larger_blocks: bool,
    /// Whether it ended at or below what it had held in the first half of the run, having risen little beyond that.
    pub(crate) fell_back: bool,
    /// Slope of the troughs since then, in bytes per 1,000 requests of the run; zero where there are too few.
    pub(crate) since: Growth,
    /// Slope of the troughs in bytes per 1,000 requests of the run, with the chance of such a rise without a trend.
    pub(crate) troughs: Option<(Growth, f64)>,
}

impl Level {
    /// Whether the unit grew at all.
    pub(crate) fn grew(&self, policy: &Policy) -> bool {
        self.rise > policy.least_rise
    }

    /// Whether it goes up and down: it fell back, and its troughs show no rise. A record high late in the run is then
    /// chance (the highest of so many), not growth.
    pub(crate) fn fluctuates(&self) -> bool {
        self.fell_back && self.troughs.is_some_and(|(_, chance)| chance > NO_TREND)
    }

    /// Whether the level has held for longer than a doubling container would have stood still.
    pub(crate) fn held(&self) -> bool {
        self.requests > 2.0 * self.reached
    }
}

/// Measures the level of a unit.
pub(crate) fn level(timeline: &Timeline<'_>, unit: &Unit, warm_up: usize) -> Level {
    let quiet: Vec<usize> = (0..unit.states.len()).filter(|&index| timeline.instants[index].quiet).collect();
    let bytes = |index: usize| unit.states[index].live.bytes;
    let start = quiet.first().map_or(0.0, |&index| bytes(index));
    let end = quiet.last().map_or(0.0, |&index| bytes(index));
    let peak = quiet.iter().map(|&index| bytes(index)).fold(0.0, f64::max);
    let rise = peak - start;
    let requests = timeline.requests();
    let levels: Vec<(f64, f64)> =
        quiet.iter().map(|&index| (timeline.instants[index].requests, bytes(index))).collect();
    let reached = quiet
        .iter()
        .find(|&&index| bytes(index) >= peak - STEP * rise)
        .map_or(requests, |&index| timeline.instants[index].requests);
    let reached_after =
        timeline.cycles.iter().filter(|cycle| timeline.instants[cycle.last].requests < reached).count();
    Level {
        since: troughs(timeline, unit, reached_after).map_or(Growth::default(), |(slope, _)| slope),
        start,
        end,
        peak,
        rise,
        reached,
        requests,
        larger_blocks: larger_blocks(unit, &quiet),
        fell_back: fell_back(&levels, requests),
        troughs: troughs(timeline, unit, warm_up),
    }
}

/// Whether a level, as pairs of requests and bytes, ended at or below its peak of the first half of so many requests,
/// having risen little beyond that.
fn fell_back(levels: &[(f64, f64)], requests: f64) -> bool {
    let peak =
        |levels: &mut dyn Iterator<Item = &(f64, f64)>| levels.map(|level| level.1).fold(0.0, f64::max);
    let early = peak(&mut levels.iter().filter(|(sent, _)| 2.0 * sent <= requests));
    let (Some((_, start)), Some((_, end))) = (levels.first(), levels.last()) else { return false };
    *end <= early && peak(&mut levels.iter()) - start <= SAME_HEIGHT * (early - start)
}

fn larger_blocks(unit: &Unit, quiet: &[usize]) -> bool {
    let (Some(&middle), Some(&last)) = (quiet.get(quiet.len() / 3), quiet.last()) else { return false };
    let (then, now) = (unit.states[middle].live, unit.states[last].live);
    now.bytes * then.blocks > LARGER_BLOCKS * now.blocks * then.bytes
}

/// Trend of the troughs: right after an advance of the clock where there are enough of them, else at the end of each
/// cycle.
fn troughs(timeline: &Timeline<'_>, unit: &Unit, warm_up: usize) -> Option<(Growth, f64)> {
    let past = timeline.cycles.get(warm_up..)?;
    let advanced: Vec<usize> = past.iter().filter(|cycle| cycle.advanced).map(|cycle| cycle.last).collect();
    let troughs = if advanced.len() >= 5 { advanced } else { past.iter().map(|cycle| cycle.last).collect() };
    let x: Vec<f64> = troughs.iter().map(|&index| timeline.instants[index].requests).collect();
    let y: Vec<f64> = troughs.iter().map(|&index| unit.states[index].live.bytes).collect();
    theil_sen(&x, &y).map(|slope| (slope.scaled(1000.0), mann_kendall(&y).p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_falls_back_when_it_ends_no_higher_than_early_on_and_rose_little_beyond() {
        let run = |levels: [f64; 5]| {
            let at: Vec<(f64, f64)> =
                levels.into_iter().zip(0..).map(|(bytes, at)| (100.0 * f64::from(at), bytes)).collect();
            fell_back(&at, 400.0)
        };
        // The half of the requests is the third point.
        assert!(run([10.0, 30.0, 40.0, 70.0, 40.0]));
        assert!(!run([10.0, 30.0, 40.0, 71.0, 40.0]), "a rise of 61 is more than twice the early one of 30");
        assert!(!run([10.0, 30.0, 40.0, 50.0, 41.0]), "it ended higher");
        assert!(!run([10.0, 30.0, 20.0, 40.0, 35.0]), "the peak of the second half is not early");
        assert!(!fell_back(&[], 0.0));
    }
}
