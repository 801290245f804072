use askama::Template;

use crate::text::{amount, is_worth_a_line, short};
use crate::{Point, Trend};

/// Width and height of a chart, in its own units.
const SIZE: (f64, f64) = (640.0, 120.0);
const EDGE: f64 = 8.0;

#[derive(Template)]
#[template(path = "history.html")]
struct Page {
    steps: Vec<String>,
    scenarios: Vec<Scenario>,
}

struct Scenario {
    name: String,
    charts: Vec<Chart>,
}

struct Chart {
    name: String,
    now: String,
    line: String,
    bars: Vec<Bar>,
    step: Option<f64>,
    commits: String,
}

/// A run: its interval and its estimate.
struct Bar {
    x: f64,
    top: f64,
    bottom: f64,
    y: f64,
    says: String,
}

/// The history as a page of its own, without anything to load.
///
/// # Errors
///
/// Fails if the page can't be filled in.
pub fn page(trends: &[Trend]) -> Result<String, askama::Error> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    for trend in trends.iter().filter(|trend| is_worth_a_line(trend)) {
        if scenarios.last().is_none_or(|last| last.name != trend.scenario) {
            scenarios.push(Scenario { name: trend.scenario.clone(), charts: Vec::new() });
        }
        if let Some(scenario) = scenarios.last_mut() {
            scenario.charts.push(chart(trend));
        }
    }
    let steps = trends.iter().filter_map(|trend| {
        let step = trend.step.as_ref()?;
        let (from, to) = (amount(trend, step.from), amount(trend, step.to));
        Some(format!(
            "{} of {} stepped up at {} (after {}): from {from} to {to} per 1,000 requests; {}.",
            trend.name,
            trend.scenario,
            short(&step.commit),
            short(&step.before),
            step.because
        ))
    });
    Page { steps: steps.collect(), scenarios }.render()
}

fn chart(trend: &Trend) -> Chart {
    let most = trend.points.iter().map(|point| point.growth.high).fold(f64::MIN_POSITIVE, f64::max);
    let gap = (SIZE.0 - 2.0 * EDGE) / (trend.points.len().max(2) - 1) as f64;
    let x = |index: usize| EDGE + gap * index as f64;
    let y = |value: f64| SIZE.1 - EDGE - (SIZE.1 - 2.0 * EDGE) * (value.max(0.0) / most);
    let bar = |(index, point): (usize, &Point)| Bar {
        x: x(index),
        top: y(point.growth.high),
        bottom: y(point.growth.low),
        y: y(point.estimate),
        says: format!(
            "{}: {}, {} ({} to {})",
            short(&point.commit),
            point.verdict,
            amount(trend, point.estimate),
            amount(trend, point.growth.low.max(0.0)),
            amount(trend, point.growth.high)
        ),
    };
    let bars: Vec<Bar> = trend.points.iter().enumerate().map(bar).collect();
    let ends = [trend.points.first(), trend.points.last()]
        .map(|end| end.map_or_else(String::new, |end| short(&end.commit)));
    Chart {
        name: trend.name.clone(),
        now: trend.points.last().map_or_else(String::new, |last| {
            if last.estimate > 0.0 { amount(trend, last.estimate) } else { last.verdict.clone() }
        }),
        line: bars.iter().map(|bar| format!("{:.1},{:.1}", bar.x, bar.y)).collect::<Vec<_>>().join(" "),
        step: trend.step.as_ref().map(|step| x(step.at) - gap / 2.0),
        commits: format!("{} runs, {} to {}", trend.points.len(), ends[0], ends[1]),
        bars,
    }
}
