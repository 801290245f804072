//! Bytes allocated per request over the run.

use heapsoak_record::Unit;

use super::plot::{Mark, Plot};
use super::theme::Tone;

/// A line through the bytes allocated per request in each cycle.
pub(crate) fn plot(whose: &str, points: Vec<(f64, f64)>) -> Plot {
    let marks = if points.len() > 1 {
        vec![Mark::Line { points, tone: Tone::Alarm }]
    } else {
        vec![Mark::Dots { points, tone: Tone::Alarm }]
    };
    Plot {
        title: whose.to_owned(),
        shows: "allocated per request",
        across: "requests",
        unit: Unit::Bytes,
        marks,
    }
}
