//! The time axis of a run: its quiet points, and the cohorts between them.

use std::collections::BTreeMap;

use heapsoak_record::{Moment, Recording, Snapshot};

/// A snapshot on the time axis.
#[derive(Debug, Clone)]
pub(crate) struct Instant {
    pub(crate) cycle: u32,
    pub(crate) moment: Moment,
    pub(crate) requests: f64,
    pub(crate) by_kind: Vec<f64>,
    pub(crate) elapsed_ms: f64,
    pub(crate) clock_ms: f64,
    pub(crate) quiet: bool,
}

/// The cohorts of one or more cycles (of several where the probe merged them), with the work they were made in.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    /// Cohort number of the youngest in it: the cycle at whose end it was complete.
    pub(crate) last: u32,
    /// Requests answered in it.
    pub(crate) requests: f64,
    /// Requests by kind, in the order of the header.
    pub(crate) by_kind: Vec<f64>,
    /// Real time it took.
    pub(crate) elapsed_ms: f64,
    /// The server's time it took.
    pub(crate) clock_ms: f64,
    /// Index of the last instant of its last cycle: from here on it can only die.
    pub(crate) born: usize,
}

/// A cycle's instants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cycle {
    /// Index of the instant at the end of its requests.
    pub(crate) end: usize,
    /// Index of its last instant.
    pub(crate) last: usize,
    /// Whether the clock was advanced at its end.
    pub(crate) advanced: bool,
}

/// The time axis of a run.
#[derive(Debug)]
pub(crate) struct Timeline<'a> {
    pub(crate) recording: &'a Recording,
    /// The snapshots of `instants`, index by index.
    pub(crate) snapshots: Vec<&'a Snapshot>,
    pub(crate) instants: Vec<Instant>,
    pub(crate) cycles: Vec<Cycle>,
    /// Oldest first; the first one is start-up, made before any request.
    pub(crate) spans: Vec<Span>,
    /// Cohort numbers of the youngest cohort per span, to find the span of a cohort.
    ends: Vec<u32>,
}

