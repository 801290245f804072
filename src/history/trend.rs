use std::collections::BTreeMap;

use heapsoak_gate::Interval;

use crate::{Figure, Step, find_step};

/// A component or resource of a scenario, from commit to commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Name of the scenario.
    pub scenario: String,
    /// `component` or `resource`.
    pub what: String,
    /// Name of the component or resource.
    pub name: String,
    /// One per run, in the order the runs were started.
    pub points: Vec<Point>,
    /// Where its growth stepped up, if it did.
    pub step: Option<Step>,
}

/// One run of a trend.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The commit.
    pub commit: String,
    /// The verdict, in a word.
    pub verdict: String,
    /// Growth per 1,000 requests.
    pub growth: Interval,
    /// Its estimate.
    pub estimate: f64,
    /// Smallest growth the run would have called a leak.
    pub detectable: f64,
    /// Held at rest, at most.
    pub held: f64,
    /// Bytes allocated per request.
    pub churn: Option<f64>,
}

/// Figures as trends: by scenario, components before resources, by name.
#[must_use]
pub fn trends(figures: &[Figure]) -> Vec<Trend> {
    let mut trends: BTreeMap<(&str, &str, &str), Vec<Point>> = BTreeMap::new();
    for figure in figures {
        trends.entry((&figure.scenario, &figure.what, &figure.name)).or_default().push(Point {
            commit: figure.commit.clone(),
            verdict: figure.verdict.clone(),
            growth: figure.growth,
            estimate: figure.estimate,
            detectable: figure.detectable,
            held: figure.held,
            churn: figure.churn,
        });
    }
    let number = trends.len();
    trends
        .into_iter()
        .map(|((scenario, what, name), points)| Trend {
            scenario: scenario.to_owned(),
            what: what.to_owned(),
            name: name.to_owned(),
            step: find_step(&points, number),
            points,
        })
        .collect()
}
