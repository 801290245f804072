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
    /// Bytes alive at the quiet points of the run's second half, from the least to the most.
    pub held: Interval,
    /// The most bytes alive at any quiet point.
    pub peak: f64,
    /// Bytes allocated per request of the run: its mean over the second half's cycles, 95 % interval.
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
                .map(|component| (component.name.clone(), component_of(component)))
                .collect(),
            resources: resources.map(|resource| (resource.name.clone(), resource_of(resource))).collect(),
        }
    }
}

fn component_of(component: &ComponentJudgement) -> ComponentFigures {
    let settled = second_half(&component.series);
    let held = Interval::around(settled.iter().map(|point| point.live_bytes as f64));
    let level = component.live_bytes.end as f64;
    ComponentFigures {
        verdict: component.verdict,
        growth: component.growth_bytes_per_1000_requests.into(),
        detectable: component.minimum_detectable_bytes_per_1000_requests,
        held: held.unwrap_or(Interval { low: level, high: level }),
        peak: component.live_bytes.peak as f64,
        churn: churn(component, settled.len()),
    }
}

/// The mean is exact; how far it may be from another run's, the scatter between cycles tells.
fn churn(component: &ComponentJudgement, cycles: usize) -> Interval {
    let mean = component.allocated_bytes_per_request;
    let rates: Vec<f64> = component
        .series
        .iter()
        .rev()
        .filter_map(|point| point.allocated_bytes_per_request)
        .take(cycles.max(2))
        .collect();
    if rates.len() < 2 {
        return Interval { low: mean, high: mean };
    }
    let number = rates.len() as f64;
    let middle = rates.iter().sum::<f64>() / number;
    let variance = rates.iter().map(|rate| (rate - middle).powi(2)).sum::<f64>() / (number - 1.0);
    // The series is per request of the component's own kinds, the mean per request of the run.
    let share = if middle > 0.0 { mean / middle } else { 0.0 };
    let half = 1.96 * (variance / number).sqrt() * share;
    Interval { low: mean - half, high: mean + half }
}

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
        held: Interval::around(settled.map(|point| point.value as f64)).unwrap_or_default(),
        peak: resource.series.iter().map(|point| point.value as f64).fold(0.0, f64::max),
    }
}
