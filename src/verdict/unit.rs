//! The unit of analysis: what one component holds for one request kind, or for all of them.

use std::collections::BTreeMap;

use heapsoak_record::{ContextHeap, OWN_COMPONENT};

use crate::timeline::Timeline;

/// What is alive of one span of cohorts.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Held {
    pub(crate) bytes: f64,
    pub(crate) blocks: f64,
}

/// A unit at one instant.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub(crate) allocated_bytes: f64,
    pub(crate) allocated_blocks: f64,
    pub(crate) live: Held,
    /// Span and what is alive of it, oldest first.
    cells: Vec<(usize, Held)>,
}

/// Whose memory a unit counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// All of the component's.
    Whole,
    /// What no request asked for.
    Background,
    /// What requests of one kind asked for.
    Kind(String),
}

/// A component, or its share for one request kind, over the run.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    pub(crate) component: String,
    pub(crate) scope: Scope,
    /// Position of its kind in the header; none when its requests are all requests.
    pub(crate) kind: Option<usize>,
    /// One per instant of the timeline.
    pub(crate) states: Vec<State>,
}

impl State {
    /// What is alive of a span.
    pub(crate) fn held(&self, span: usize) -> Held {
        self.cells.binary_search_by_key(&span, |cell| cell.0).map_or(Held::default(), |at| self.cells[at].1)
    }

    /// What is alive of each span that has anything.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (usize, Held)> + '_ {
        self.cells.iter().copied()
    }

    /// Adds blocks of a span, alive.
    pub(crate) fn grow(&mut self, span: usize, more: Held) {
        self.live.bytes += more.bytes;
        self.live.blocks += more.blocks;
        self.add_cell(span, more);
    }

    fn add_cell(&mut self, span: usize, more: Held) {
        match self.cells.binary_search_by_key(&span, |cell| cell.0) {
            Ok(at) => {
                self.cells[at].1.bytes += more.bytes;
                self.cells[at].1.blocks += more.blocks;
            }
            Err(at) => self.cells.insert(at, (span, more)),
        }
    }

    fn add(&mut self, timeline: &Timeline<'_>, context: &ContextHeap) {
        self.allocated_bytes += context.allocated_bytes as f64;
        self.allocated_blocks += context.allocated_blocks as f64;
        self.live.bytes += context.live_bytes() as f64;
        self.live.blocks += context.live_blocks() as f64;
        for cell in &context.survivors {
            let span = timeline.span_of(cell.cohort.0);
            self.add_cell(span, Held { bytes: cell.live_bytes as f64, blocks: cell.live_blocks as f64 });
        }
    }
}

impl Unit {
    /// Name for sentences.
    pub(crate) fn name(&self) -> String {
        match &self.scope {
            Scope::Whole => self.component.clone(),
            Scope::Background => format!("{} in the background", self.component),
            Scope::Kind(kind) => format!("{} on {kind}", self.component),
        }
    }

    /// Requests that a span's memory is set against.
    pub(crate) fn exposure(&self, timeline: &Timeline<'_>, span: usize) -> f64 {
        timeline.spans[span].exposure(self.kind)
    }

    /// Its requests per request of the run.
    pub(crate) fn share(&self, timeline: &Timeline<'_>) -> f64 {
        let all = timeline.requests();
        if all > 0.0 { timeline.requests_of(self.kind) / all } else { 0.0 }
    }
}

/// The units of a run: for each component one of the whole, followed by one per scope.
pub(crate) fn units(timeline: &Timeline<'_>) -> Vec<Unit> {
    let mut units: BTreeMap<(String, Scope), Unit> = BTreeMap::new();
    let count = timeline.instants.len();
    for (index, snapshot) in timeline.snapshots.iter().enumerate() {
        let contexts = snapshot.heap.iter().flat_map(|heap| &heap.contexts);
        for context in contexts.filter(|context| context.component() != OWN_COMPONENT) {
            let own = context.kind.clone().map_or(Scope::Background, Scope::Kind);
            for scope in [Scope::Whole, own] {
                let component = context.component().to_owned();
                let unit = units.entry((component, scope)).or_insert_with_key(|(component, scope)| Unit {
                    component: component.clone(),
                    scope: scope.clone(),
                    kind: match scope {
                        Scope::Kind(kind) => timeline.kind_index(kind),
                        Scope::Whole | Scope::Background => None,
                    },
                    states: vec![State::default(); count],
                });
                unit.states[index].add(timeline, context);
            }
        }
    }
    units.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_are_added_to_a_span_are_alive_there_and_in_all() {
        let mut state = State::default();
        for (span, bytes, blocks) in [(3, 10.0, 1.0), (1, 7.0, 2.0), (3, 20.0, 4.0)] {
            state.grow(span, Held { bytes, blocks });
        }
        assert_eq!(state.live, Held { bytes: 37.0, blocks: 7.0 });
        let held: Vec<(usize, Held)> = state.cells().collect();
        assert_eq!(held, [(1, Held { bytes: 7.0, blocks: 2.0 }), (3, Held { bytes: 30.0, blocks: 5.0 })]);
        assert_eq!(state.held(2), Held::default());
    }
}
