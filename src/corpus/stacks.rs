//! Call stacks of a soak in this process, captured and looked up as the driver does it for a server.

use heapsoak_probe::{capture_stacks, stacks};
use heapsoak_record::{CaptureRate, Captured, Mark, Origin, Stacks};
use heapsoak_symbols::{Symbols, resolve_stacks};

/// Quiet points at which stacks are taken, besides the end.
const MARKS: u32 = 8;

/// What makes the steps and the blocks of every case. To a case it is what a crate is that a server depends on.
const HARNESS: [&str; 3] = ["heapsoak_corpus::trial::", "heapsoak_corpus::soak::", "heapsoak_corpus::draw::"];

/// Captures stacks while a soak runs.
#[derive(Debug)]
pub(crate) struct Capture {
    rule: Captured,
    stride: u32,
    taken: Stacks,
}

impl Capture {
    /// Starts it: of one component, or of all.
    ///
    /// # Panics
    ///
    /// If the probe has no room for stacks.
    pub(crate) fn begin(rule: Captured, cycles: u32) -> Capture {
        capture_stacks(rule.component.as_deref(), rule.rate).expect("there is room for the tables of stacks");
        Capture { rule, stride: (cycles / MARKS).max(1), taken: Stacks::default() }
    }

    /// Takes the stacks at the end of a cycle, if it is one to do so at.
    pub(crate) fn mark(&mut self, cycle: u32, requests: u64, is_last: bool) {
        let is_taken = self.taken.marks.last().is_some_and(|mark| mark.cycle == cycle);
        if cycle > 0 && !is_taken && (is_last || cycle.is_multiple_of(self.stride)) {
            self.taken.take_over(stacks(), Mark { cycle, requests });
        }
    }

    /// Ends it. Returns what was captured, with functions and lines.
    pub(crate) fn finish(self) -> Stacks {
        let Capture { rule, mut taken, .. } = self;
        let _ = capture_stacks(rule.component.as_deref(), CaptureRate::Off);
        resolve_stacks(&mut Symbols::new(), &mut taken);
        for symbol in taken.symbols.iter_mut().flatten() {
            let bare = symbol.function.trim_start_matches('<');
            if HARNESS.iter().any(|name| bare.starts_with(name)) {
                symbol.origin = Origin::Dependency;
            }
        }
        taken
    }
}
