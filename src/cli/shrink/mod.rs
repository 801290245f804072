//! The smallest scenario that still shows a finding: as few request kinds as will do.

mod attempt;
mod candidate;
mod scenario;

use std::fs;
use std::path::{Path, PathBuf};

use heapsoak_record::Recording;
use heapsoak_verdict::{Finding, Judgement, judge};
use serde::Serialize;

use crate::arguments::Shrink;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::folder::recording_in;
use crate::print;
use attempt::{Outcome, attempt};
use candidate::{Candidate, candidates};

/// Runs that are tried for one finding at most.
const TRIES: usize = 8;

/// What became of a finding.
#[derive(Debug, Serialize)]
struct Shrunk {
    component: String,
    /// The kinds that are enough; empty when none were found.
    kinds: Vec<String>,
    /// Bytes per 1,000 requests that were to be reached, and that were.
    expected: f64,
    measured: Option<f64>,
    /// The scenario that was written.
    scenario: Option<PathBuf>,
    /// Runs it took.
    tries: usize,
    /// Why nothing smaller was found.
    why: Option<String>,
}

/// Shrinks the scenario of a run for each of its leaks, by soaking with ever more kinds until the leak shows at the rate
/// it had, and writes each as a scenario file.
pub(crate) fn shrink(arguments: &Shrink) -> Result<Exit, Failure> {
    let file = recording_in(&arguments.run);
    let recording = Recording::read(&file)?;
    let judgement = judge(&recording);
    let leaks: Vec<(usize, &Finding)> = judgement
        .findings
        .iter()
        .enumerate()
        .filter(|(index, finding)| {
            arguments.finding.is_none_or(|asked| asked == index + 1) && can_shrink(finding)
        })
        .collect();
    if leaks.is_empty() {
        let what = arguments
            .finding
            .map_or("no leak".to_owned(), |number| format!("no leak that is finding {number}"));
        let why = format!("{what} that requests trigger in {}: there is nothing to shrink", file.display());
        return Err(Failure::new(Exit::Usage, why));
    }
    let beside = file.parent().unwrap_or(Path::new(".")).join("minimal");
    let folder = arguments.out.clone().unwrap_or(beside);
    fs::create_dir_all(&folder).map_err(|error| Failure::unwritable(&folder, &error))?;
    let mut done = Vec::new();
    for (index, finding) in leaks {
        let shrunk = one(&recording, &judgement, finding, index + 1, &folder, arguments.quiet)?;
        if !arguments.json {
            print::data(sentence(&shrunk))?;
        }
        done.push(shrunk);
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&done)
            .map_err(|error| Failure::new(Exit::Internal, format!("can't write json: {error}")))?;
        print::data(text + "\n")?;
    }
    let all = done.iter().all(|shrunk| shrunk.scenario.is_some());
    Ok(if all { Exit::Clean } else { Exit::Inconclusive })
}

/// A leak of bytes that requests trigger. What only time, or only a resource, shows has no rate to be held against.
fn can_shrink(finding: &Finding) -> bool {
    finding.growth_bytes_per_1000_requests.estimate > 0.0 && !finding.triggered_by.is_empty()
}

fn one(
    recording: &Recording,
    judgement: &Judgement,
    finding: &Finding,
    number: usize,
    folder: &Path,
    quiet: bool,
) -> Result<Shrunk, Failure> {
    let mut shrunk = Shrunk {
        component: finding.component.clone(),
        kinds: Vec::new(),
        expected: 0.0,
        measured: None,
        scenario: None,
        tries: 0,
        why: Some("the recording does not say which kinds the memory is of".to_owned()),
    };
    for candidate in candidates(recording, judgement, finding).into_iter().take(TRIES) {
        shrunk.tries += 1;
        let file = folder.join(format!("{}.toml", name(finding, number)));
        let text = scenario::reduce(recording, &candidate, finding).map_err(|why| {
            Failure::new(Exit::Usage, format!("can't shrink the scenario of this recording: {why}"))
        })?;
        fs::write(&file, text).map_err(|error| Failure::unwritable(&file, &error))?;
        if !quiet {
            anstream::eprintln!(
                "finding {number}, {}: trying {}",
                finding.component,
                candidate.kinds.join(" + ")
            );
        }
        let outcome = attempt(&file, &candidate, finding)?;
        shrunk.expected = candidate.bytes_per_1000;
        if let Outcome::Shows { measured } = outcome {
            let Candidate { kinds, .. } = candidate;
            return Ok(Shrunk { kinds, measured: Some(measured), scenario: Some(file), why: None, ..shrunk });
        }
        shrunk.why = Some(format!("with {}: {outcome}", candidate.kinds.join(" + ")));
        fs::remove_file(&file).map_err(|error| Failure::unwritable(&file, &error))?;
    }
    Ok(shrunk)
}

/// A file name of its own for each finding.
fn name(finding: &Finding, number: usize) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    format!("finding-{number}-{}", finding.component.chars().map(safe).collect::<String>())
}

fn sentence(shrunk: &Shrunk) -> String {
    let per = |bytes: f64| heapsoak_report::Bytes(bytes).to_string();
    match (&shrunk.scenario, shrunk.measured) {
        (Some(file), Some(measured)) => format!(
            "{}: {} alone {} {} per 1,000 requests ({} in the whole run): {}\n",
            shrunk.component,
            shrunk.kinds.join(" + "),
            if shrunk.kinds.len() == 1 { "keeps" } else { "keep" },
            per(measured),
            per(shrunk.expected),
            file.display()
        ),
        _ => format!(
            "{}: no smaller scenario in {} tries; {}\n",
            shrunk.component,
            shrunk.tries,
            shrunk.why.as_deref().unwrap_or("none was tried")
        ),
    }
}
