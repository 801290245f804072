use std::io::Cursor;

use super::flamegraph::draw;
use super::folded::lines;
use super::{Profile, no_stacks};
use crate::{Comparison, RenderError};

const FORMAT: &str = "flamegraph";

/// The flamegraph of the later of two runs, coloured by what became of each stack: red grew, blue shrank.
///
/// # Errors
///
/// Refused when one of the runs has no stacks; see [`RenderError`].
pub fn differential(comparison: &Comparison<'_>, all_frames: bool) -> Result<Vec<u8>, RenderError> {
    let folded = |run: &crate::Run<'_>| {
        let profile = Profile::of(run.recording, all_frames).ok_or_else(|| no_stacks(FORMAT))?;
        Ok::<_, RenderError>(lines(&profile).join("\n") + "\n")
    };
    let (before, after) = (folded(&comparison.before)?, folded(&comparison.after)?);
    let mut both = Vec::new();
    inferno::differential::from_readers(
        inferno::differential::Options::default(),
        Cursor::new(before),
        Cursor::new(after),
        &mut both,
    )
    .map_err(|error| RenderError::Format { format: FORMAT, why: error.to_string() })?;
    let both = String::from_utf8_lossy(&both);
    let lines: Vec<String> = both.lines().map(str::to_owned).collect();
    let header = &comparison.after.recording.header;
    draw(&lines, &format!("Bytes alive after {}, against before", header.scenario), FORMAT)
}
