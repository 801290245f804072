use std::io;
use std::path::{Path, PathBuf};

use heapsoak_record::{End, Event, Folding, Header, Moment, Outcome, Recording, Snapshot, Stacks, Writer};

use crate::clock::Clock;
use crate::ended::{Ended, Weight};
use crate::load::Tally;
use crate::observer::Seen;
use crate::rest::Rested;

/// Cycles kept; a recording that has more is folded: a verdict needs far fewer.
pub(crate) const MOST_CYCLES: u32 = 256;

/// Counts of survivors kept in all snapshots together; with more, a recording is folded as long as
/// [`FEWEST_CYCLES`] are left.
pub(crate) const MOST_CELLS: usize = 300_000;

/// Cycles that a fold leaves, whatever they weigh.
const FEWEST_CYCLES: u32 = 32;

/// Processes kept of a server that is restarted again and again; those that are over take at most twice as many, and
/// fewer where they are heavy.
const PROCESSES: usize = 64;

/// Processes that are kept, whatever they weigh.
const FEWEST_PROCESSES: usize = 16;

/// Appends a recording to its file and keeps the file bounded, however long the run. It keeps none of it in memory: what a
/// driver holds does not grow with the run.
#[derive(Debug)]
pub(crate) struct Recorder {
    writer: Writer,
    path: PathBuf,
    folding: Folding,
    /// Snapshots so far.
    sequence: u32,
    /// Counts of survivors in those of the process that runs.
    cells: usize,
    /// What happened since the last snapshot, once a snapshot stands for several cycles.
    pending: Vec<Event>,
    /// The processes before it.
    ended: Ended,
}

impl Recorder {
    /// Creates the file.
    pub(crate) fn create(path: &Path, header: &Header) -> io::Result<Recorder> {
        let writer = Writer::create(path, header)?;
        let (folding, pending) = (Folding::default(), Vec::new());
        Ok(Recorder {
            writer,
            path: path.to_owned(),
            folding,
            sequence: 0,
            cells: 0,
            pending,
            ended: Ended::default(),
        })
    }

    /// Goes on with a recording that broke off, in its file; returns the cycles of the run that it has.
    pub(crate) fn resume(path: &Path, mut recording: Recording) -> io::Result<(Recorder, u32)> {
        recording.end = None;
        recording.stacks.clear();
        let (folding, done) = Folding::of(&recording);
        // Its last line may be cut off.
        let writer = Writer::replace(path, &recording)?;
        let (pending, ended) = (Vec::new(), Ended::default());
        let path = path.to_owned();
        let mut recorder = Recorder { writer, path, folding, sequence: 0, cells: 0, pending, ended };
        recorder.weigh(&recording);
        Ok((recorder, done))
    }

    /// What is recorded so far, from the file.
    pub(crate) fn read(&self) -> io::Result<Recording> {
        Recording::read(&self.path).map_err(io::Error::other)
    }

    pub(crate) fn folding(&self) -> &Folding {
        &self.folding
    }

    /// Appends an event of a cycle of the run.
    pub(crate) fn event(&mut self, event: Event) -> io::Result<()> {
        let folding = &self.folding;
        let event = event.in_cycle(|cycle| folding.cycle(cycle));
        if folding.each() == 1 {
            return self.writer.event(&event);
        }
        event.join(&mut self.pending);
        Ok(())
    }

    /// Appends a snapshot, and before it what the wait for rest and the requests gave cause to note.
    pub(crate) fn snapshot(
        &mut self,
        cycle: u32,
        moment: Moment,
        mut seen: Seen,
        rested: Rested,
        tally: &Tally,
        clock: &Clock,
    ) -> io::Result<Snapshot> {
        for failure in tally.take_failures() {
            self.event(failure)?;
        }
        let quiet = rested.busy.is_none();
        if let Some(busy) = rested.busy {
            self.event(Event::NotQuiet { cycle, busy })?;
        }
        self.flush(cycle)?;
        if let Some(heap) = &mut seen.heap {
            match moment {
                Moment::Baseline if heap.cohort.0 > 0 => {
                    self.folding.begin(heap.cohort.0);
                    self.writer.event(&Event::Attached { cohort: heap.cohort.0 })?;
                }
                Moment::Baseline => {}
                Moment::CycleEnd | Moment::AfterAdvance => self.folding.close(heap.cohort.0, cycle),
            }
            if !self.folding.is_plain() {
                heap.renumber(|cohort| self.folding.cohort(cohort));
            }
        }
        let snapshot = Snapshot {
            sequence: self.sequence,
            cycle: self.folding.cycle(cycle).min(cycle),
            moment,
            elapsed_ms: clock.elapsed_ms(),
            clock_ms: clock.server_elapsed_ms(),
            requests: tally.answered(),
            kinds: tally.kinds(),
            quiet,
            waited_ms: rested.waited_ms,
            heap: seen.heap,
            resources: seen.resources,
            gauges: seen.gauges,
        };
        self.sequence += 1;
        self.cells += count_cells(&snapshot);
        self.writer.snapshot(&snapshot)?;
        Ok(snapshot)
    }

