//! Memory that time frees, and memory that time alone makes grow.

use heapsoak_record::Moment;

use crate::policy::Policy;
use crate::statistics::{median, median_absolute_deviation};
use crate::timeline::Timeline;
use crate::unit::Unit;

/// Time counts as the cause when advances of the clock free at least this share of what is held when they come.
const LEAST_FREED: f64 = 0.5;

/// What advances of the server's clock freed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct HeldByTime {
    /// Advances of the clock.
    pub(crate) advances: usize,
    /// Share of what was made since the last advance that an advance freed, over all advances.
    pub(crate) freed: f64,
    /// The most bytes that one advance freed.
    pub(crate) peak: f64,
    /// Bytes held until time frees them, per request.
    pub(crate) per_request: f64,
    /// Age on the server's clock by which it is freed, in milliseconds.
    pub(crate) lifetime_ms: f64,
}

/// Looks for memory that dies when the clock is advanced and grows in between. None when time is not what frees
/// most of it.
pub(crate) fn held_by_time(timeline: &Timeline<'_>, unit: &Unit, policy: &Policy) -> Option<HeldByTime> {
    let mut advances = 0;
    let (mut freed, mut made, mut exposure, mut peak) = (0.0, 0.0, 0.0, 0.0_f64);
    let mut ages = Vec::new();
    let mut since = 1;
    for cycle in timeline.cycles.iter().filter(|cycle| cycle.advanced) {
        let (before, after) = (&unit.states[cycle.end], &unit.states[cycle.last]);
        let now = timeline.span_of(timeline.instants[cycle.end].cycle);
        advances += 1;
        let mut freed_here = 0.0;
        for (span, held) in before.cells().filter(|&(span, _)| span >= 1) {
            let died = (held.bytes - after.held(span).bytes).max(0.0);
            freed_here += died;
            made += if span >= since { held.bytes } else { 0.0 };
            if died >= 0.5 * held.bytes && died > 0.0 {
                let born =
                    timeline.instants[timeline.spans[span].born].clock_ms - timeline.spans[span].clock_ms;
                ages.push(timeline.instants[cycle.last].clock_ms - born);
            }
        }
        exposure += (since..=now).map(|span| unit.exposure(timeline, span)).sum::<f64>();
        freed += freed_here;
        peak = peak.max(freed_here);
        since = now + 1;
    }
    if advances < 2 || made <= 0.0 || freed / made < LEAST_FREED {
        return None;
    }
    let held = HeldByTime {
        advances,
        freed: (freed / made).min(1.0),
        peak,
        per_request: if exposure > 0.0 { freed / exposure } else { 0.0 },
        lifetime_ms: median(&ages),
    };
    (peak >= policy.least_rise).then_some(held)
}

/// Whether what a unit's cohorts keep goes with the time they took rather than with their requests: its spread per
/// second is less than half of its spread per request. Then bytes kept per second of the clock named.
pub(crate) fn grows_with_time(timeline: &Timeline<'_>, unit: &Unit, judged: &[usize]) -> Option<f64> {
    let now = &unit.states[timeline.verdict_instant()];
    let kept: Vec<f64> = judged.iter().map(|&span| now.held(span).bytes).collect();
    let spread = |of: &dyn Fn(usize) -> f64| {
        let rates: Vec<f64> = judged
            .iter()
            .zip(&kept)
            .filter(|&(&span, _)| of(span) > 0.0)
            .map(|(&span, kept)| kept / of(span))
            .collect();
        let middle = median(&rates);
        (middle > 0.0).then(|| (median_absolute_deviation(&rates) / middle, middle))
    };
    let (by_request, _) = spread(&|span| timeline.spans[span].requests)?;
    let by_real = spread(&|span| timeline.spans[span].elapsed_ms);
    let by_clock = spread(&|span| timeline.spans[span].clock_ms);
    let (spread, per_ms) = [by_real, by_clock].into_iter().flatten().min_by(|a, b| a.0.total_cmp(&b.0))?;
    (spread < 0.5 * by_request).then_some(per_ms * 1000.0)
}

/// The advances of the clock in a run, in milliseconds: the greatest.
pub(crate) fn greatest_advance_ms(timeline: &Timeline<'_>) -> f64 {
    timeline
        .cycles
        .iter()
        .filter(|cycle| timeline.instants[cycle.last].moment == Moment::AfterAdvance)
        .map(|cycle| timeline.instants[cycle.last].clock_ms - timeline.instants[cycle.end].clock_ms)
        .fold(0.0, f64::max)
}
