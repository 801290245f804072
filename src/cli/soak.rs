use std::env;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use heapsoak_driver::{Run, Scenario};
use heapsoak_record::{Outcome, Recording};
use heapsoak_report::{ScenarioSummary, scenario_table, write_index, write_run};
use heapsoak_verdict::{Judgement, judge};
use tokio::sync::watch;

use crate::arguments::{Format, Profiler, Soak};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::folder::RunFolder;
use crate::gate::{self, Expectation};
use crate::progress::Progress;
use crate::{interrupt, print, scenarios};

/// Soaks: loads every scenario, runs one after the other, judges, writes the reports, and decides the exit code.
pub(crate) fn soak(arguments: &Soak) -> Result<Exit, Failure> {
    if arguments.profiler == Some(Profiler::Jemalloc) && !cfg!(feature = "jemalloc-profiler") {
        let why = "--profiler jemalloc: this heapsoak was built without its feature `jemalloc-profiler`";
        return Err(Failure::new(Exit::Usage, why));
    }
    let scenarios = scenarios::load(&arguments.scenarios)?;
    if arguments.as_found.is_some() && scenarios.iter().any(|scenario| scenario.expect.is_some()) {
        anstream::eprintln!("--as-found overrides the defects: what the scenarios expect is not checked");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Internal, format!("can't start the runtime: {error}")))?;
    match scenarios.as_slice() {
        [one] => runtime.block_on(soak_one(arguments, one)),
        several => runtime.block_on(soak_several(arguments, several)),
    }
}

async fn soak_one(arguments: &Soak, scenario: &Scenario) -> Result<Exit, Failure> {
    let stop = stop_on_signal()?;
    let folder = RunFolder::create(arguments.out.as_deref(), &scenario.name, SystemTime::now())?;
    let progress = Progress::start(&scenario.name, 1, 1, arguments.quiet);
    let soaked = run(arguments, scenario, &folder, progress, &stop).await?;
    folder.point_latest()?;
    print::runs(&[soaked.run()], arguments.output.format())?;
    print::paths(&soaked.written, arguments.quiet);
    Ok(soaked.exit)
}

async fn soak_several(arguments: &Soak, scenarios: &[Scenario]) -> Result<Exit, Failure> {
    let stop = stop_on_signal()?;
    let folder = RunFolder::create(arguments.out.as_deref(), "soak", SystemTime::now())?;
    let mut done: Vec<Soaked> = Vec::new();
    let mut exit = Exit::Clean;
    for (index, scenario) in scenarios.iter().enumerate() {
        let progress = Progress::start(&scenario.name, index + 1, scenarios.len(), arguments.quiet);
        match run(arguments, scenario, &folder.scenario(&scenario.name)?, progress, &stop).await {
            Ok(soaked) => {
                exit = exit.worse(soaked.exit);
                done.push(soaked);
            }
            Err(failure) => {
                failure.print();
                exit = exit.worse(failure.exit());
                break;
            }
        }
        if *stop.borrow() {
            exit = exit.worse(Exit::Invalid);
            break;
        }
    }
    if done.is_empty() {
        folder.remove_if_empty();
        return Ok(exit);
    }
    let summaries: Vec<ScenarioSummary> =
        done.iter().map(|soaked| soaked.summary(Path::new(&soaked.recording.header.scenario))).collect();
    let written = write_index(folder.path(), &summaries)?;
    folder.point_latest()?;
    match arguments.output.format() {
        Format::Terminal => print::data(scenario_table(&summaries, true).as_bytes())?,
        Format::Json => print::file(&folder.path().join("report.json"))?,
        Format::Html => print::file(&folder.path().join("report.html"))?,
        format => print::runs(&done.iter().map(Soaked::run).collect::<Vec<_>>(), format)?,
    };
    print::paths(&written, arguments.quiet);
    Ok(exit)
}

