//! Non-heap resources: counts of descriptors, threads, tasks and processes. Bytes (`rss`, `jemalloc.*`) depend on the
//! allocator's and the kernel's habits: where the heap itself was counted they are shown, and never called a leak. Of a
//! server without the probe nothing better is known, and one of them is judged: what a garbage collector left
//! (`heap.*`), or else the memory that is the process's alone.

use heapsoak_record::Unit;

use crate::judgement::{ComponentVerdict, Growth};
use crate::policy::Policy;
use crate::statistics::{Trend, count_interval, events_behind, holm, mann_kendall, median, theil_sen};
use crate::timeline::Timeline;

/// Names of bytes that are a heap's own, counted when its garbage is collected.
const HEAP: &str = "heap.";

/// With so many advances of the clock, only the quiet points behind them count.
const ENOUGH_ADVANCES: usize = 6;

/// A count that rose by less in the whole run is not looked at.
const LEAST_RISE: f64 = 3.0;

/// A heap after a full collection is exact but for what the engine itself compiles and learns as it warms up: around 150 KiB
/// in the first thousands of requests of a small Node server.
const LEAST_HEAP_RISE: f64 = 256.0 * 1024.0;

/// Memory of a process rises with the habits of its allocator: by less than this, and this share of where it began, it
/// says nothing.
const LEAST_MEMORY_RISE: (f64, f64) = (8.0 * 1024.0 * 1024.0, 0.15);

/// A resource over the run.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    /// Whether it is judged, or only shown.
    pub(crate) judged: bool,
    /// Value at each instant.
    pub(crate) values: Vec<f64>,
    /// Indices of the quiet points it is judged at.
    pub(crate) troughs: Vec<usize>,
    pub(crate) slope: Growth,
    pub(crate) trend: Trend,
    pub(crate) verdict: ComponentVerdict,
}

/// Judges every resource of the recording.
pub(crate) fn resources(timeline: &Timeline<'_>, policy: &Policy) -> Vec<Series> {
    let mut names: Vec<(String, Unit)> = Vec::new();
    for resource in timeline.snapshots.iter().flat_map(|snapshot| &snapshot.resources) {
        if !names.iter().any(|(name, _)| *name == resource.name) {
            names.push((resource.name.clone(), resource.unit));
        }
    }
    let memory = judged_bytes(timeline, &names);
    let mut all: Vec<Series> = names
        .into_iter()
        .map(|(name, unit)| {
            let judged = unit == Unit::Count || memory.contains(&name);
            measure(timeline, name, unit, judged, policy)
        })
        .collect();
    let chances: Vec<f64> =
        all.iter().map(|series| if series.judged { series.trend.p } else { 1.0 }).collect();
    let holds = holm(&chances, policy.alpha);
    for (series, holds) in all.iter_mut().zip(holds) {
        series.verdict = decide(timeline, series, holds, policy);
    }
    all
}

/// The bytes that stand for the heap where it was not counted.
fn judged_bytes(timeline: &Timeline<'_>, names: &[(String, Unit)]) -> Vec<String> {
    if timeline.snapshots.iter().any(|snapshot| snapshot.heap.is_some()) {
        return Vec::new();
    }
    let bytes = || names.iter().filter(|(_, unit)| *unit == Unit::Bytes).map(|(name, _)| name);
    let heaps: Vec<String> = bytes().filter(|name| name.starts_with(HEAP)).cloned().collect();
    if heaps.is_empty() {
        let known = |wanted: &str| bytes().find(|name| *name == wanted).cloned();
        known("private").or_else(|| known("rss")).into_iter().collect()
    } else {
        heaps
    }
}

/// By how much something must rise in a run before it is looked at.
pub(crate) fn least_rise(series: &Series, policy: &Policy) -> f64 {
    let start = series.values.first().copied().unwrap_or(0.0);
    match series.unit {
        Unit::Count => LEAST_RISE,
        Unit::Bytes if !series.judged => (0.05 * start).max(policy.least_rise),
        Unit::Bytes if series.name.starts_with(HEAP) => (0.02 * start).max(LEAST_HEAP_RISE),
        Unit::Bytes => (LEAST_MEMORY_RISE.1 * start).max(LEAST_MEMORY_RISE.0),
    }
}

fn measure(timeline: &Timeline<'_>, name: String, unit: Unit, judged: bool, policy: &Policy) -> Series {
    let mut last = 0.0;
    let values: Vec<f64> = timeline
        .snapshots
        .iter()
        .map(|snapshot| {
            last = snapshot.resource(&name).map_or(last, |value| value as f64);
            last
        })
        .collect();
    let troughs = troughs(timeline, &values, policy);
    let x: Vec<f64> = troughs.iter().map(|&index| timeline.instants[index].requests / 1000.0).collect();
    let y: Vec<f64> = troughs.iter().map(|&index| values[index]).collect();
    let mut slope = theil_sen(&x, &y).unwrap_or_default();
    if unit == Unit::Count && slope.estimate > 0.0 {
        slope = widen(slope, &y);
    }
    let (trend, verdict) = (mann_kendall(&y), ComponentVerdict::Stable);
    Series { name, unit, judged, values, troughs, slope, trend, verdict }
}

