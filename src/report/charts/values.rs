//! Values that a chart shows when it is pointed at: without a script, by the titles that SVG has.

use std::fmt::Write as _;

use super::plot::{Mark, Plot, escape};
use crate::phrases::amount;
use crate::units::Count;

/// Values per chart at most: a page of many charts stays small.
const MOST: usize = 40;

/// Where the data of a chart are drawn, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plane {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) width: u32,
    pub(super) height: u32,
    /// The values at the left and the right edge, and at the upper one.
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) highest: f64,
}

impl Plane {
    fn x(self, value: f64) -> f64 {
        f64::from(self.left)
            + (value - self.from) / (self.to - self.from).max(f64::MIN_POSITIVE) * f64::from(self.width)
    }

    fn y(self, value: f64) -> f64 {
        f64::from(self.top) + (1.0 - value / self.highest.max(f64::MIN_POSITIVE)) * f64::from(self.height)
    }
}

/// An invisible place for each value, with the value as its title.
pub(super) fn overlay(plot: &Plot, plane: Plane) -> String {
    let mut shown: Vec<(f64, f64)> = plot
        .marks
        .iter()
        .flat_map(|mark| match mark {
            Mark::Line { points, .. } | Mark::Dots { points, .. } => points.clone(),
            Mark::Bar { at, height, .. } => vec![(*at, *height)],
            Mark::Dashes { .. } | Mark::Band { .. } => Vec::new(),
        })
        .collect();
    shown.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    shown.dedup();
    let every = shown.len().div_ceil(MOST).max(1);
    // The last value stays, whatever is left out.
    let kept = shown.iter().rev().step_by(every).collect::<Vec<_>>().into_iter().rev();
    let mut svg = String::from("<g fill=\"none\" pointer-events=\"all\">");
    for (x, y) in kept {
        let value = amount(y.max(0.0).round() as u64, plot.unit);
        let title = escape(&format!("{} {}: {value}", plot.across, Count(x.round())));
        // Writing to a string can't fail.
        let _ = write!(
            svg,
            "<circle cx=\"{:.0}\" cy=\"{:.0}\" r=\"13\"><title>{title}</title></circle>",
            plane.x(*x),
            plane.y(*y)
        );
    }
    svg.push_str("</g>\n");
    svg
}
