use inferno::flamegraph::{Options, from_lines};

use super::folded::lines;
use super::{Profile, no_stacks};
use crate::terminal::tame;
use crate::{RenderError, Rendered, Renderer, Run};

/// Survivors as a flamegraph: an SVG that can be searched and zoomed in a browser, offline.
#[derive(Debug, Clone, Copy, Default)]
pub struct Flamegraph {
    /// Whether frames of std, the allocator and the probe are shown.
    pub all_frames: bool,
}

impl Renderer for Flamegraph {
    fn name(&self) -> &'static str {
        "flamegraph"
    }

    fn render(&self, run: &Run<'_>) -> Result<Vec<Rendered>, RenderError> {
        let profile = Profile::of(run.recording, self.all_frames).ok_or_else(|| no_stacks(self.name()))?;
        let title = format!("Bytes alive after {}", run.recording.header.scenario);
        let svg = draw(&lines(&profile), &title, self.name())?;
        Ok(vec![Rendered::new("flamegraph.svg", svg)])
    }
}

/// Draws folded stacks.
pub(super) fn draw(lines: &[String], title: &str, format: &'static str) -> Result<Vec<u8>, RenderError> {
    let mut options = Options::default();
    options.title = tame(title);
    options.count_name = "bytes".to_owned();
    options.hash = true; // the same function has the same colour in every picture
    let mut svg = Vec::new();
    from_lines(&mut options, lines.iter().map(String::as_str), &mut svg)
        .map_err(|error| RenderError::Format { format, why: error.to_string() })?;
    Ok(svg)
}
