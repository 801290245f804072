//! The second pass: the same scenario once more, with every stack of what leaks.

use std::path::Path;

use heapsoak_driver::{Progress as Progressing, Run, Watcher};
use heapsoak_record::{CaptureRate, Captured, Outcome, Recording, Writer};
use heapsoak_verdict::{ComponentVerdict, Judgement};

use crate::failure::Failure;
use crate::folder::RunFolder;
use crate::progress::Progress;

/// What is shown meanwhile; it never asks for more.
struct Pass<'a>(&'a mut Progress);

impl Watcher for Pass<'_> {
    fn progress(&mut self, progress: &Progressing) {
        self.0.progress(progress);
    }

    fn planned_done(&mut self, _: &Recording) -> u32 {
        0
    }
}

/// Runs half of a scenario again on a server of its own, with every stack captured of the components that leak, and
/// appends what it found to the recording and its file. Does nothing when none leaks, or when the run did not complete.
///
/// A pass that fails is said on stderr and changes nothing: the verdict stands without it.
pub(crate) async fn zoom(
    run: Run<'_>,
    recording: &mut Recording,
    judgement: &Judgement,
    folder: &RunFolder,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let components = leaking(judgement);
    let completed = recording.end.as_ref().is_some_and(|end| end.outcome == Outcome::Completed);
    if components.is_empty() || !completed || recording.stacks.is_empty() {
        return Ok(());
    }
    let file = folder.second_pass();
    let requests = recording.end.as_ref().map_or(0, |end| end.requests) / 2;
    let every =
        |component: &String| Captured { component: Some(component.clone()), rate: CaptureRate::Every };
    let pass = Run {
        recording: &file,
        requests: Some(requests),
        control_per_1000: 0.0,
        capture: components.iter().map(every).collect(),
        profile: None,
        resume: None,
        ..run
    };
    progress.say(&format!("a second pass captures every stack of {}", components.join(", ")));
    let passed = heapsoak_driver::run(pass, &mut Pass(progress)).await;
    // Only its stacks are wanted; a file that can't be removed is in nobody's way.
    let _ = std::fs::remove_file(&file);
    match passed {
        Ok(passed) => keep(recording, &folder.recording(), &passed, &components),
        Err(error) => {
            progress.say(&format!("no second pass: {error}"));
            Ok(())
        }
    }
}

/// Components that leak, worst first.
fn leaking(judgement: &Judgement) -> Vec<String> {
    let mut leaking: Vec<_> =
        judgement.components.iter().filter(|component| component.verdict == ComponentVerdict::Leak).collect();
    let growth =
        |component: &heapsoak_verdict::ComponentJudgement| component.growth_bytes_per_1000_requests.estimate;
    leaking.sort_by(|a, b| growth(b).total_cmp(&growth(a)));
    leaking.into_iter().map(|component| component.name.clone()).collect()
}

fn keep(
    recording: &mut Recording,
    file: &Path,
    passed: &Recording,
    components: &[String],
) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| Failure::unwritable(file, &error);
    let mut writer = Writer::append(file).map_err(unwritable)?;
    for stacks in &passed.stacks {
        for component in components {
            let zoomed = stacks.zoomed(component);
            writer.stacks(&zoomed).map_err(unwritable)?;
            recording.stacks.push(zoomed);
        }
    }
    Ok(())
}
