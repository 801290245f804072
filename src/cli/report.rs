use std::path::Path;

use heapsoak_record::Recording;
use heapsoak_report::write_run;
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
    let beside = file.parent().unwrap_or(Path::new("."));
    let folder = arguments.out.as_deref().unwrap_or(beside);
    let written = write_run(folder, &recording, &judgement)?;
    print::run(&recording, &judgement, arguments.output.format())?;
    print::paths(&written, false);
    Ok(gate::decide(recording.end.as_ref(), judgement.verdict, &Expectation::None))
}
