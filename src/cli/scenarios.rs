use std::collections::HashSet;
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use autopilot::Defects;
use heapsoak_driver::{DraftSource, Scenario, ScenarioError, draft_scenario};

use crate::arguments::NewScenario;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::print;

/// Where scenarios are looked up by name, below the working directory.
const SCENARIOS: &str = "leak-scenarios";

/// The files that names and paths on the command line mean; every file of `leak-scenarios/` if there are none.
pub(crate) fn find(wanted: &[String]) -> Result<Vec<PathBuf>, Failure> {
    let folder = Path::new(SCENARIOS);
    if wanted.is_empty() {
        let files = Scenario::list(folder).map_err(unusable)?;
        if files.is_empty() {
            return Err(Failure::new(
                Exit::Usage,
                format!("no scenario in {SCENARIOS}/: add one, or give a path"),
            ));
        }
        return Ok(files);
    }
    wanted.iter().map(|name| find_one(name, folder)).collect()
}

/// Loads every scenario before the first is run. Two of the same name would write to the same folder.
pub(crate) fn load(wanted: &[String]) -> Result<Vec<Scenario>, Failure> {
    let mut names = HashSet::new();
    let mut scenarios = Vec::new();
    for file in find(wanted)? {
        let scenario = read(&file)?;
        if !names.insert(scenario.name.clone()) {
            let message =
                format!("{}: a scenario called '{}' was given before", file.display(), scenario.name);
            return Err(Failure::new(Exit::Usage, message));
        }
        scenarios.push(scenario);
    }
    Ok(scenarios)
}

/// Names of the scenarios in `leak-scenarios/`; none where there is no such folder.
pub(crate) fn names() -> Vec<String> {
    let files = Scenario::list(Path::new(SCENARIOS)).unwrap_or_default();
    files.iter().filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect()
}

/// Prints the scenarios of `leak-scenarios/`: what each is about, and below it what it covers.
pub(crate) fn list() -> Result<Exit, Failure> {
    let scenarios = load(&[])?;
    let width = scenarios.iter().map(|scenario| scenario.name.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for scenario in &scenarios {
        let (name, requests) = (&scenario.name, scenario.requests());
        text += &format!("{name:width$}  {requests:>7} requests  {}\n", scenario.description);
        for (what, words) in covers(scenario) {
            text += &format!("{:width$}  {what:<10}  {words}\n", "");
        }
    }
    print::data(text.as_bytes())
}

/// What a scenario covers: the components its request kinds are named after, the kinds, the faults.
fn covers(scenario: &Scenario) -> Vec<(&'static str, String)> {
    let mut components: Vec<(&str, usize)> = Vec::new();
    for kind in &scenario.kinds {
        let component = kind.name.split('.').next().unwrap_or(&kind.name);
        match components.iter_mut().find(|(known, _)| *known == component) {
            Some((_, kinds)) => *kinds += 1,
            None => components.push((component, 1)),
        }
    }
    let words = components.iter().map(|(component, kinds)| {
        format!("{component} ({kinds} {})", if *kinds == 1 { "kind" } else { "kinds" })
    });
    let mut covers = vec![("components", words.collect::<Vec<_>>().join(", "))];
    let names = |is_error: bool| {
        let kinds = scenario.kinds.iter().filter(|kind| kind.is_error_path() == is_error);
        kinds.map(|kind| kind.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    covers.extend([("succeeding", names(false)), ("failing", names(true))]);
    covers.push(("faults", scenario.faults().join(", ")));
    let (before, within) = scenario.phase_names();
    covers.push(("warm-up", before.join(", ")));
    covers.push(("phases", within.join(", ")));
    if let Some(restart) = scenario.restart {
        covers.push(("restart", format!("every {} cycles", restart.every)));
    }
    if let Some(advance) = &scenario.advance {
        let by = advance.by;
        let every = if advance.every == 1 {
            "each cycle".to_owned()
        } else {
            format!("every {} cycles", advance.every)
        };
        covers.push(("clock", format!("{by} further after {every}")));
    }
    covers.retain(|(_, words)| !words.is_empty());
    covers
}

/// Drafts a scenario and prints it, or writes it to a file.
pub(crate) fn draft(arguments: &NewScenario) -> Result<Exit, Failure> {
    let (from, file) = match (&arguments.from_openapi, &arguments.from_har) {
        (Some(file), _) => (DraftSource::OpenApi, file),
        (None, Some(file)) => (DraftSource::Har, file),
        (None, None) => return Err(Failure::new(Exit::Usage, "give --from-openapi or --from-har")),
    };
    let text = draft_scenario(from, file).map_err(|error| Failure::new(Exit::Usage, error))?;
    let Some(out) = &arguments.out else { return print::data(text.as_bytes()) };
    let written = File::create_new(out).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map(|()| Exit::Clean).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::new(Exit::Usage, format!("{} exists: give another file with --out", out.display()))
        }
        _ => Failure::unwritable(out, &error),
    })
}

/// Checks scenario files, every one of them: prints those that are good and draws the mistakes of the others.
pub(crate) fn validate(wanted: &[String]) -> Result<Exit, Failure> {
    let mut exit = Exit::Clean;
    let mut good = String::new();
    for file in find(wanted)? {
        match read(&file) {
            Ok(scenario) => {
                good += &format!(
                    "{}: {} requests of {} kinds\n",
                    file.display(),
                    scenario.requests(),
                    scenario.kinds.len()
                );
            }
            Err(failure) => {
                failure.print();
                exit = Exit::Usage;
            }
        }
    }
    print::data(good.as_bytes()).map(|_| exit)
}

fn find_one(wanted: &str, folder: &Path) -> Result<PathBuf, Failure> {
    let named = folder.join(format!("{wanted}.toml"));
    let is_name = !wanted.contains('/') && Path::new(wanted).extension().is_none();
    if is_name && named.is_file() {
        return Ok(named);
    }
    let path = PathBuf::from(wanted);
    if path.is_file() {
        return Ok(path);
    }
    let known = Scenario::list(folder).unwrap_or_default();
    let known: Vec<_> = known.iter().filter_map(|file| file.file_stem()?.to_str()).collect();
    let known = match known.as_slice() {
        [] => format!("there are none in {SCENARIOS}/ here"),
        names => format!("{SCENARIOS}/ has {}", names.join(", ")),
    };
    Err(Failure::new(Exit::Usage, format!("no scenario '{wanted}': {known}; or give the path of a file")))
}

fn read(file: &Path) -> Result<Scenario, Failure> {
    let scenario = Scenario::load(file).map_err(unusable)?;
    // The driver starts any server; which defects the built-in one has, only its own crate knows.
    scenario
        .target
        .as_found
        .join(",")
        .parse::<Defects>()
        .map_err(|error| Failure::new(Exit::Usage, format!("{}: as-found: {error}", file.display())))?;
    Ok(scenario)
}

fn unusable(error: ScenarioError) -> Failure {
    Failure::in_file(error)
}
