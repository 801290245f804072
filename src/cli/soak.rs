use std::env;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use heapsoak_driver::{DEFAULT_CONTROL_PER_1000, Run, Scenario};
use heapsoak_record::{Outcome, Recording, Writer};
use heapsoak_report::{Run as Report, ScenarioSummary, scenario_table, write_index, write_run};
use heapsoak_verdict::{Judgement, judge};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::arguments::{Format, Output, Profiler, Soak};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::folder::RunFolder;
use crate::gate::{self, Expectation};
use crate::progress::Progress;
use crate::resume::Resumed;
use crate::{interrupt, jemalloc, print, scenarios, zoom};

/// Soaks: loads every scenario, runs one after the other, judges, writes the reports, and decides the exit code.
pub(crate) fn soak(arguments: &Soak) -> Result<Exit, Failure> {
    if arguments.profiler == Some(Profiler::Jemalloc) && !cfg!(feature = "jemalloc-profiler") {
        let why = "--profiler jemalloc: this heapsoak was built without its feature `jemalloc-profiler`";
        return Err(Failure::new(Exit::Usage, why));
    }
    let scenarios = scenarios::load(&arguments.scenarios)?;
    start_runtime()?.block_on(soak_and_show(arguments, &scenarios))
}

/// The runtime that soaks run on.
pub(crate) fn start_runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Internal, format!("can't start the runtime: {error}")))
}

async fn soak_and_show(arguments: &Soak, scenarios: &[Scenario]) -> Result<Exit, Failure> {
    let Soaks { done, folder, exit, mut written } = soak_all(arguments, scenarios, None).await?;
    match (done.as_slice(), scenarios) {
        ([], _) => return Ok(exit),
        ([one], [_]) => {
            print_runs(&done, arguments.output)?;
            written.clone_from(&one.written);
        }
        _ => {
            match arguments.output.format() {
                Format::Terminal => print::data(scenario_table(&summaries(&done), true).as_bytes())?,
                Format::Json => print::file(&folder.path().join("report.json"))?,
                Format::Html => print::file(&folder.path().join("report.html"))?,
                _ => print_runs(&done, arguments.output)?,
            };
        }
    }
    print::paths(&written, arguments.quiet);
    Ok(exit)
}

fn print_runs(done: &[Soaked], output: Output) -> Result<Exit, Failure> {
    let root = env::current_dir().unwrap_or_default();
    let recordings = done.iter().map(Soaked::read).collect::<Result<Vec<_>, _>>()?;
    let judgements: Vec<_> = recordings.iter().map(judge).collect();
    let runs = recordings.iter().zip(&judgements);
    let runs: Vec<_> =
        runs.map(|(recording, judgement)| Report::new(recording, judgement).with_root(&root)).collect();
    print::runs(&runs, output)
}

/// Scenarios that were soaked, and the folder that holds them.
pub(crate) struct Soaks {
    pub(crate) done: Vec<Soaked>,
    pub(crate) folder: RunFolder,
    /// The worst of their codes, and of what kept others from running.
    pub(crate) exit: Exit,
    /// What was written above the folders of several.
    pub(crate) written: Vec<PathBuf>,
}

/// Soaks scenarios one after the other: a single one into the folder itself, several each into a folder of its own below
/// it. `control` is the rate of the positive control, if not the driver's own.
pub(crate) async fn soak_all(
    arguments: &Soak,
    scenarios: &[Scenario],
    control: Option<f64>,
) -> Result<Soaks, Failure> {
    for scenario in scenarios {
        if arguments.own.apply(scenario)?.is_some() && arguments.as_found.is_some() {
            let why = "--as-found is for the built-in server, and another one was asked for";
            return Err(Failure::new(Exit::Usage, why));
        }
    }
    if arguments.as_found.is_some() && scenarios.iter().any(|scenario| scenario.expect.is_some()) {
        anstream::eprintln!("--as-found overrides the defects: what the scenarios expect is not checked");
    }
    let single = scenarios.len() == 1;
    if arguments.resume.is_some() && !single {
        let why = "--resume goes on with one run: name its scenario";
        return Err(Failure::new(Exit::Usage, why));
    }
    let stop = stop_on_signal()?;
    let name = if single { &scenarios[0].name } else { "soak" };
    let folder = match &arguments.resume {
        Some(resume) => RunFolder::resume(resume)?,
        None => RunFolder::create(arguments.out.as_deref(), name, SystemTime::now())?,
    };
    let mut soaks = Soaks { done: Vec::new(), folder, exit: Exit::Clean, written: Vec::new() };
    for (index, scenario) in scenarios.iter().enumerate() {
        let progress = Progress::start(&scenario.name, index + 1, scenarios.len(), arguments.quiet);
        let own = if single { None } else { Some(soaks.folder.scenario(&scenario.name)?) };
        let folder = own.as_ref().unwrap_or(&soaks.folder);
        match run(arguments, scenario, folder, control, progress, &stop).await {
            Ok(soaked) => {
                soaks.exit = soaks.exit.worse(soaked.exit);
                soaks.done.push(soaked);
            }
            Err(failure) if single => return Err(failure),
            Err(failure) => {
                failure.print();
                soaks.exit = soaks.exit.worse(failure.exit());
                break;
            }
        }
        if *stop.borrow() {
            soaks.exit = soaks.exit.worse(Exit::Invalid);
            break;
        }
    }
    if soaks.done.is_empty() {
        soaks.folder.remove_if_empty();
        return Ok(soaks);
    }
    if !single {
        soaks.written = write_index(soaks.folder.path(), &summaries(&soaks.done))?;
    }
    soaks.folder.point_latest()?;
    Ok(soaks)
}

