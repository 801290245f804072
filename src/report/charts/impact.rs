//! What each scenario would have kept after 10,000 requests: a bar and a number each.

use plotters::backend::SVGBackend;
use plotters::drawing::{DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Rectangle, Text};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, ShapeStyle};

use super::plot::{finish, label, shorten, title};
use super::theme::Tone;
use crate::RenderError;
use crate::summary::ScenarioSummary;
use crate::units::Bytes;

const WIDTH: u32 = 760;
const HEAD: i32 = 84;
const ROW: i32 = 44;
/// Where bars begin, and how long the longest is.
const LEFT: i32 = 190;
const LONGEST: f64 = 420.0;
const NAME_LETTERS: usize = 14;

const TITLE: &str = "All scenarios";
const SHOWS: &str = "kept after 10,000 requests";

/// Draws the chart.
pub(crate) fn draw(scenarios: &[ScenarioSummary]) -> Result<String, RenderError> {
    let rows = i32::try_from(scenarios.len()).unwrap_or(i32::MAX / ROW - HEAD);
    let size = (WIDTH, (HEAD + rows * ROW + 8).unsigned_abs());
    let mut svg = String::new();
    bars(&mut svg, size, scenarios)
        .map_err(|error| RenderError::Chart { chart: "impact".to_owned(), why: error.to_string() })?;
    Ok(finish(&svg, size, &format!("{TITLE}: {SHOWS}")))
}

fn bars(
    svg: &mut String,
    size: (u32, u32),
    scenarios: &[ScenarioSummary],
) -> Result<(), DrawingAreaErrorKind<std::io::Error>> {
    let root = SVGBackend::with_string(svg, size).into_drawing_area();
    root.draw(&Text::new(TITLE, (4, 10), title()))?;
    root.draw(&Text::new(SHOWS, (4, 44), label(HPos::Left, VPos::Top)))?;
    let impact = |scenario: &ScenarioSummary| scenario.combined_impact_at_10000_requests_bytes.max(0.0);
    let most = scenarios.iter().map(impact).fold(1.0, f64::max);
    let mut top = HEAD;
    for scenario in scenarios {
        let kept = impact(scenario);
        let long = (kept / most * LONGEST).round().max(2.0) as i32;
        let tone = if kept > 0.0 { Tone::Alarm } else { Tone::Faint };
        let (above, middle, below) = (top + 7, top + ROW / 2, top + ROW - 7);
        let fill = ShapeStyle::from(tone.colour().to_rgba()).filled();
        root.draw(&Rectangle::new([(LEFT, above), (LEFT + long, below)], fill))?;
        let name = shorten(&scenario.name, NAME_LETTERS);
        root.draw(&Text::new(name, (LEFT - 14, middle), label(HPos::Right, VPos::Center)))?;
        let value = Bytes(kept).to_string();
        root.draw(&Text::new(value, (LEFT + long + 12, middle), label(HPos::Left, VPos::Center)))?;
        top += ROW;
    }
    root.present()
}
