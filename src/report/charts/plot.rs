//! One kind of picture for every chart: a title, bytes or counts upwards, requests or cohorts to the right.

use heapsoak_record::Unit;
use plotters::backend::SVGBackend;
use plotters::chart::ChartBuilder;
use plotters::drawing::{DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, DashedPathElement, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, ShapeStyle, TextStyle};

use super::scale::Scale;
use super::theme::{GRID, INK, MUTED, STYLE, Tone};
use super::values::{Plane, overlay};
use crate::RenderError;

/// Drawn at twice the size it is looked at, since the drawing library rounds to whole pixels.
const SIZE: (u32, u32) = (760, 420);
const TITLE: f64 = 25.0;
const LABEL: f64 = 23.0;
/// Letters of a title that fit.
const TITLE_LETTERS: usize = 52;
/// The SVG backend divides the size of a font by this.
const FONT_FACTOR: f64 = 1.24;

/// A chart before it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plot {
    /// Whose numbers these are.
    pub(crate) title: String,
    /// Which numbers.
    pub(crate) shows: &'static str,
    /// What is to the right: `requests`, `cohort`.
    pub(crate) across: &'static str,
    pub(crate) unit: Unit,
    pub(crate) marks: Vec<Mark>,
}

/// Something in a chart, in the coordinates of its data.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mark {
    Line {
        points: Vec<(f64, f64)>,
        tone: Tone,
    },
    Dashes {
        points: Vec<(f64, f64)>,
        tone: Tone,
    },
    Dots {
        points: Vec<(f64, f64)>,
        tone: Tone,
    },
    /// A bar one unit wide around its place.
    Bar {
        at: f64,
        height: f64,
        tone: Tone,
    },
    /// Shading from one place to another over the whole height.
    Band {
        from: f64,
        to: f64,
        says: String,
    },
}

impl Plot {
    /// Draws the chart as an SVG document.
    pub(crate) fn draw(&self) -> Result<String, RenderError> {
        let mut svg = String::new();
        let plane = self
            .draw_into(&mut svg)
            .map_err(|error| RenderError::Chart { chart: self.name(), why: error.to_string() })?;
        let values = overlay(self, plane) + "</svg>";
        Ok(finish(&svg.replacen("</svg>", &values, 1), SIZE, &self.name()))
    }

    fn draw_into(&self, svg: &mut String) -> Result<Plane, DrawingAreaErrorKind<std::io::Error>> {
        let (right_from, right_to) = self.right();
        let up = Scale::of(self.top(), self.unit);
        let right = Scale::of(right_to, Unit::Count);
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_top(96)
            .margin_right(34)
            .x_label_area_size(74)
            .y_label_area_size(126)
            .build_cartesian_2d(right_from..right_to, 0.0..up.top)?;
        let paint = |tone: Tone| ShapeStyle::from(tone.colour()).filled();
        let pen = |tone: Tone| ShapeStyle::from(tone.colour()).stroke_width(4);

        for mark in &self.marks {
            if let Mark::Band { from, to, .. } = mark {
                let corners = [(*from, 0.0), (*to, up.top)];
                chart.draw_series([Rectangle::new(corners, paint(Tone::Band))])?;
            }
        }
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(plotters::style::TRANSPARENT)
            .bold_line_style(GRID.stroke_width(2))
            .axis_style(MUTED.stroke_width(2))
            .x_labels(0)
            .y_labels(0)
            .draw()?;
        let plane = chart.plotting_area().strip_coord_spec();
        let (width, height) = plane.dim_in_pixel();
        let place = |value: f64, from: f64, to: f64, span: u32| {
            ((value - from) / (to - from).max(f64::MIN_POSITIVE) * f64::from(span)).round() as i32
        };
        let (left, top) = plane.get_base_pixel();
        for tick in &up.ticks {
            let y = top + height as i32 - place(*tick, 0.0, up.top, height);
            let line = vec![(left, y), (left + width as i32, y)];
            root.draw(&PathElement::new(line, GRID.stroke_width(2)))?;
            root.draw(&Text::new(up.label(*tick), (left - 14, y), label(HPos::Right, VPos::Center)))?;
        }
        let ticks = right.ticks.iter().filter(|tick| (right_from..=right_to).contains(*tick));
        for tick in ticks {
            let x = left + place(*tick, right_from, right_to, width);
            let y = top + height as i32 + 14;
            root.draw(&Text::new(right.label(*tick), (x, y), label(HPos::Center, VPos::Top)))?;
        }
        let end = (left + width as i32, top + height as i32 + 42);
        root.draw(&Text::new(self.across.to_owned(), end, label(HPos::Right, VPos::Top)))?;
        root.draw(&Text::new(shorten(&self.title, TITLE_LETTERS), (4, 10), title()))?;
        root.draw(&Text::new(self.shows, (4, 44), label(HPos::Left, VPos::Top)))?;

        let (beneath, above): (Vec<_>, Vec<_>) =
            self.marks.iter().partition(|mark| matches!(mark, Mark::Dashes { .. }));
        for mark in beneath.into_iter().chain(above) {
            match mark {
                Mark::Line { points, tone } => {
                    chart.draw_series([PathElement::new(points.clone(), pen(*tone))])?;
                }
                Mark::Dashes { points, tone } => {
                    let line = points.clone();
                    chart.draw_series([DashedPathElement::new(line, 12, 10, pen(*tone).stroke_width(3))])?;
                }
                Mark::Dots { points, tone } => {
                    chart.draw_series(points.iter().map(|point| Circle::new(*point, 6, paint(*tone))))?;
                }
                Mark::Bar { at, height, tone } => {
                    let corners = [(at - 0.4, 0.0), (at + 0.4, *height)];
                    chart.draw_series([Rectangle::new(corners, paint(*tone))])?;
                }
                Mark::Band { from, says, .. } => {
                    let x = left + place(*from, right_from, right_to, width) + 12;
                    root.draw(&Text::new(says.clone(), (x, top + 8), label(HPos::Left, VPos::Top)))?;
                }
            }
        }
        root.present()?;
        Ok(Plane { left, top, width, height, from: right_from, to: right_to, highest: up.top })
    }

