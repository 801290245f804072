//! One trial of a leaking case, in the process that runs it: the soak with a sample of stacks, then a second pass over what
//! leaks with every stack, as `heapsoak soak` does it.

use std::path::Path;

use heapsoak_corpus::{Trial, cases};
use heapsoak_record::{CaptureRate, Captured};
use heapsoak_report::Run;
use heapsoak_verdict::{Pattern, RunVerdict};
use serde::{Deserialize, Serialize};

use crate::error::AccuracyError;
use crate::order::Order;
use crate::sites::row::NamedSite;
use crate::trial::own_seed;

/// Component that every case is charged to.
const CASE: &str = "case";

/// Cycles planned of the first pass; the second has half of those that were run.
const CYCLES: u32 = 40;

/// Sites that are looked at.
const MOST: usize = 5;

/// Mean distance in bytes between two samples of the first pass: that of `heapsoak soak`.
const SAMPLE: u64 = 64 * 1024;

/// What a trial named.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SitesFound {
    /// Whether the case was found to leak.
    pub(crate) found: bool,
    /// The sites of the first finding that is a leak.
    pub(crate) sites: Vec<NamedSite>,
}

/// Runs a trial and gives what it named, as a line of JSON.
pub(crate) fn run(order: &Order) -> Result<String, AccuracyError> {
    let case = cases()
        .into_iter()
        .find(|case| case.name == order.case)
        .ok_or_else(|| AccuracyError::NoCase(order.case.clone()))?;
    let trial = Trial::new(own_seed(order), order.amount(), order.faulty);
    let soak = |what, cycles| {
        let soak = trial.soak.clone().capture(what).cycles(cycles);
        (case.run)(Trial { soak, ..trial.clone() })
    };
    let sample = Captured { component: None, rate: CaptureRate::OneIn { bytes: SAMPLE } };
    let mut outcome = soak(sample, CYCLES);
    if outcome.judgement.verdict == RunVerdict::Leak {
        let every = Captured { component: Some(CASE.to_owned()), rate: CaptureRate::Every };
        let ran = outcome.recording.snapshots.last().map_or(CYCLES, |snapshot| snapshot.cycle);
        let passed = soak(every, ran / 2);
        let zoomed = passed.recording.stacks.iter().map(|stacks| stacks.zoomed(CASE));
        outcome.recording.stacks.extend(zoomed);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let run = Run { root, ..Run::new(&outcome.recording, &outcome.judgement) };
    let finding = outcome
        .judgement
        .findings
        .iter()
        .find(|finding| finding.component == CASE && finding.pattern != Pattern::Churn);
    let found = SitesFound {
        found: finding.is_some(),
        sites: finding.map_or_else(Vec::new, |finding| NamedSite::all(&run, finding, MOST)),
    };
    serde_json::to_string(&found).map_err(AccuracyError::BadOrder)
}
