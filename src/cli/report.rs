use std::env;
use std::path::Path;

use heapsoak_record::Recording;
use heapsoak_report::{Run, write_all, write_run};
use heapsoak_verdict::judge;

use crate::arguments::Report;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::folder::recording_in;
use crate::gate::{self, Expectation};
use crate::print;

/// Judges a recording again, renders its report again, and exits by the verdict.
pub(crate) fn report(arguments: &Report) -> Result<Exit, Failure> {
    let file = recording_in(&arguments.recording);
    let recording = Recording::read(&file)?;
    let judgement = judge(&recording);
    let root = env::current_dir().unwrap_or_default();
    let run = Run::new(&recording, &judgement).with_root(&root);
    let format = arguments.output.format();
    let mut written = Vec::new();
    if format.is_kept() || arguments.out.is_some() {
        let beside = file.parent().unwrap_or(Path::new("."));
        let folder = arguments.out.as_deref().unwrap_or(beside);
        written = write_run(folder, &run)?;
        if !format.is_kept() {
            written.extend(write_all(folder, &arguments.output.renderer().render(&run)?)?);
        }
    }
    print::runs(&[run], arguments.output)?;
    print::paths(&written, false);
    Ok(gate::decide(recording.end.as_ref(), judgement.verdict, &Expectation::None))
}
