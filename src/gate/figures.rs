use std::collections::BTreeMap;

use heapsoak_record::Unit;
use heapsoak_verdict::{ComponentJudgement, ComponentVerdict, Judgement, Point, ResourceJudgement};

use crate::Interval;

/// What a run measured, as far as budgets and baselines go.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Requests answered.
    pub requests: f64,
    /// By component.
    pub components: BTreeMap<String, ComponentFigures>,
    /// By resource that is counted (not in bytes).
    pub resources: BTreeMap<String, ResourceFigures>,
}

/// What a component was measured to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ComponentFigures {
    /// The verdict on it.
    pub verdict: ComponentVerdict,
    /// Growth in bytes per 1,000 requests, 95 % interval.
    pub growth: Interval,
    /// Smallest growth this run would have called a leak.
    pub detectable: f64,
    /// Bytes alive at the quiet points of the run's second half, from the least to the most of what is usual.
    pub held: Interval,
    /// The most bytes alive at any quiet point.
    pub peak: f64,
    /// Bytes allocated per request of the run in a typical cycle of the second half, 95 % interval.
    pub churn: Interval,
}

/// What a resource was measured to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResourceFigures {
    /// The verdict on it.
    pub verdict: ComponentVerdict,
    /// Growth per 1,000 requests, 95 % interval.
    pub growth: Interval,
    /// Smallest growth this run would have called a leak.
    pub detectable: f64,
    /// Values at the quiet points of the run's second half, from the least to the most.
    pub held: Interval,
    /// The most at any quiet point.
    pub peak: f64,
}

impl Figures {
    /// The figures of a judged run.
    #[must_use]
    pub fn of(judgement: &Judgement) -> Figures {
        let requests = (judgement.requests.ok + judgement.requests.expected_errors) as f64;
        let components = judgement.components.iter();
        let resources = judgement.resources.iter().filter(|resource| resource.unit == Unit::Count);
        Figures {
            requests,
            components: components
                .map(|component| (component.name.clone(), component_of(component, requests)))
                .collect(),
            resources: resources.map(|resource| (resource.name.clone(), resource_of(resource))).collect(),
        }
    }
}

fn component_of(component: &ComponentJudgement, requests: f64) -> ComponentFigures {
    let settled = second_half(&component.series);
    let held = usual(settled.iter().map(|point| point.live_bytes as f64));
    let level = component.live_bytes.end as f64;
    ComponentFigures {
        verdict: component.verdict,
        growth: component.growth_bytes_per_1000_requests.into(),
        detectable: component.minimum_detectable_bytes_per_1000_requests,
        held: held.unwrap_or(Interval { low: level, high: level }),
        peak: component.live_bytes.peak as f64,
        churn: churn(component, requests, settled.len()),
    }
}

/// Bytes allocated per request of the run in a typical cycle, and how far that may be from another run's. One cycle that
/// is out of the ordinary moves neither.
fn churn(component: &ComponentJudgement, requests: f64, cycles: usize) -> Interval {
    let mean = component.allocated_bytes_per_request;
    let own: u64 = component.kinds.iter().map(|kind| kind.requests).sum();
    let rates = component.series.iter().rev().filter_map(|point| point.allocated_bytes_per_request);
    let mut rates: Vec<f64> = rates.take(cycles.max(2)).collect();
    if rates.len() < 2 || own == 0 {
        return Interval { low: mean, high: mean };
    }
    let typical = median(&mut rates);
    let mut distances: Vec<f64> = rates.iter().map(|rate| (rate - typical).abs()).collect();
    let deviation = NORMAL_DEVIATION * median(&mut distances);
    // The series is per request of the component's own kinds.
    let share = own as f64 / requests.max(1.0);
    let half = 1.96 * MEDIAN_ERROR * deviation / (rates.len() as f64).sqrt();
    Interval { low: share * (typical - half), high: share * (typical + half) }
}

/// A normal distribution's standard deviation over its median absolute deviation.
const NORMAL_DEVIATION: f64 = 1.4826;

/// The standard error of a median over that of a mean.
const MEDIAN_ERROR: f64 = 1.2533;

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}

/// The range of levels, without the lowest and the highest tenth where there are enough to tell: one quiet point that is
/// out of the ordinary is no range.
fn usual(values: impl Iterator<Item = f64>) -> Option<Interval> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let apart = if values.len() >= LEAST_FOR_TENTHS { values.len().div_ceil(10) } else { 0 };
    Interval::around(values[apart..values.len() - apart].iter().copied())
}

/// Fewest levels of which tenths are left out.
const LEAST_FOR_TENTHS: usize = 8;

fn second_half(series: &[Point]) -> Vec<Point> {
    let last = series.last().map_or(0, |point| point.requests);
    series.iter().filter(|point| !point.after_advance && point.requests * 2 > last).copied().collect()
}

fn resource_of(resource: &ResourceJudgement) -> ResourceFigures {
    let last = resource.series.last().map_or(0, |point| point.requests);
    let settled = resource.series.iter().filter(|point| !point.after_advance && point.requests * 2 > last);
    ResourceFigures {
        verdict: resource.verdict,
        growth: resource.growth_per_1000_requests.into(),
        detectable: resource.minimum_detectable_per_1000_requests,
        held: usual(settled.map(|point| point.value as f64)).unwrap_or_default(),
        peak: resource.series.iter().map(|point| point.value as f64).fold(0.0, f64::max),
    }
}
