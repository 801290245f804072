use std::env;
use std::path::{Path, PathBuf};

use heapsoak_record::Recording;
use heapsoak_report::{Comparison, FixVerdict, Run, differential};
use heapsoak_verdict::{Judgement, judge};

use crate::arguments::{CompareFormat, Diff, VerifyFix};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::folder::recording_in;
use crate::print;

/// Shows two recordings side by side.
pub(crate) fn diff(arguments: &Diff) -> Result<Exit, Failure> {
    let (before, after) = (read(&arguments.before)?, read(&arguments.after)?);
    let comparison = Comparison::of(before.run(), after.run());
    print::data(match arguments.format() {
        CompareFormat::Terminal => comparison.terminal(true),
        CompareFormat::Json => comparison.json()?,
        CompareFormat::Markdown => comparison.markdown(),
        CompareFormat::Flamegraph => return print::data(differential(&comparison, false)?),
    })
}

/// Says whether what grew in one recording is gone in another, and exits by it.
pub(crate) fn verify_fix(arguments: &VerifyFix) -> Result<Exit, Failure> {
    let (before, after) = (read(&arguments.before)?, read(&arguments.after)?);
    let comparison = Comparison::of(before.run(), after.run());
    let fix = comparison.fix(&arguments.component);
    print::data(match arguments.format() {
        CompareFormat::Terminal => comparison.fix_terminal(&fix, true).into_bytes(),
        CompareFormat::Json => comparison.fix_json(&fix)?.into_bytes(),
        CompareFormat::Markdown => comparison.fix_markdown(&fix).into_bytes(),
        CompareFormat::Flamegraph => differential(&comparison, false)?,
    })?;
    Ok(match fix.verdict {
        FixVerdict::Fixed => Exit::Clean,
        FixVerdict::NotFixed => Exit::Leak,
        FixVerdict::Inconclusive => Exit::Inconclusive,
        FixVerdict::Invalid => Exit::Invalid,
    })
}

/// A recording with its judgement.
struct Judged {
    recording: Recording,
    judgement: Judgement,
    /// The folder file names are shown relative to: where the tool was started.
    root: PathBuf,
}

impl Judged {
    fn run(&self) -> Run<'_> {
        Run::new(&self.recording, &self.judgement).with_root(&self.root)
    }
}

fn read(path: &Path) -> Result<Judged, Failure> {
    let recording = Recording::read(&recording_in(path))?;
    let judgement = judge(&recording);
    Ok(Judged { recording, judgement, root: env::current_dir().unwrap_or_default() })
}
