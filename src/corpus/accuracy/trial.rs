//! One trial, in the process that runs it.

use heapsoak_corpus::{Draw, Growth, Outcome, Trial, cases};
use heapsoak_record::{End, Moment, OWN_COMPONENT, Outcome as Ending, Recording, Snapshot, Unit};
use heapsoak_verdict::{Judgement, Pattern, RunVerdict, Subject, explain, judge};
use serde::{Deserialize, Serialize};

use crate::error::AccuracyError;
use crate::naive;
use crate::order::Order;

/// Steps of a cycle when the verdict is asked cycle by cycle.
const SHORT: u64 = 50;

/// Cycles of such a run: 2,000 steps.
const LOOKS: u32 = 40;

/// What a trial found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) verdict: String,
    pub(crate) steps: u64,
    pub(crate) cycles: u32,
    /// Growth per step as estimated, with its interval: of everything that leaks.
    pub(crate) growth: (f64, f64, f64),
    /// Growth per step as it is; none when there is no one number.
    pub(crate) truth: Option<f64>,
    /// What was alive at the end beyond what was alive at the start, per step.
    pub(crate) risen: f64,
    /// The stated detection limit, bytes per step.
    pub(crate) limit: f64,
    /// Mean size of the blocks of the case's component.
    pub(crate) block: f64,
    /// Whether it was called time-driven.
    pub(crate) by_time: bool,
    /// Whether the simpler methods call it a leak, in the order of [`naive::METHODS`].
    pub(crate) naive: Vec<bool>,
    /// Steps after which it was first called a leak, asked after each cycle.
    pub(crate) found_after: Option<u64>,
    /// Each component and each resource that is judged, to be compared with another run's.
    pub(crate) subjects: Vec<(String, Subject)>,
    /// Each piece of evidence and how it weighed.
    pub(crate) evidence: Vec<String>,
}

/// Runs a trial and gives what it found, as a line of JSON.
pub(crate) fn run(order: &Order) -> Result<String, AccuracyError> {
    let case = cases()
        .into_iter()
        .find(|case| case.name == order.case)
        .ok_or_else(|| AccuracyError::NoCase(order.case.clone()))?;
    let mut trial = Trial::new(own_seed(order), order.amount(), order.faulty);
    trial.planted = order.planted();
    if order.stepwise {
        trial.soak = trial.soak.cycles(LOOKS).extend_up_to(LOOKS).steps_per_cycle(SHORT);
    }
    let outcome = (case.run)(trial);
    let truth = match case.leaks.filter(|_| order.faulty) {
        Some(Growth::Steady(truth)) => Some(truth(&order.amount())),
        Some(Growth::SteadyOf(kind, truth)) => {
            outcome.recording.snapshots.last().map(|last| share(last, kind) * truth(&order.amount()))
        }
        _ => None,
    };
    let planted = order.planted.map(|(bytes, rate)| bytes as f64 * rate);
    let found = look_at(&outcome, truth.or(planted), order.stepwise);
    let mut line = serde_json::to_string(&found).map_err(AccuracyError::BadOrder)?;
    line.push('\n');
    Ok(line)
}

/// The share of a kind in the steps of a run: growth per step is that of the run's mix.
fn share(last: &Snapshot, kind: usize) -> f64 {
    last.kinds.get(kind).map_or(0.0, |count| count.sent as f64 / last.requests.max(1) as f64)
}

/// Cases draw different numbers with the same seed: what is off by chance in one must not be so in all of them.
pub(crate) fn own_seed(order: &Order) -> u64 {
    let name = order.case.bytes().chain([u8::from(order.faulty), u8::from(order.stepwise)]);
    // FNV-1a.
    let mixed = name.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Draw::new(mixed ^ order.bytes.rotate_left(32) ^ order.every, order.seed).next()
}

fn look_at(outcome: &Outcome, truth: Option<f64>, stepwise: bool) -> Found {
    let Outcome { recording, judgement } = outcome;
    let steps = recording.snapshots.last().map_or(0, |snapshot| snapshot.requests);
    let growth = judgement.out_of_memory.growth_bytes_per_1000_requests.scaled(0.001);
    let live: Vec<f64> = recording.snapshots.iter().map(live_bytes).collect();
    let ends = live.first().zip(live.last());
    let case = judgement.component("case").or(judgement.components.first());
    let last = recording.snapshots.last();
    Found {
        verdict: judgement.verdict.word().to_owned(),
        steps,
        cycles: judgement.quality.cycles,
        growth: (growth.estimate, growth.low, growth.high),
        truth,
        risen: ends.map_or(0.0, |(first, last)| (last - first) / steps.max(1) as f64),
        limit: case.map_or(0.0, |case| case.minimum_detectable_bytes_per_1000_requests / 1000.0),
        block: last.map_or(0.0, mean_block),
        by_time: judgement.findings.iter().any(|finding| finding.pattern == Pattern::TimeDriven),
        naive: naive::answers(recording),
        found_after: if stepwise { found_after(recording) } else { None },
        subjects: subjects(judgement),
        evidence: evidence(recording),
    }
}

