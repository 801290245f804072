//! Runs every subject in turn and compares it with plain jemalloc, neighbour by neighbour.

mod driver;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use driver::{Amount, BenchError, Results, Subjects};

/// Measures what the probe costs, beside plain jemalloc and other tools on the same work. `scripts/bench-probe` builds
/// everything and runs this.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
    /// A few requests only: checks that everything runs; the figures mean nothing
    #[arg(long)]
    quick: bool,
    /// Measure the probe only, not the other tools
    #[arg(long)]
    no_peers: bool,
    /// Measure only the rows whose name contains this; the snapshots are left out
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// How often each row is measured
    #[arg(long, value_name = "N")]
    rounds: Option<u32>,
    /// A directory of directories with subjects that are linked in another order of functions each: they take turns, round by
    /// round
    #[arg(long, value_name = "DIR")]
    linked: Option<std::path::PathBuf>,
    /// Where the subjects are [default: beside this program]
    #[arg(long, value_name = "DIR")]
    subjects: Option<std::path::PathBuf>,
}

fn main() -> ExitCode {
    match measure(&Flags::parse()).and_then(|(flags, results)| print(flags, &results)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(if error.is_bad_usage() { 2 } else { 1 })
        }
    }
}

fn measure(flags: &Flags) -> Result<(&Flags, Results), BenchError> {
    let mut amount = if flags.quick { Amount::quick() } else { Amount::full() };
    if let Some(rounds) = flags.rounds {
        amount = amount.with_rounds(rounds.max(1));
    }
    let subjects = Subjects::find(flags.subjects.as_deref(), flags.linked.as_deref())?;
    let wanted = |name: &str| flags.only.as_deref().is_none_or(|text| name.contains(text));
    let mut results = driver::measure(&subjects, &amount, |contender| {
        wanted(contender.name) && !(flags.no_peers && contender.is_peer())
    })?;
    if let Some(only) = flags.only.as_ref().filter(|_| results.is_empty()) {
        return Err(BenchError::NoRow(only.clone()));
    }
    if flags.only.is_none() {
        results.snapshot = Some(driver::snapshots(&subjects, &amount)?);
    }
    Ok((flags, results))
}

fn print(flags: &Flags, results: &Results) -> Result<(), BenchError> {
    let text = if flags.json { driver::json(results) } else { driver::tables(results) };
    io::stdout().lock().write_all(text.as_bytes()).map_err(BenchError::Output)
}