/// What is left behind adds up, and so does its chance: Sen's interval, which is that of values around a line, knows nothing
/// of how many events there might have been. The interval is that of their count at least.
fn widen(slope: Growth, y: &[f64]) -> Growth {
    let rises: Vec<f64> = y.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (below, above) = count_interval(events_behind(&rises));
    let Growth { estimate, low, high } = slope;
    Growth { estimate, low: low.min(below * estimate), high: high.max(above * estimate) }
}

/// Values without what only one snapshot saw: each is the median of itself and its neighbours (Tukey's running median of
/// three), the first and the last one the smaller of itself and its only neighbour. A child that is being reaped just then
/// is a zombie for a moment, and no resource.
fn steadied(values: &[f64]) -> Vec<f64> {
    (0..values.len())
        .map(|at| match (at.checked_sub(1).map(|before| values[before]), values.get(at + 1)) {
            (Some(before), Some(&after)) => median(&[before, values[at], after]),
            (Some(only), None) | (None, Some(&only)) => values[at].min(only),
            (None, None) => values[at],
        })
        .collect()
}

/// The quiet points past warm-up. Where the clock is advanced often, or frees most of what is held, only those right
/// after an advance: what waits for time is not lost.
fn troughs(timeline: &Timeline<'_>, values: &[f64], policy: &Policy) -> Vec<usize> {
    let warm_up = (timeline.cycles.len() as f64 * policy.least_warm_up).ceil() as usize;
    let past = &timeline.cycles[warm_up.min(timeline.cycles.len())..];
    let advanced: Vec<usize> = past.iter().filter(|cycle| cycle.advanced).map(|cycle| cycle.last).collect();
    let freed: f64 = past.iter().map(|cycle| (values[cycle.end] - values[cycle.last]).max(0.0)).sum();
    let risen: f64 = values.windows(2).map(|pair| (pair[1] - pair[0]).max(0.0)).sum();
    if advanced.len() >= ENOUGH_ADVANCES || (freed >= LEAST_RISE && freed >= 0.5 * risen) {
        quiet(timeline, &advanced)
    } else {
        quiet(timeline, &past.iter().map(|cycle| cycle.last).collect::<Vec<_>>())
    }
}

/// Those of the instants at which the server was at rest; all of them when it never was.
fn quiet(timeline: &Timeline<'_>, instants: &[usize]) -> Vec<usize> {
    let quiet: Vec<usize> =
        instants.iter().copied().filter(|&index| timeline.instants[index].quiet).collect();
    if quiet.is_empty() { instants.to_vec() } else { quiet }
}

fn decide(timeline: &Timeline<'_>, series: &Series, holds: bool, policy: &Policy) -> ComponentVerdict {
    let at_rest: Vec<f64> = quiet(timeline, &(0..series.values.len()).collect::<Vec<_>>())
        .into_iter()
        .map(|index| series.values[index])
        .collect();
    let peak = steadied(&at_rest).into_iter().fold(0.0, f64::max);
    let y: Vec<f64> = series.troughs.iter().map(|&index| series.values[index]).collect();
    let start = series.values.first().copied().unwrap_or(0.0);
    let least = least_rise(series, policy);
    if peak - start < least {
        return ComponentVerdict::Stable;
    }
    let rises = y.windows(2).filter(|pair| pair[1] > pair[0]).count();
    let change = |from: usize| y.last().zip(y.get(from)).map_or(0.0, |(last, first)| last - first);
    let (whole, half, third) = (change(0), change(y.len() / 2), change(y.len() - y.len().div_ceil(3)));
    let goes_on = whole >= least && third > 0.0 && half >= 0.25 * whole && series.slope.low > 0.0;
    let enough = timeline.cycles.len() >= policy.least_cycles;
    if series.judged {
        return match () {
            () if goes_on && rises >= 3 && holds && enough => ComponentVerdict::Leak,
            () if goes_on && series.trend.p < policy.alpha => ComponentVerdict::Inconclusive,
            () => ComponentVerdict::Bounded,
        };
    }
    if goes_on { ComponentVerdict::Inconclusive } else { ComponentVerdict::Bounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_value_alone_shows_is_left_out_and_what_stays_is_kept() {
        assert_eq!(steadied(&[0.0, 0.0, 8.0, 0.0, 0.0]), [0.0; 5]);
        assert_eq!(steadied(&[8.0, 0.0, 0.0, 8.0]), [0.0; 4]);
        assert_eq!(steadied(&[0.0, 8.0, 8.0, 8.0]), [0.0, 8.0, 8.0, 8.0]);
        assert_eq!(steadied(&[5.0]), [5.0]);
        assert_eq!(steadied(&[]), [0.0; 0]);
    }
}