/// One scenario, run, judged and written down.
struct Soaked {
    recording: Recording,
    judgement: Judgement,
    expectation: Expectation,
    written: Vec<PathBuf>,
    exit: Exit,
}

impl Soaked {
    fn run(&self) -> heapsoak_report::Run<'_> {
        heapsoak_report::Run::new(&self.recording, &self.judgement)
    }

    fn summary(&self, folder: &Path) -> ScenarioSummary {
        ScenarioSummary::of(&self.run(), folder, self.expectation.unmet())
    }

    /// One line on how it ended, for stderr.
    fn outcome(&self) -> String {
        let requests = self.recording.end.as_ref().map_or(0, |end| end.requests);
        let verdict = self.judgement.verdict.word();
        match self.recording.end.as_ref().map(|end| &end.outcome) {
            Some(Outcome::TargetDied { status, stderr }) => {
                let last = stderr.trim().lines().last().map_or_else(String::new, |line| format!(": {line}"));
                format!("the server died after {requests} requests, {status}{last}")
            }
            Some(Outcome::Interrupted) | None => format!("stopped after {requests} requests"),
            Some(Outcome::Failed { why }) => format!("failed after {requests} requests: {why}"),
            Some(Outcome::Completed) => match &self.expectation {
                Expectation::None => verdict.to_owned(),
                Expectation::Met => format!("{verdict}, as expected"),
                Expectation::Unmet(unmet) => {
                    format!("{verdict}, not as expected:\n  {}", unmet.join("\n  "))
                }
            },
        }
    }
}

async fn run(
    arguments: &Soak,
    scenario: &Scenario,
    folder: &RunFolder,
    mut progress: Progress,
    stop: &watch::Receiver<bool>,
) -> Result<Soaked, Failure> {
    let program = find_this_program();
    let file = folder.recording();
    let run = Run {
        tool_version: env!("CARGO_PKG_VERSION"),
        seed: arguments.seed,
        requests: arguments.requests,
        as_found: arguments
            .as_found
            .as_ref()
            .map(|chosen| chosen.iter().map(|defect| defect.name().to_owned()).collect()),
        profile: arguments.profiler.map(|profiler| folder.profile(profiler.into())).transpose()?,
        stop: stop.clone(),
        ..Run::new(scenario, &program, &file)
    };
    let recording = match heapsoak_driver::run(run, &mut progress).await {
        Ok(recording) => recording,
        Err(error) => {
            progress.clear();
            folder.remove_if_empty();
            return Err(error.into());
        }
    };
    let judgement = judge(&recording);
    let expectation = match &scenario.expect {
        Some(_) if arguments.as_found.is_some() => Expectation::None,
        Some(expect) => Expectation::compare(expect, &judgement),
        None => Expectation::None,
    };
    let exit = gate::decide(recording.end.as_ref(), judgement.verdict, &expectation);
    let mut written = write_run(folder.path(), &recording, &judgement)?;
    written.insert(0, file);
    let soaked = Soaked { recording, judgement, expectation, written, exit };
    progress.finish(&soaked.outcome(), soaked.exit);
    Ok(soaked)
}

/// The path of this program, which holds the server. If it was replaced meanwhile (by a build), the one still running:
/// every scenario of a soak runs the same code.
fn find_this_program() -> PathBuf {
    let path = env::current_exe().ok().filter(|path| path.is_file());
    path.unwrap_or_else(|| PathBuf::from("/proc/self/exe"))
}

/// Turns true at Ctrl-C or SIGTERM.
fn stop_on_signal() -> Result<watch::Receiver<bool>, Failure> {
    let (stop, stopped) = watch::channel(false);
    let signal = interrupt::listen()?;
    tokio::spawn(async move {
        signal.await;
        stop.send_replace(true);
        // Kept until the soak is over: a receiver whose sender is gone would never turn true.
        stop.closed().await;
    });
    Ok(stopped)
}