fn summaries(done: &[Soaked]) -> Vec<ScenarioSummary> {
    done.iter().map(|soaked| soaked.summary.clone()).collect()
}

/// One scenario, run, judged and written down. What was recorded is in its file: many scenarios take no more memory than
/// one.
pub(crate) struct Soaked {
    summary: ScenarioSummary,
    /// The recording first.
    written: Vec<PathBuf>,
    exit: Exit,
}

impl Soaked {
    /// What was recorded, from its file.
    pub(crate) fn read(&self) -> Result<Recording, Failure> {
        Ok(Recording::read(&self.written[0])?)
    }
}

/// One line on how a run ended, for stderr.
fn outcome(recording: &Recording, judgement: &Judgement, expectation: &Expectation) -> String {
    let requests = recording.end.as_ref().map_or(0, |end| end.requests);
    let verdict = judgement.verdict.word();
    match recording.end.as_ref().map(|end| &end.outcome) {
        Some(Outcome::TargetDied { status, stderr }) => {
            let last = stderr.trim().lines().last().map_or_else(String::new, |line| format!(": {line}"));
            format!("the server died after {requests} requests, {status}{last}")
        }
        Some(Outcome::Interrupted) | None => format!("stopped after {requests} requests"),
        Some(Outcome::Failed { why }) => format!("failed after {requests} requests: {why}"),
        Some(Outcome::Completed) => match expectation {
            Expectation::None => verdict.to_owned(),
            Expectation::Met => format!("{verdict}, as expected"),
            Expectation::Unmet(unmet) => {
                format!("{verdict}, not as expected:\n  {}", unmet.join("\n  "))
            }
        },
    }
}

async fn run(
    arguments: &Soak,
    scenario: &Scenario,
    folder: &RunFolder,
    control: Option<f64>,
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
        own: arguments.own.apply(scenario)?,
        profile: arguments.profiler.map(|profiler| folder.profile(profiler.into())).transpose()?,
        control_per_1000: control.unwrap_or(DEFAULT_CONTROL_PER_1000),
        stop: stop.clone(),
        ..Run::new(scenario, &program, &file)
    };
    let resumed = arguments.resume.as_ref().map(|_| Resumed::read(&run, folder)).transpose()?;
    let run = match &resumed {
        None => run,
        Some(Resumed::On(recording)) => {
            Run { resume: Some(&**recording), seed: Some(recording.header.seed), ..run }
        }
        Some(Resumed::Anew { requests, seed, statement }) => {
            progress.say(statement);
            Run { requests: Some(*requests), seed: Some(*seed), not_analysed: vec![statement.clone()], ..run }
        }
    };
    let mut recording = match heapsoak_driver::run(run.clone(), &mut progress).await {
        Ok(recording) => recording,
        Err(error) => {
            progress.clear();
            folder.remove_if_empty();
            return Err(error.into());
        }
    };
    let pprof = jemalloc::to_pprof(run.profile.as_ref(), &mut progress);
    if let Some(own_heap) = progress.judge_own_heap() {
        Writer::append(&file)
            .and_then(|mut writer| writer.event(&own_heap))
            .map_err(|error| Failure::unwritable(&file, &error))?;
        recording.events.push(own_heap);
    }
    let judgement = judge(&recording);
    if !arguments.no_zoom {
        zoom::zoom(run, &mut recording, &judgement, folder, &mut progress).await?;
    }
    let expectation = match &scenario.expect {
        Some(_) if arguments.as_found.is_some() => Expectation::None,
        Some(expect) => Expectation::compare(expect, &judgement),
        None => Expectation::None,
    };
    let exit = gate::decide(recording.end.as_ref(), judgement.verdict, &expectation);
    let root = env::current_dir().unwrap_or_default();
    let report = Report::new(&recording, &judgement).with_root(&root);
    let summary = ScenarioSummary::of(&report, Path::new(&recording.header.scenario), expectation.unmet());
    let mut written = vec![file];
    written.extend(pprof);
    written.extend(write_run(folder.path(), &report)?);
    progress.finish(&outcome(&recording, &judgement, &expectation), exit);
    Ok(Soaked { summary, written, exit })
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
