//! The call stacks of a run: what is captured, and what each stack held at some quiet points.

use heapsoak_record::{Captured, Mark, Stacks};
use heapsoak_symbols::{Symbols, resolve_stacks};

use crate::observer::{ObserveError, Observer};

/// Quiet points at which stacks are taken, besides the end: enough to see a stack grow, few enough to cost nothing.
const MARKS: u32 = 8;

/// Captures stacks in the server and collects them.
#[derive(Debug)]
pub(crate) struct Capture {
    rules: Vec<Captured>,
    /// Cycles between two marks.
    stride: u32,
    /// The cycle of the next mark, or the first after it that has a snapshot.
    next: u32,
    taken: Option<Stacks>,
    /// Of the longest stretch between restarts so far, with its cycles: the one that is judged.
    best: Option<(u32, Stacks)>,
    /// Cycle at whose end the server was restarted last.
    since: u32,
    last: u32,
}

impl Capture {
    /// To capture as these rules say, in a run of so many cycles.
    pub(crate) fn new(rules: Vec<Captured>, cycles: u32) -> Capture {
        let stride = (cycles / MARKS).max(1);
        Capture { rules, stride, next: stride, taken: None, best: None, since: 0, last: 0 }
    }

    /// Starts it. Returns why there will be no stacks, if the probe refuses; a server without the probe has none.
    pub(crate) async fn begin(&mut self, observer: &mut Observer) -> Option<String> {
        let rules = std::mem::take(&mut self.rules);
        if let Observer::Probe(probe) = observer {
            for rule in &rules {
                if let Err(error) = probe.capture_stacks(rule).await {
                    return Some(error.to_string());
                }
            }
            self.rules = rules;
        }
        None
    }

    /// The server was restarted at the end of a cycle: keeps what was taken of the stretch before if it is the longest
    /// so far, and captures in the new process from now on.
    pub(crate) async fn begin_anew(&mut self, cycle: u32, observer: &mut Observer) -> Option<String> {
        self.keep_longest();
        self.since = cycle;
        self.begin(observer).await
    }

    /// Of two stretches as long the later one, as the verdict has it.
    fn keep_longest(&mut self) {
        let Some(stacks) = self.taken.take() else { return };
        let cycles = self.last - self.since;
        if self.best.as_ref().is_none_or(|(longest, _)| cycles >= *longest) {
            self.best = Some((cycles, stacks));
        }
    }

    /// Takes the stacks at a quiet point, if it is one to do so at.
    pub(crate) async fn mark(
        &mut self,
        observer: &mut Observer,
        mark: Mark,
        is_last: bool,
    ) -> Result<(), ObserveError> {
        self.last = mark.cycle;
        let Observer::Probe(probe) = observer else { return Ok(()) };
        if self.rules.is_empty() || mark.cycle == 0 || !(is_last || mark.cycle >= self.next) {
            return Ok(());
        }
        self.next = (mark.cycle + 1).next_multiple_of(self.stride);
        let now = probe.stacks().await?;
        self.taken.get_or_insert_default().take_over(now, mark);
        Ok(())
    }

    /// What was captured, with the functions and lines looked up. None when nothing was.
    pub(crate) fn finish(mut self) -> Option<Stacks> {
        self.keep_longest();
        let (_, mut stacks) = self.best?;
        let mut symbols = Symbols::new();
        if let Ok(folder) = std::env::current_dir() {
            symbols = symbols.relative_to(folder);
        }
        resolve_stacks(&mut symbols, &mut stacks);
        Some(stacks)
    }
}
