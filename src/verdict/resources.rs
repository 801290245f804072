//! Non-heap resources: counts of descriptors, threads, tasks and processes. Bytes (`rss`, `jemalloc.*`) depend on the
//! allocator's and the kernel's habits; they are shown, and never called a leak.

use heapsoak_record::Unit;

use crate::judgement::{ComponentVerdict, Growth};
use crate::policy::Policy;
use crate::statistics::{Trend, holm, mann_kendall, theil_sen};
use crate::timeline::Timeline;

/// With so many advances of the clock, only the quiet points behind them count.
const ENOUGH_ADVANCES: usize = 6;

/// A count that rose by less in the whole run is not looked at.
const LEAST_RISE: f64 = 3.0;

/// A resource over the run.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) unit: Unit,
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
    let mut all: Vec<Series> =
        names.into_iter().map(|(name, unit)| measure(timeline, name, unit, policy)).collect();
    let chances: Vec<f64> =
        all.iter().map(|series| if series.unit == Unit::Count { series.trend.p } else { 1.0 }).collect();
    let holds = holm(&chances, policy.alpha);
    for (series, holds) in all.iter_mut().zip(holds) {
        series.verdict = decide(timeline, series, holds, policy);
    }
    all
}

fn measure(timeline: &Timeline<'_>, name: String, unit: Unit, policy: &Policy) -> Series {
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
    let slope = theil_sen(&x, &y).unwrap_or_default();
    Series { name, unit, values, troughs, slope, trend: mann_kendall(&y), verdict: ComponentVerdict::Stable }
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
        advanced
    } else {
        past.iter().map(|cycle| cycle.last).collect()
    }
}

fn decide(timeline: &Timeline<'_>, series: &Series, holds: bool, policy: &Policy) -> ComponentVerdict {
    let y: Vec<f64> = series.troughs.iter().map(|&index| series.values[index]).collect();
    let peak = series.values.iter().copied().fold(0.0, f64::max);
    let start = series.values.first().copied().unwrap_or(0.0);
    let least = if series.unit == Unit::Count { LEAST_RISE } else { (0.05 * start).max(policy.least_rise) };
    if peak - start < least {
        return ComponentVerdict::Stable;
    }
    let rises = y.windows(2).filter(|pair| pair[1] > pair[0]).count();
    let change = |from: usize| y.last().zip(y.get(from)).map_or(0.0, |(last, first)| last - first);
    let (whole, half, third) = (change(0), change(y.len() / 2), change(y.len() - y.len().div_ceil(3)));
    let goes_on = whole >= least && third > 0.0 && half >= 0.25 * whole && series.slope.low > 0.0;
    let enough = timeline.cycles.len() >= policy.least_cycles;
    match series.unit {
        Unit::Count if goes_on && rises >= 3 && holds && enough => ComponentVerdict::Leak,
        Unit::Count if goes_on && series.trend.p < policy.alpha => ComponentVerdict::Inconclusive,
        Unit::Bytes if goes_on => ComponentVerdict::Inconclusive,
        Unit::Count | Unit::Bytes => ComponentVerdict::Bounded,
    }
}