    /// What a reader who doesn't see the chart is told.
    fn name(&self) -> String {
        format!("{}: {}", self.title, self.shows)
    }

    /// The highest point; never zero, so that a flat line at zero lies on the axis.
    fn top(&self) -> f64 {
        let heights = self.marks.iter().flat_map(|mark| match mark {
            Mark::Line { points, .. } | Mark::Dashes { points, .. } | Mark::Dots { points, .. } => {
                points.iter().map(|(_, y)| *y).collect()
            }
            Mark::Bar { height, .. } => vec![*height],
            Mark::Band { .. } => Vec::new(),
        });
        heights.filter(|height| height.is_finite()).fold(0.0, f64::max).max(1.0)
    }

    fn right(&self) -> (f64, f64) {
        let mut bars = false;
        let places: Vec<f64> = self
            .marks
            .iter()
            .flat_map(|mark| match mark {
                Mark::Line { points, .. } | Mark::Dashes { points, .. } | Mark::Dots { points, .. } => {
                    points.iter().map(|(x, _)| *x).collect()
                }
                Mark::Bar { at, .. } => {
                    bars = true;
                    vec![at - 0.6, at + 0.6]
                }
                Mark::Band { .. } => Vec::new(),
            })
            .collect();
        let from = places.iter().copied().fold(f64::INFINITY, f64::min);
        let to = places.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if from >= to || !from.is_finite() || !to.is_finite() {
            return (0.0, 1.0);
        }
        (if bars { from } else { from.min(0.0) }, to)
    }
}

/// Adds what the drawing library has no words for: a name for screen readers and the colours for the dark.
pub(crate) fn finish(svg: &str, (width, height): (u32, u32), name: &str) -> String {
    let name = escape(name);
    let body = svg.split_once('>').map_or("", |(_, body)| body.trim_start_matches('\n'));
    format!(
        "<svg class=\"heapsoak-chart\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{name}\" \
         xmlns=\"http://www.w3.org/2000/svg\">\n{body}"
    )
}

/// A chart of a page as a file of its own, with the colours for the dark.
pub(crate) fn stand_alone(svg: &str) -> String {
    svg.replacen(">\n", &format!(">\n<style>{STYLE}</style>\n"), 1)
}

/// The style of a chart's first line.
pub(crate) fn title() -> TextStyle<'static> {
    ("sans-serif", TITLE * FONT_FACTOR).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Top))
}

/// The style of everything else that is written.
pub(crate) fn label(h: HPos, v: VPos) -> TextStyle<'static> {
    ("sans-serif", LABEL * FONT_FACTOR).into_font().color(&MUTED).pos(Pos::new(h, v))
}

/// Cuts a text that would not fit.
pub(crate) fn shorten(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    text.chars().take(letters.saturating_sub(1)).chain(['…']).collect()
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
