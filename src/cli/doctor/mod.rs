//! What stands in the way of a good run, and what to do about it.

mod machine;
mod program;
mod run;

use std::path::Path;

use serde::Serialize;

use crate::arguments::Doctor;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::folder::recording_in;
use crate::print;

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Advice {
    /// How it is.
    state: State,
    /// What was found.
    found: String,
    /// What to do; none where nothing is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// As it should be.
    Good,
    /// A run works, and says less than it could.
    Worse,
    /// A run does not work, or says what is not so.
    Bad,
}

impl Advice {
    fn good(found: impl Into<String>) -> Advice {
        Advice { state: State::Good, found: found.into(), remedy: None }
    }

    fn worse(found: impl Into<String>, remedy: impl Into<String>) -> Advice {
        Advice { state: State::Worse, found: found.into(), remedy: Some(remedy.into()) }
    }

    fn bad(found: impl Into<String>, remedy: impl Into<String>) -> Advice {
        Advice { state: State::Bad, ..Advice::worse(found, remedy) }
    }

    fn line(&self) -> String {
        let mark = match self.state {
            State::Good => "ok   ",
            State::Worse => "hint ",
            State::Bad => "BAD  ",
        };
        let remedy = self.remedy.as_ref().map(|remedy| format!("\n     → {remedy}")).unwrap_or_default();
        format!("{mark}{}{remedy}\n", self.found)
    }
}

/// Looks at the machine, and at a program or a run when one is given.
pub(crate) fn doctor(arguments: &Doctor) -> Result<Exit, Failure> {
    let mut advice = machine::examine();
    match arguments.what.as_deref() {
        None => {}
        Some(path) if is_run(path) => advice.extend(run::examine(&recording_in(path))?),
        Some(path) => advice.extend(program::examine(path)?),
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&advice)
            .map_err(|error| Failure::new(Exit::Internal, format!("can't write json: {error}")))?;
        print::data(text + "\n")?;
    } else {
        print::data(advice.iter().map(Advice::line).collect::<String>())?;
    }
    let is_bad = advice.iter().any(|advice| advice.state == State::Bad);
    Ok(if is_bad { Exit::Usage } else { Exit::Clean })
}

/// A folder, or a recording; everything else is taken for a program.
fn is_run(path: &Path) -> bool {
    path.is_dir() || path.extension().is_some_and(|ending| ending == "jsonl")
}
