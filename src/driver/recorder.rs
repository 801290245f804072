use std::io;
use std::path::Path;

use heapsoak_record::{End, Event, Header, Moment, Outcome, Recording, Snapshot, Stacks, Writer};

use crate::clock::Clock;
use crate::load::Tally;
use crate::observer::Seen;
use crate::rest::Rested;

/// Keeps a recording in memory and appends it to its file.
#[derive(Debug)]
pub(crate) struct Recorder {
    recording: Recording,
    writer: Writer,
}

impl Recorder {
    /// Creates the file.
    pub(crate) fn create(path: &Path, header: Header) -> io::Result<Recorder> {
        let writer = Writer::create(path, &header)?;
        Ok(Recorder { recording: Recording::new(header), writer })
    }

    pub(crate) fn recording(&self) -> &Recording {
        &self.recording
    }

    pub(crate) fn event(&mut self, event: Event) -> io::Result<()> {
        self.writer.event(&event)?;
        self.recording.events.push(event);
        Ok(())
    }

    /// Appends a snapshot, and before it what the wait for rest and the requests gave cause to note.
    pub(crate) fn snapshot(
        &mut self,
        cycle: u32,
        moment: Moment,
        seen: Seen,
        rested: Rested,
        tally: &Tally,
        clock: &Clock,
    ) -> io::Result<()> {
        for failure in tally.take_failures() {
            self.event(failure)?;
        }
        let quiet = rested.busy.is_none();
        if let Some(busy) = rested.busy {
            self.event(Event::NotQuiet { cycle, busy })?;
        }
        let snapshot = Snapshot {
            sequence: u32::try_from(self.recording.snapshots.len()).unwrap_or(u32::MAX),
            cycle,
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
        self.writer.snapshot(&snapshot)?;
        self.recording.snapshots.push(snapshot);
        Ok(())
    }

    /// Appends the stacks of the run.
    pub(crate) fn stacks(&mut self, stacks: Stacks) -> io::Result<()> {
        self.writer.stacks(&stacks)?;
        self.recording.stacks.push(stacks);
        Ok(())
    }

    /// Writes how the run ended and hands over the recording.
    pub(crate) fn end(mut self, outcome: Outcome, tally: &Tally, clock: &Clock) -> io::Result<Recording> {
        for failure in tally.take_failures() {
            self.event(failure)?;
        }
        let cycle = self.recording.snapshots.last().map_or(0, |snapshot| snapshot.cycle);
        if let Some(times) = tally.answer_times(cycle) {
            self.event(times)?;
        }
        let end = End { outcome, elapsed_ms: clock.elapsed_ms(), requests: tally.answered() };
        self.writer.end(&end)?;
        self.recording.end = Some(end);
        Ok(self.recording)
    }
}
