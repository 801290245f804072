use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use heapsoak_driver::ScenarioError;
use heapsoak_gate::{Baseline, Rules};

use crate::arguments::Check as Arguments;
use crate::exit::Exit;
use crate::failure::Failure;

/// Where rules are looked for when none are named.
const RULES: &str = "heapsoak.toml";

/// Where a baseline is written when none is named.
pub(super) const BASELINE: &str = "heapsoak-baseline.toml";

/// Reads the rules: those named, which must be there, or those of the working directory, if there are any.
pub(super) fn read_rules(named: Option<&Path>) -> Result<Rules, Failure> {
    let path = named.unwrap_or(Path::new(RULES));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => return Ok(Rules::default()),
        Err(error) => return Err(unreadable(path, &error, "give the path of a file of rules with --config")),
    };
    Rules::parse(&text)
        .map_err(|error| Failure::in_file(ScenarioError::at(path, &text, error.span.clone(), &error.message)))
}

/// Reads the baseline that was asked for. One that is not there yet is new only if it is to be written.
pub(super) fn read_baseline(arguments: &Arguments) -> Result<Option<Baseline>, Failure> {
    let path = match (&arguments.baseline, arguments.update_baseline) {
        (None, false) => return Ok(None),
        (None, true) => Path::new(BASELINE),
        (Some(path), _) => path,
    };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && arguments.update_baseline => {
            return Ok(Some(Baseline::default()));
        }
        Err(error) => return Err(unreadable(path, &error, "write one with --update-baseline")),
    };
    let baseline = Baseline::parse(&text)
        .map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", path.display())))?;
    Ok(Some(baseline))
}

/// Writes the baseline beside its place and moves it there.
pub(super) fn write_baseline(path: &Path, baseline: &Baseline) -> Result<(), Failure> {
    let part = path.with_extension(format!("{}.part", std::process::id()));
    fs::write(&part, baseline.text())
        .and_then(|()| fs::rename(&part, path))
        .inspect_err(|_| drop(fs::remove_file(&part)))
        .map_err(|error| {
            Failure::new(Exit::Usage, format!("can't write the baseline {}: {error}", path.display()))
        })
}

fn unreadable(path: &Path, error: &std::io::Error, remedy: &str) -> Failure {
    Failure::new(Exit::Usage, format!("can't read {}: {error}: {remedy}", path.display()))
}