    /// Folds the recording if it has become long; once the server was restarted, what it has of the process that runs.
    /// Called when nothing more comes of a cycle of the run.
    pub(crate) fn fold_if_long(&mut self, cycle: u32) -> io::Result<()> {
        let cycles = self.folding.kept(cycle);
        let long = cycles >= MOST_CYCLES || (self.cells > MOST_CELLS && cycles >= 2 * FEWEST_CYCLES);
        if !long || !cycles.is_multiple_of(2) || !self.folding.is_whole(cycle) {
            return Ok(());
        }
        self.flush(cycle)?;
        let mut recording = self.read()?;
        self.folding.fold();
        if self.folding.has_restarted() {
            recording.fold_newest();
        } else {
            recording.fold();
            recording.events.push(Event::Folded { after: cycle, cycles_each: self.folding.each() });
        }
        self.replace(&recording)
    }

    /// The server was restarted after a cycle, as the event says. Of the processes before it, less is kept from time to time.
    pub(crate) fn restart(&mut self, cycle: u32, event: Event) -> io::Result<()> {
        self.flush(cycle)?;
        let unnumbered = !self.folding.has_restarted() && self.folding.each() > 1;
        self.ended
            .add(self.folding.own(cycle), Weight { cycles: self.folding.kept(cycle), cells: self.cells });
        if unnumbered || self.ended.others.is_long() {
            let mut recording = self.read()?;
            if unnumbered {
                recording.number_as_run(self.folding.each(), cycle);
            }
            if self.ended.others.is_long() {
                for most in [PROCESSES, FEWEST_PROCESSES] {
                    recording.thin(most);
                    self.ended = Ended::of(&recording);
                    if self.ended.others.cells <= MOST_CELLS / 2 {
                        break;
                    }
                }
            }
            recording.events.push(event);
            self.replace(&recording)?;
        } else {
            self.writer.event(&event)?;
        }
        self.folding.restart(cycle);
        self.cells = 0;
        Ok(())
    }

    /// Appends the stacks of the run.
    pub(crate) fn stacks(&mut self, mut stacks: Stacks) -> io::Result<()> {
        for mark in &mut stacks.marks {
            mark.cycle = self.folding.cycle(mark.cycle).min(mark.cycle);
        }
        self.writer.stacks(&stacks)
    }

    /// Writes how the run ended and hands over the recording. `cycle` is the run's last.
    pub(crate) fn end(
        mut self,
        outcome: Outcome,
        cycle: u32,
        tally: &Tally,
        clock: &Clock,
    ) -> io::Result<Recording> {
        for event in tally.take_failures().into_iter().chain(tally.answer_times(cycle)) {
            self.event(event)?;
        }
        self.flush(cycle)?;
        let end = End { outcome, elapsed_ms: clock.elapsed_ms(), requests: tally.answered() };
        self.writer.end(&end)?;
        Recording::read(&self.path).map_err(io::Error::other)
    }

    /// Writes what is pending, before a snapshot at the end of a cycle of the run.
    fn flush(&mut self, cycle: u32) -> io::Result<()> {
        // A restart may leave the last of the cycles that were to be one out.
        let last = self.folding.cycle(cycle).min(cycle);
        let mut pending = std::mem::take(&mut self.pending);
        for event in pending.drain(..) {
            self.writer.event(&event.in_cycle(|cycle| cycle.min(last)))?;
        }
        self.pending = pending;
        Ok(())
    }

    fn replace(&mut self, recording: &Recording) -> io::Result<()> {
        self.writer = Writer::replace(&self.path, recording)?;
        self.weigh(recording);
        Ok(())
    }

    fn weigh(&mut self, recording: &Recording) {
        self.sequence = u32::try_from(recording.snapshots.len()).unwrap_or(u32::MAX);
        let newest = recording.stretches().pop().map_or(0..0, |newest| newest.snapshots);
        self.cells = recording.snapshots[newest].iter().map(count_cells).sum();
    }
}

pub(crate) fn count_cells(snapshot: &Snapshot) -> usize {
    let contexts = snapshot.heap.iter().flat_map(|heap| &heap.contexts);
    contexts.map(|context| context.survivors.len()).sum()
}
