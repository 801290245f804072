//! Live bytes over requests.

use heapsoak_record::Unit;
use heapsoak_verdict::{ComponentJudgement, ComponentVerdict};

use super::plot::{Mark, Plot};
use super::theme::Tone;

/// Live bytes of a component at its quiet points; the growth found, or the bound, as a dashed line.
pub(crate) fn plot(component: &ComponentJudgement, warm_up_requests: u64) -> Plot {
    let leaks = component.verdict == ComponentVerdict::Leak;
    let points = component
        .series
        .iter()
        .map(|point| (point.requests as f64, point.live_bytes as f64, point.after_advance))
        .collect();
    let mut marks = lines(points, leaks);
    if leaks {
        let slope = component.growth_bytes_per_1000_requests.estimate / 1000.0;
        marks.extend(trend(&marks, slope, warm_up_requests as f64));
    } else if let (Some(bound), Some((from, to))) = (component.bound_bytes, reach(&marks)) {
        let bound = bound as f64;
        marks.push(Mark::Dashes { points: vec![(from, bound), (to, bound)], tone: Tone::Faint });
    }
    Plot { title: component.name.clone(), shows: "live bytes", across: "requests", unit: Unit::Bytes, marks }
}

/// A line through the ends of the cycles; where the clock was advanced, dots for what time left over.
pub(crate) fn lines(points: Vec<(f64, f64, bool)>, alarm: bool) -> Vec<Mark> {
    let (after, ends): (Vec<_>, Vec<_>) =
        points.into_iter().partition(|(_, _, after_advance)| *after_advance);
    let plain =
        |points: Vec<(f64, f64, bool)>| points.into_iter().map(|(x, y, _)| (x, y)).collect::<Vec<_>>();
    let tone = if alarm { Tone::Alarm } else { Tone::Plain };
    let mut marks = Vec::new();
    if ends.len() > 1 {
        marks.push(Mark::Line { points: plain(ends), tone });
    } else {
        marks.push(Mark::Dots { points: plain(ends), tone });
    }
    if !after.is_empty() {
        marks.push(Mark::Dots { points: plain(after), tone });
    }
    marks
}

/// The growth found, as a dashed line that ends where the measurement ends.
pub(crate) fn trend(marks: &[Mark], per_request: f64, from: f64) -> Option<Mark> {
    let (_, to) = reach(marks)?;
    let end = marks.iter().rev().find_map(|mark| match mark {
        Mark::Line { points, .. } | Mark::Dots { points, .. } => points.last().copied(),
        _ => None,
    })?;
    let start = from.clamp(0.0, to);
    let height = (end.1 - per_request * (end.0 - start)).max(0.0);
    (end.0 > start).then(|| Mark::Dashes { points: vec![(start, height), end], tone: Tone::Faint })
}

/// The first and the last place of what is drawn.
fn reach(marks: &[Mark]) -> Option<(f64, f64)> {
    let places = marks.iter().flat_map(|mark| match mark {
        Mark::Line { points, .. } | Mark::Dots { points, .. } => points.as_slice(),
        _ => &[],
    });
    let (from, to) =
        places.fold((f64::INFINITY, f64::NEG_INFINITY), |(from, to), (x, _)| (from.min(*x), to.max(*x)));
    (from < to).then_some((from, to))
}
