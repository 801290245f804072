//! `heapsoak history`: keeps figures from commit to commit, and shows where a rate stepped up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use heapsoak_history::{Kept, Store, StoreError, page, text, trends};
use heapsoak_record::Recording;
use heapsoak_verdict::judge;

use crate::arguments::History;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::folder::recording_in;
use crate::print;

/// Keeps the runs that are given, and shows the history there is.
pub(crate) fn history(arguments: &History) -> Result<Exit, Failure> {
    if arguments.runs.is_empty() && !arguments.file.exists() {
        let message = format!(
            "{} is not there: give the folder of a run to begin a history with",
            arguments.file.display()
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    let mut runs = Vec::new();
    for path in &arguments.runs {
        for file in recordings_in(path)? {
            runs.push(Recording::read(&file)?);
        }
    }
    let commit = match (&arguments.commit, runs.is_empty()) {
        (Some(commit), _) => commit.clone(),
        (None, true) => String::new(),
        (None, false) => current_commit()?,
    };
    let mut store = Store::open(&arguments.file).map_err(unusable)?;
    for run in &runs {
        let kept = store.keep(run, &judge(run), &commit).map_err(unusable)?;
        let done = if kept == Kept::New { "kept" } else { "knew already" };
        anstream::eprintln!("{done} {} of {commit}", run.header.scenario);
    }
    let trends = trends(&store.figures().map_err(unusable)?);
    if let Some(path) = &arguments.page {
        let page = page(&trends).map_err(|error| Failure::new(Exit::Internal, error))?;
        fs::write(path, page).map_err(|error| Failure::unwritable(path, &error))?;
        anstream::eprintln!("wrote {}", path.display());
    }
    print::data(text(&trends).as_bytes())
}

/// The recording a path means, or those of all scenarios below it.
fn recordings_in(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let file = recording_in(path);
    if file.exists() || !path.is_dir() {
        return Ok(vec![file]);
    }
    let entries = fs::read_dir(path)
        .map_err(|error| Failure::new(Exit::Usage, format!("can't read {}: {error}", path.display())))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| recording_in(&entry.path()))
        .filter(|file| file.ends_with("recording.jsonl") && file.exists())
        .collect();
    files.sort();
    if files.is_empty() {
        let message = format!("no recording in {}: give the folder of a run", path.display());
        return Err(Failure::new(Exit::Usage, message));
    }
    Ok(files)
}

/// The commit of the working directory.
fn current_commit() -> Result<String, Failure> {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output();
    let commit = output.ok().filter(|output| output.status.success());
    let commit = commit.and_then(|output| String::from_utf8(output.stdout).ok());
    commit
        .map(|commit| commit.trim().to_owned())
        .ok_or_else(|| Failure::new(Exit::Usage, "git can't tell the commit here: give it with --commit"))
}

fn unusable(error: StoreError) -> Failure {
    Failure::new(Exit::Usage, error)
}