impl<'a> Timeline<'a> {
    /// Lays out a recording. Snapshots without heap counts are left out where others have them.
    pub(crate) fn new(recording: &'a Recording) -> Timeline<'a> {
        let heap = recording.snapshots.iter().any(|snapshot| snapshot.heap.is_some());
        let snapshots: Vec<&Snapshot> =
            recording.snapshots.iter().filter(|snapshot| snapshot.heap.is_some() == heap).collect();
        let instants: Vec<Instant> = snapshots.iter().map(|snapshot| instant(recording, snapshot)).collect();
        let cycles = cycles(&instants);
        let spans = spans(&instants, &cycles, &merged_ends(&snapshots));
        let ends = spans.iter().map(|span| span.last).collect();
        Timeline { recording, snapshots, instants, cycles, spans, ends }
    }

    /// Index of the span a cohort is in.
    pub(crate) fn span_of(&self, cohort: u32) -> usize {
        self.ends.partition_point(|&end| end < cohort).min(self.spans.len().saturating_sub(1))
    }

    /// Index of the instant the run is judged at: the last one at rest.
    pub(crate) fn verdict_instant(&self) -> usize {
        let last = self.instants.len().saturating_sub(1);
        self.instants.iter().rposition(|instant| instant.quiet).unwrap_or(last)
    }

    /// Requests of the run up to the verdict instant.
    pub(crate) fn requests(&self) -> f64 {
        self.instants.get(self.verdict_instant()).map_or(0.0, |instant| instant.requests)
    }

    /// Requests of one kind up to the verdict instant; of all kinds when none is given.
    pub(crate) fn requests_of(&self, kind: Option<usize>) -> f64 {
        let Some(instant) = self.instants.get(self.verdict_instant()) else { return 0.0 };
        kind.map_or(instant.requests, |kind| instant.by_kind[kind])
    }

    /// Position of a request kind in the header.
    pub(crate) fn kind_index(&self, name: &str) -> Option<usize> {
        self.recording.header.kinds.iter().position(|kind| kind.name == name)
    }

    /// Whether the scenario advances the server's clock.
    pub(crate) fn advances(&self) -> bool {
        self.cycles.iter().any(|cycle| cycle.advanced)
    }

    /// Index of the first instant from which on a cohort of the span has been through an advance of the clock;
    /// its birth where the scenario advances no clock, none where no advance came.
    pub(crate) fn seasoned(&self, span: usize) -> Option<usize> {
        let born = self.spans[span].born;
        if !self.advances() {
            return Some(born);
        }
        self.cycles.iter().find(|cycle| cycle.advanced && cycle.last >= born).map(|cycle| cycle.last)
    }
}

impl Span {
    /// Requests of one kind in it; of all kinds when none is given.
    pub(crate) fn exposure(&self, kind: Option<usize>) -> f64 {
        kind.map_or(self.requests, |kind| self.by_kind[kind])
    }
}

fn instant(recording: &Recording, snapshot: &Snapshot) -> Instant {
    let mut by_kind: Vec<f64> = snapshot.kinds.iter().map(|count| count.sent as f64).collect();
    by_kind.resize(recording.header.kinds.len(), 0.0);
    Instant {
        cycle: snapshot.cycle,
        moment: snapshot.moment,
        requests: snapshot.requests as f64,
        by_kind,
        elapsed_ms: snapshot.elapsed_ms as f64,
        clock_ms: snapshot.clock_ms as f64,
        quiet: snapshot.quiet,
    }
}

fn cycles(instants: &[Instant]) -> Vec<Cycle> {
    let mut cycles: Vec<Cycle> = Vec::new();
    for (index, instant) in instants.iter().enumerate() {
        match (instant.moment, cycles.last_mut()) {
            (Moment::Baseline, _) | (Moment::AfterAdvance, None) => {}
            (Moment::CycleEnd, _) => cycles.push(Cycle { end: index, last: index, advanced: false }),
            (Moment::AfterAdvance, Some(cycle)) => {
                cycle.last = index;
                cycle.advanced = true;
            }
        }
    }
    cycles
}

/// First cohort of each merged group by its last one, as the last snapshot has them (they only ever grow).
fn merged_ends(snapshots: &[&Snapshot]) -> BTreeMap<u32, u32> {
    let heap = snapshots.last().and_then(|snapshot| snapshot.heap.as_ref());
    heap.map(|heap| heap.merged.iter().map(|group| (group.last.0, group.first.0)).collect())
        .unwrap_or_default()
}

fn spans(instants: &[Instant], cycles: &[Cycle], merged: &BTreeMap<u32, u32>) -> Vec<Span> {
    let Some(first) = instants.first() else { return Vec::new() };
    let mut spans = vec![Span {
        last: 0,
        requests: 0.0,
        by_kind: vec![0.0; first.by_kind.len()],
        elapsed_ms: first.elapsed_ms,
        clock_ms: first.clock_ms,
        born: 0,
    }];
    let mut before = Instant { requests: 0.0, by_kind: vec![0.0; first.by_kind.len()], ..first.clone() };
    if first.moment == Moment::Baseline {
        before = first.clone();
    }
    for cycle in cycles {
        let now = &instants[cycle.last];
        let span = Span {
            last: now.cycle,
            requests: now.requests - before.requests,
            by_kind: now.by_kind.iter().zip(&before.by_kind).map(|(now, before)| now - before).collect(),
            elapsed_ms: now.elapsed_ms - before.elapsed_ms,
            clock_ms: now.clock_ms - before.clock_ms,
            born: cycle.last,
        };
        let joins = merged.iter().any(|(&last, &first)| {
            first < now.cycle && now.cycle <= last && spans.last().is_some_and(|span| span.last >= first)
        });
        match spans.last_mut() {
            Some(previous) if joins => join(previous, span),
            _ => spans.push(span),
        }
        before = now.clone();
    }
    spans
}

fn join(previous: &mut Span, next: Span) {
    previous.last = next.last;
    previous.requests += next.requests;
    for (sum, more) in previous.by_kind.iter_mut().zip(next.by_kind) {
        *sum += more;
    }
    previous.elapsed_ms += next.elapsed_ms;
    previous.clock_ms += next.clock_ms;
    previous.born = next.born;
}
