//! `heapsoak check`: soaks, or takes recordings, and holds them against everything that was asked of them.

mod files;
mod gated;
mod show;

use std::collections::HashSet;
use std::path::Path;
use std::time::SystemTime;

use heapsoak_driver::Scenario;
use heapsoak_gate::{Baseline, Check, Figures, Outcome, Rules, Suppressions};
use heapsoak_record::Recording;

use crate::arguments::Check as Arguments;
use crate::check::gated::Gated;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::folder::recording_in;
use crate::soak::Soaked;
use crate::{scenarios, soak};

/// Gates: runs the scenarios or reads the recordings, checks them, writes what was found in every format, and decides the
/// exit code.
pub(crate) fn check(arguments: &Arguments) -> Result<Exit, Failure> {
    let rules = files::read_rules(arguments.config.as_deref())?;
    let mut baseline = files::read_baseline(arguments)?;
    let taken = if arguments.recordings.is_empty() { run(arguments, &rules)? } else { read(arguments)? };
    let compared = baseline.as_ref().filter(|_| !arguments.update_baseline);
    let mut suppressions = Suppressions::new(&rules.suppressions, today()?);
    let mut gated = Vec::new();
    for run in taken.runs {
        gated.push(Gated::of(run, &rules, compared, &mut suppressions)?);
    }
    let names: Vec<&str> = gated.iter().map(Gated::scenario).collect();
    let suppressed = suppressions.checks(&names, taken.all);
    let mut exit = gated.iter().map(Gated::exit).fold(taken.exit, Exit::worse);
    exit = suppressed.iter().map(|check| exit_of(check.outcome)).fold(exit, Exit::worse);
    if let Some(first) = gated.first_mut() {
        first.add(&suppressed);
    }
    if let Some(baseline) = baseline.as_mut().filter(|_| arguments.update_baseline) {
        exit = exit.worse(update(arguments, baseline, &gated)?);
    }
    show::show(arguments, &gated, &suppressed, taken.folder.as_deref(), exit)?;
    Ok(exit)
}

/// Runs to be gated.
struct Taken {
    runs: Vec<Recording>,
    /// What kept others from running.
    exit: Exit,
    /// Whether every scenario there is was run.
    all: bool,
    /// Where their reports are.
    folder: Option<std::path::PathBuf>,
}

fn run(arguments: &Arguments, rules: &Rules) -> Result<Taken, Failure> {
    let scenarios = scenarios::load(&arguments.soak.scenarios)?;
    refuse_unknown(rules, &scenarios)?;
    let control = rules.detection_limit;
    let soaks = soak::start_runtime()?.block_on(soak::soak_all(&arguments.soak, &scenarios, control))?;
    // Whether a verdict passes is for the gate to say; what kept a scenario from running is not.
    let exit = if soaks.done.len() == scenarios.len() { Exit::Clean } else { soaks.exit };
    Ok(Taken {
        exit,
        all: arguments.soak.scenarios.is_empty() && soaks.done.len() == scenarios.len(),
        folder: (!soaks.done.is_empty()).then(|| soaks.folder.path().to_owned()),
        runs: soaks.done.iter().map(Soaked::read).collect::<Result<_, _>>()?,
    })
}

fn read(arguments: &Arguments) -> Result<Taken, Failure> {
    let mut runs = Vec::new();
    for path in &arguments.recordings {
        runs.push(Recording::read(&recording_in(path))?);
    }
    Ok(Taken { runs, exit: Exit::Clean, all: false, folder: arguments.soak.out.clone() })
}

/// Names in the rules that no scenario has are mistakes: their budgets would hold nothing.
fn refuse_unknown(rules: &Rules, running: &[Scenario]) -> Result<(), Failure> {
    let mut known: HashSet<String> = scenarios::names().into_iter().collect();
    known.extend(running.iter().map(|scenario| scenario.name.clone()));
    match rules.scenarios().find(|name| !known.contains(*name)) {
        Some(name) => Err(Failure::new(
            Exit::Usage,
            format!("heapsoak.toml: there is no scenario '{name}': correct its name"),
        )),
        None => Ok(()),
    }
}

/// Takes the runs over into the baseline, if their data can carry it.
fn update(arguments: &Arguments, baseline: &mut Baseline, gated: &[Gated]) -> Result<Exit, Failure> {
    let path = arguments.baseline.as_deref().unwrap_or(Path::new(files::BASELINE));
    let bad = gated.iter().find(|run| run.exit() == Exit::TargetDied || run.exit() == Exit::Invalid);
    if let Some(bad) = bad {
        anstream::eprintln!("{} is left as it is: the run of {} is invalid", path.display(), bad.scenario());
        return Ok(Exit::Invalid);
    }
    for run in gated {
        baseline.update(run.scenario(), Figures::of(&run.judgement));
    }
    files::write_baseline(path, baseline)?;
    anstream::eprintln!("wrote {}: look at what changed before you commit it", path.display());
    Ok(Exit::Clean)
}

fn today() -> Result<jiff::civil::Date, Failure> {
    let now = jiff::Timestamp::try_from(SystemTime::now()).map_err(|error| {
        Failure::new(Exit::Internal, format!("the system's clock can't be read: {error}"))
    })?;
    Ok(now.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// The code a check exits with.
fn exit_of(outcome: Outcome) -> Exit {
    match outcome {
        Outcome::Passed => Exit::Clean,
        Outcome::Undecided => Exit::Inconclusive,
        Outcome::Failed => Exit::Leak,
        Outcome::Invalid => Exit::Invalid,
    }
}

/// A check as a report shows it.
fn reported(check: &Check) -> heapsoak_report::Check {
    heapsoak_report::Check {
        name: check.name.clone(),
        outcome: match check.outcome {
            Outcome::Passed => heapsoak_report::CheckOutcome::Passed,
            Outcome::Failed => heapsoak_report::CheckOutcome::Failed,
            Outcome::Undecided | Outcome::Invalid => heapsoak_report::CheckOutcome::Undecided,
        },
        says: check.says.clone(),
    }
}
