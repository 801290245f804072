//! Going on with a run that broke off.

use std::path::Path;

use heapsoak_driver::{Run, Scenario, ServerSource};
use heapsoak_record::{Outcome, Recording};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::folder::RunFolder;

/// A run that broke off, and how it goes on.
#[derive(Debug)]
pub(crate) enum Resumed {
    /// Its server ran on: so does the recording.
    On(Box<Recording>),
    /// Its server is gone: what is left of its requests goes to a new one.
    Anew {
        /// Requests that were planned and not answered.
        requests: u64,
        seed: u64,
        /// What is kept and what is not, in a sentence.
        statement: String,
    },
}

impl Resumed {
    /// Reads the recording in a folder. One whose server is gone is set aside.
    pub(crate) fn read(run: &Run<'_>, folder: &RunFolder) -> Result<Resumed, Failure> {
        let path = folder.recording();
        let recording =
            Recording::read(&path).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
        refuse_other(&recording, run.scenario, &path)?;
        let own = run.own.as_ref().or(run.scenario.target.own.as_ref());
        let last = recording.snapshots.last();
        let runs_on = own.is_some_and(|own| !matches!(own.source, ServerSource::Command(_)));
        if runs_on && last.is_some() {
            return Ok(Resumed::On(Box::new(recording)));
        }
        let plan = &recording.header.plan;
        let answered = last.map_or(0, |snapshot| snapshot.requests);
        let left = (u64::from(plan.cycles) * plan.requests_per_cycle).saturating_sub(answered);
        let kept = folder.set_aside()?;
        let statement = format!(
            "the server of the run before ended with it: what it held is gone, and its {answered} requests are not part of this \
             verdict; they are kept in {} (heapsoak report shows them)",
            kept.display()
        );
        let requests = left.max(plan.requests_per_cycle);
        Ok(Resumed::Anew { requests, seed: recording.header.seed, statement })
    }
}

/// A recording of another scenario, or one that is complete, is not gone on with.
fn refuse_other(recording: &Recording, scenario: &Scenario, path: &Path) -> Result<(), Failure> {
    let header = &recording.header;
    let refuse = |why: &str| Err(Failure::new(Exit::Usage, format!("{}: {why}", path.display())));
    if recording.end.as_ref().is_some_and(|end| end.outcome == Outcome::Completed) {
        return refuse("this run is complete: there is nothing to go on with");
    }
    if header.scenario_source != scenario.source {
        let why = format!(
            "this is a run of the scenario '{}' as it was then, and '{}' is another or was changed since",
            header.scenario, scenario.name
        );
        return refuse(&why);
    }
    Ok(())
}
