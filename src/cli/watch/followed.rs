use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use heapsoak_record::{Recording, Snapshot, Unit};
use heapsoak_report::{Bytes, Count, format_growth};
use heapsoak_verdict::{ComponentJudgement, ComponentVerdict, Judgement, ResourceJudgement, judge};

use super::view::{ComponentLine, ResourceLine, View};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::folder::recording_in;
use crate::progress::ended_now;

/// Folders below the one of all reports that are looked into: a run, and the scenarios of a run.
const DEPTH: usize = 3;

/// A soak, by the recording it writes.
pub(super) struct Followed {
    file: PathBuf,
}

impl Followed {
    /// A recording, the folder of its run, or a folder of runs: then the one that was written to last.
    pub(super) fn open(path: &Path) -> Result<Followed, Failure> {
        let file = recording_in(path);
        if file.is_file() {
            return Ok(Followed { file });
        }
        let mut found = Vec::new();
        search(path, DEPTH, &mut found);
        let newest = found.into_iter().max_by_key(|(time, _)| *time);
        newest.map(|(_, file)| Followed { file }).ok_or_else(|| {
            let why = format!(
                "no recording in {}: start one with `heapsoak soak`, or watch a server with --socket",
                path.display()
            );
            Failure::new(Exit::Usage, why)
        })
    }

    /// Reads the recording again, as far as it is written, and judges it.
    pub(super) fn look(&mut self) -> Result<View, Failure> {
        let recording = Recording::read(&self.file)?;
        let ended = recording.end.is_some();
        let judgement = if ended { judge(&recording) } else { judge(&ended_now(&recording)) };
        let header = &recording.header;
        let mut view = View {
            title: format!("{} · seed {} · {}", header.scenario, header.seed, header.target.name),
            progress: progress(&recording, &judgement),
            done: done(&recording),
            per: "per 1,000",
            components: judgement.components.iter().map(component).collect(),
            resources: judgement.resources.iter().map(resource).collect(),
            foot: if ended {
                let page = self.file.with_file_name("report.html");
                format!("done: {} · charts in {} · q to leave", judgement.verdict.word(), page.display())
            } else {
                "growth at 95 %, tighter with every cycle · q to leave, the soak goes on".to_owned()
            },
        };
        view.sort();
        Ok(view)
    }
}

fn search(folder: &Path, depth: usize, found: &mut Vec<(SystemTime, PathBuf)>) {
    let Some(deeper) = depth.checked_sub(1) else { return };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // `reports/latest` is a link to a run that is found anyway.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            search(&path, deeper, found);
        } else if path.file_name().is_some_and(|name| name == "recording.jsonl") {
            let time = entry.metadata().and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            found.push((time, path));
        }
    }
}

fn progress(recording: &Recording, judgement: &Judgement) -> String {
    let Some(last) = recording.snapshots.last() else { return "not started yet".to_owned() };
    let planned = recording.header.plan.cycles.max(last.cycle);
    let mut text = format!(
        "cycle {} of {planned} · {} requests · {} a second",
        last.cycle,
        Count(last.requests as f64),
        Count(rate(&recording.snapshots).round())
    );
    if judgement.requests.failed > 0 {
        text.push_str(&format!(" · {} failed", Count(judgement.requests.failed as f64)));
    }
    text
}

/// Requests per second between the last two snapshots with requests between them.
fn rate(snapshots: &[Snapshot]) -> f64 {
    let pairs = snapshots.windows(2).rev();
    let mut worked = pairs.filter(|pair| pair[1].requests > pair[0].requests);
    worked.next().map_or(0.0, |pair| {
        let requests = pair[1].requests.saturating_sub(pair[0].requests) as f64;
        requests * 1000.0 / (pair[1].elapsed_ms.saturating_sub(pair[0].elapsed_ms) as f64).max(1.0)
    })
}

fn done(recording: &Recording) -> Option<f64> {
    let last = recording.snapshots.last()?;
    let planned = recording.header.plan.cycles.max(last.cycle).max(1);
    Some(f64::from(last.cycle) / f64::from(planned))
}

fn component(judged: &ComponentJudgement) -> ComponentLine {
    let growth = judged.growth_bytes_per_1000_requests;
    let (estimate, interval) = format_growth(growth, Unit::Bytes);
    ComponentLine {
        name: judged.name.clone(),
        verdict: judged.verdict.word(),
        is_bad: judged.verdict == ComponentVerdict::Leak,
        live: judged.series.iter().map(|point| point.live_bytes).collect(),
        growth: estimate,
        interval,
        rate: growth.estimate,
    }
}

fn resource(judged: &ResourceJudgement) -> ResourceLine {
    let value = |number: f64| match judged.unit {
        Unit::Bytes => Bytes(number).to_string(),
        Unit::Count => Count(number).to_string(),
    };
    let of = |point: Option<&heapsoak_verdict::ResourcePoint>| point.map_or(0.0, |point| point.value as f64);
    let (first, last) = (of(judged.series.first()), of(judged.series.last()));
    ResourceLine { name: judged.name.clone(), value: value(last), since_start: signed(&value(last - first)) }
}

/// A change with its sign; nothing where nothing changed.
pub(super) fn signed(change: &str) -> String {
    match change {
        "0" | "0 B" => String::new(),
        fell if fell.starts_with('−') => fell.to_owned(),
        rose => format!("+{rose}"),
    }
}