fn subjects(judgement: &Judgement) -> Vec<(String, Subject)> {
    let components = judgement.components.iter();
    let resources = judgement.resources.iter().filter(|resource| resource.unit == Unit::Count);
    components
        .map(|component| (component.name.clone(), Subject::component(judgement, component)))
        .chain(resources.map(|resource| (resource.name.clone(), Subject::resource(resource))))
        .collect()
}

/// Bytes alive, but for the tool's own.
pub(crate) fn live_bytes(snapshot: &Snapshot) -> f64 {
    of_all(snapshot, heapsoak_record::ContextHeap::live_bytes)
}

/// Blocks alive, but for the tool's own.
pub(crate) fn live_blocks(snapshot: &Snapshot) -> f64 {
    of_all(snapshot, heapsoak_record::ContextHeap::live_blocks)
}

fn of_all(snapshot: &Snapshot, count: impl Fn(&heapsoak_record::ContextHeap) -> u64) -> f64 {
    let contexts = snapshot.heap.iter().flat_map(|heap| &heap.contexts);
    contexts.filter(|context| context.component() != OWN_COMPONENT).map(count).sum::<u64>() as f64
}

/// The usual size of the component's blocks: the mean of those alive or of all there ever were, whichever is smaller.
fn mean_block(snapshot: &Snapshot) -> f64 {
    let of = |count: &dyn Fn(&heapsoak_record::ContextHeap) -> u64| {
        let contexts = snapshot.heap.iter().flat_map(|heap| &heap.contexts);
        contexts.filter(|context| context.component() == "case").map(count).sum::<u64>() as f64
    };
    let live = (of(&|context| context.live_bytes()), of(&|context| context.live_blocks()));
    let made = (of(&|context| context.allocated_bytes), of(&|context| context.allocated_blocks));
    let of_all = made.0 / made.1.max(1.0);
    if live.1 > 0.0 { of_all.min(live.0 / live.1) } else { of_all }
}

/// Every piece of evidence about the case's component as a whole.
fn evidence(recording: &Recording) -> Vec<String> {
    let whole = explain(recording, Some("case")).into_iter().next();
    let pieces = whole.into_iter().flat_map(|whole| whole.pieces);
    pieces.map(|piece| format!("{} ({}): {}", piece.rule, piece.weighs.word(), piece.found)).collect()
}

/// Steps after which the run, judged after each cycle, is first called a leak.
fn found_after(recording: &Recording) -> Option<u64> {
    let cycles = recording.snapshots.last().map_or(0, |snapshot| snapshot.cycle);
    (1..=cycles)
        .map(|cycle| cut(recording, cycle))
        .find(|until| judge(until).verdict == RunVerdict::Leak)
        .and_then(|until| until.snapshots.last().map(|snapshot| snapshot.requests))
}

/// The recording as it would be if the run had ended after a cycle.
fn cut(recording: &Recording, cycle: u32) -> Recording {
    let mut cut = recording.clone();
    cut.snapshots.retain(|snapshot| snapshot.cycle <= cycle);
    let last = cut.snapshots.last();
    cut.end = Some(End {
        outcome: Ending::Completed,
        elapsed_ms: last.map_or(0, |snapshot| snapshot.elapsed_ms),
        requests: last.map_or(0, |snapshot| snapshot.requests),
    });
    cut
}

/// The last snapshot of each cycle.
pub(crate) fn troughs(recording: &Recording) -> Vec<&Snapshot> {
    let mut troughs: Vec<&Snapshot> = Vec::new();
    for snapshot in recording.snapshots.iter().filter(|snapshot| snapshot.moment != Moment::Baseline) {
        match troughs.last_mut() {
            Some(last) if last.cycle == snapshot.cycle => *last = snapshot,
            _ => troughs.push(snapshot),
        }
    }
    troughs
}
