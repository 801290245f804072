use std::collections::HashMap;

use serde_json::json;

use super::{Profile, no_stacks};
use crate::{RenderError, Rendered, Renderer, Run};

/// Survivors, and all that was ever allocated, as a file that speedscope opens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Speedscope {
    /// Whether frames of std, the allocator and the probe are shown.
    pub all_frames: bool,
}

impl Renderer for Speedscope {
    fn name(&self) -> &'static str {
        "speedscope"
    }

    fn render(&self, run: &Run<'_>) -> Result<Vec<Rendered>, RenderError> {
        let profile = Profile::of(run.recording, self.all_frames).ok_or_else(|| no_stacks(self.name()))?;
        let mut frames = Frames::default();
        let stacks: Vec<Vec<usize>> = profile
            .samples
            .iter()
            .map(|sample| {
                let names = sample.names();
                let outer = names.len() - sample.frames.len();
                let symbols = sample.frames.iter().map(|symbol| (symbol.file.as_deref(), symbol.line));
                let places = std::iter::repeat_n((None, None), outer).chain(symbols);
                names.iter().zip(places).map(|(name, (file, line))| frames.index(name, file, line)).collect()
            })
            .collect();
        let live: Vec<u64> = profile.samples.iter().map(|sample| sample.live.bytes).collect();
        let allocated: Vec<u64> = profile.samples.iter().map(|sample| sample.allocated.bytes).collect();
        let scenario = &run.recording.header.scenario;
        let file = json!({
            "$schema": "https://www.speedscope.app/file-format-schema.json",
            "exporter": format!("heapsoak {}", run.recording.header.tool_version),
            "name": scenario,
            "activeProfileIndex": 0,
            "shared": { "frames": frames.written },
            "profiles": [
                sampled("bytes alive", &stacks, &live),
                sampled("bytes ever allocated", &stacks, &allocated),
            ],
        });
        let mut contents = serde_json::to_string(&file)?;
        contents.push('\n');
        Ok(vec![Rendered::new("survivors.speedscope.json", contents)])
    }
}

fn sampled(name: &str, stacks: &[Vec<usize>], weights: &[u64]) -> serde_json::Value {
    let (samples, weights): (Vec<&Vec<usize>>, Vec<u64>) =
        stacks.iter().zip(weights.iter().copied()).filter(|(_, weight)| *weight > 0).unzip();
    json!({
        "type": "sampled",
        "name": name,
        "unit": "bytes",
        "startValue": 0,
        "endValue": weights.iter().sum::<u64>(),
        "samples": samples,
        "weights": weights,
    })
}

/// Every place once.
#[derive(Default)]
struct Frames {
    known: HashMap<(String, Option<String>, Option<u32>), usize>,
    written: Vec<serde_json::Value>,
}

impl Frames {
    fn index(&mut self, name: &str, file: Option<&str>, line: Option<u32>) -> usize {
        let key = (name.to_owned(), file.map(str::to_owned), line);
        *self.known.entry(key).or_insert_with(|| {
            let mut frame = json!({ "name": name });
            if let Some(file) = file {
                frame["file"] = file.into();
            }
            if let Some(line) = line {
                frame["line"] = line.into();
            }
            self.written.push(frame);
            self.written.len() - 1
        })
    }
}
