use std::fmt::Write as _;

use crate::Trend;

/// Heights of a sparkline.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Runs shown in a sparkline.
const SHOWN: usize = 40;

/// The history for a terminal: a line per component of each scenario, steps first.
#[must_use]
pub fn text(trends: &[Trend]) -> String {
    let mut text = String::new();
    let steps: Vec<&Trend> = trends.iter().filter(|trend| trend.step.is_some()).collect();
    for trend in &steps {
        if let Some(step) = &trend.step {
            let _ = writeln!(
                text,
                "{} of {} stepped up at {}: from {} to {} per 1,000 requests ({})",
                trend.name,
                trend.scenario,
                short(&step.commit),
                amount(trend, step.from),
                amount(trend, step.to),
                step.because
            );
        }
    }
    if steps.is_empty() {
        text.push_str("no growth stepped up\n");
    }
    let mut scenario = "";
    let width = trends.iter().map(|trend| trend.name.chars().count()).max().unwrap_or(0);
    for trend in trends.iter().filter(|trend| is_worth_a_line(trend)) {
        if trend.scenario != scenario {
            scenario = &trend.scenario;
            let last = trend.points.last().map_or_else(String::new, |point| short(&point.commit));
            let _ = writeln!(
                text,
                "\n{scenario}: growth per 1,000 requests, {} runs up to {last}",
                trend.points.len()
            );
        }
        let Some(last) = trend.points.last() else { continue };
        let growth = if last.estimate > 0.0 { amount(trend, last.estimate) } else { last.verdict.clone() };
        let _ = writeln!(text, "  {:width$}  {}  {growth}", trend.name, sparkline(trend));
    }
    text
}

/// Resources that never grew say nothing.
pub(crate) fn is_worth_a_line(trend: &Trend) -> bool {
    trend.what == "component" || trend.points.iter().any(|point| point.estimate > 0.0)
}

fn sparkline(trend: &Trend) -> String {
    let from = trend.points.len().saturating_sub(SHOWN);
    let most = trend.points.iter().map(|point| point.estimate).fold(0.0, f64::max);
    let bar = |estimate: f64| {
        let share = if most > 0.0 { estimate / most } else { 0.0 };
        BARS[(share * (BARS.len() - 1) as f64).round() as usize]
    };
    trend.points[from..].iter().map(|point| bar(point.estimate)).collect()
}

/// A growth with its unit.
pub(crate) fn amount(trend: &Trend, value: f64) -> String {
    if trend.what == "resource" {
        return format!("{value:.1}");
    }
    match value {
        value if value >= 1024.0 * 1024.0 => format!("{:.1} MiB", value / (1024.0 * 1024.0)),
        value if value >= 1024.0 => format!("{:.1} KiB", value / 1024.0),
        value => format!("{value:.0} B"),
    }
}

/// A commit as people write it.
pub(crate) fn short(commit: &str) -> String {
    let hash = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hash { commit[..10].to_owned() } else { commit.to_owned() }
}
