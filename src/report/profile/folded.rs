use std::collections::BTreeMap;

use super::{Profile, no_stacks};
use crate::{RenderError, Rendered, Renderer, Run};

/// Survivors as folded stacks: a line per stack, its frames from the outermost on, and the bytes alive.
#[derive(Debug, Clone, Copy, Default)]
pub struct Folded {
    /// Whether frames of std, the allocator and the probe are shown.
    pub all_frames: bool,
}

impl Renderer for Folded {
    fn name(&self) -> &'static str {
        "folded"
    }

    fn render(&self, run: &Run<'_>) -> Result<Vec<Rendered>, RenderError> {
        let profile = Profile::of(run.recording, self.all_frames).ok_or_else(|| no_stacks(self.name()))?;
        let mut text = lines(&profile).join("\n");
        text.push('\n');
        Ok(vec![Rendered::new("survivors.folded", text)])
    }
}

/// One line per stack that holds anything, stacks of the same frames added up.
pub(super) fn lines(profile: &Profile<'_>) -> Vec<String> {
    let mut stacks: BTreeMap<String, u64> = BTreeMap::new();
    for sample in profile.samples.iter().filter(|sample| sample.live.bytes > 0) {
        let frames: Vec<String> = sample.names().iter().map(|name| safe(name)).collect();
        *stacks.entry(frames.join(";")).or_default() += sample.live.bytes;
    }
    stacks.into_iter().map(|(frames, bytes)| format!("{frames} {bytes}")).collect()
}

/// A frame that can't be taken for two, nor for the end of the line.
fn safe(frame: &str) -> String {
    frame
        .chars()
        .map(|c| {
            if c == ';' {
                ':'
            } else if c.is_control() {
                ' '
            } else {
                c
            }
        })
        .collect()
}
