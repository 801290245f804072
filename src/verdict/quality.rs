//! Whether a run's data can carry a verdict.

use heapsoak_record::{KindCount, Outcome, Recording};

use crate::judgement::{Control, Quality, Requests};
use crate::policy::Policy;
use crate::timeline::Timeline;
use crate::words::count;

/// Requests of a run by their answers, as of its last snapshot.
pub(crate) fn requests(recording: &Recording) -> Requests {
    let total: KindCount =
        recording.snapshots.last().map(|snapshot| snapshot.kinds.iter().copied().sum()).unwrap_or_default();
    Requests { sent: total.sent, ok: total.ok, expected_errors: total.expected_errors, failed: total.failed }
}

/// Checks the data of a run. `warm_up` is in spans.
pub(crate) fn quality(
    timeline: &Timeline<'_>,
    requests: &Requests,
    warm_up: usize,
    control: Option<Control>,
    policy: &Policy,
) -> Quality {
    let recording = timeline.recording;
    let landed = if requests.sent > 0 {
        (requests.ok + requests.expected_errors) as f64 / requests.sent as f64
    } else {
        0.0
    };
    let snapshots = recording.snapshots.len() as u32;
    let not_quiet = recording.snapshots.iter().filter(|snapshot| !snapshot.quiet).count() as u32;
    let unbalanced =
        recording.snapshots.iter().filter(|snapshot| snapshot.quiet).filter(is_unbalanced).count() as u32;
    let mut failures: Vec<String> = ending(recording).into_iter().collect();
    if timeline.cycles.is_empty() {
        failures.push("no cycle was completed: there is nothing to judge".to_owned());
    } else if landed < policy.least_landed {
        failures.push(format!(
            "{:.2} % of the requests were answered as their kind expects, {:.0} % are needed: look at the failed \
             requests among the events",
            100.0 * landed,
            100.0 * policy.least_landed,
        ));
    }
    if f64::from(not_quiet) > policy.most_not_quiet * f64::from(snapshots) {
        failures.push(format!(
            "{} of {} snapshots were taken before the server came to rest",
            count(f64::from(not_quiet)),
            count(f64::from(snapshots)),
        ));
    }
    if unbalanced > 0 {
        failures.push(format!(
            "in {} quiet snapshots the contexts do not add up to the total: the probe lost count",
            count(f64::from(unbalanced))
        ));
    }
    failures.extend(missing(timeline));
    failures.extend(control.iter().filter_map(|control| control.missed.clone()));
    Quality {
        cycles: timeline.cycles.len() as u32,
        snapshots,
        not_quiet,
        landed,
        unbalanced,
        warm_up_requests: timeline
            .spans
            .get(warm_up)
            .map_or(0, |span| timeline.instants[span.born].requests as u64),
        control,
        failures,
    }
}

fn ending(recording: &Recording) -> Option<String> {
    match recording.end.as_ref().map(|end| &end.outcome) {
        Some(Outcome::Completed) => None,
        Some(Outcome::TargetDied { status, .. }) => {
            Some(format!("the target died ({status}): judged is what was recorded until then"))
        }
        Some(Outcome::Interrupted) => Some("the run was interrupted".to_owned()),
        Some(Outcome::Failed { why }) => Some(format!("the run failed: {why}")),
        None => Some("the recording has no end: its recorder was killed or is still running".to_owned()),
    }
}

fn is_unbalanced(snapshot: &&heapsoak_record::Snapshot) -> bool {
    snapshot.heap.as_ref().is_some_and(|heap| {
        let live = |of: &dyn Fn(&heapsoak_record::ContextHeap) -> (u64, u64)| {
            heap.contexts
                .iter()
                .map(of)
                .fold((0_u64, 0_u64), |sum, (plus, minus)| (sum.0 + plus, sum.1 + minus))
        };
        let (allocated, freed) = live(&|context| (context.allocated_bytes, context.freed_bytes));
        allocated != freed + heap.total_live_bytes
    })
}

/// Cycles whose snapshot is missing, and snapshots without heap counts among others that have them.
fn missing(timeline: &Timeline<'_>) -> Option<String> {
    let seen = timeline.cycles.len();
    let last = timeline.cycles.last().map_or(0, |cycle| timeline.instants[cycle.end].cycle) as usize;
    (seen < last).then(|| {
        format!("{} of {} cycles have no usable snapshot", count((last - seen) as f64), count(last as f64))
    })
}

/// What the run can't say, in sentences.
pub(crate) fn not_analysed(timeline: &Timeline<'_>, has_control: bool) -> Vec<String> {
    let recording = timeline.recording;
    let mut sentences = recording.header.not_analysed.clone();
    if !recording.snapshots.iter().any(|snapshot| snapshot.heap.is_some()) {
        sentences
            .push("the heap: the target does not carry the probe, only its resources were judged".to_owned());
    }
    let never: Vec<&str> = recording
        .header
        .kinds
        .iter()
        .enumerate()
        .filter(|(index, _)| timeline.requests_of(Some(*index)) < 1.0)
        .map(|(_, kind)| kind.name.as_str())
        .collect();
    if !never.is_empty() {
        sentences.push(format!("{}: no request of this kind was sent", crate::words::list(&never)));
    }
    let advance = crate::time::greatest_advance_ms(timeline);
    if advance > 0.0 {
        sentences.push(format!(
            "timers longer than {}: the clock was never advanced further at once",
            crate::words::duration(advance)
        ));
    } else {
        sentences.push("what time would free: the server's clock was not advanced".to_owned());
    }
    sentences.push(format!(
        "bounds that lie beyond this run: what is called a leak grew for all of its {} requests without levelling",
        count(timeline.requests())
    ));
    let uncounted = recording
        .snapshots
        .last()
        .and_then(|snapshot| snapshot.heap.as_ref())
        .map_or(0, |heap| heap.uncounted_freed_bytes);
    if uncounted > 0 {
        sentences.push(format!(
            "{} freed that were allocated before the probe counted",
            crate::words::bytes(uncounted as f64)
        ));
    }
    sentences.push(
        "memory that bypasses the Rust allocator (C libraries, mmap), but for its part in rss".to_owned(),
    );
    if recording.stacks.is_empty() {
        sentences.push("the lines of code that allocate: this recording has no stacks".to_owned());
    }
    for problem in recording.stacks.iter().flat_map(|stacks| &stacks.problems) {
        if !sentences.contains(problem) {
            sentences.push(problem.clone());
        }
    }
    if !has_control {
        sentences.push(
            "this run carried no positive control: its detection limits are computed, not tried".to_owned(),
        );
    }
    sentences
}
