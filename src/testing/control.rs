use heapsoak_record::Event;

use crate::scope::Scope;

/// Blocks planted in each cycle.
const BLOCKS: usize = 4;

/// The positive control of a soak: a leak of a known rate, in the soak's own scope, that its verdict has to find.
#[derive(Debug)]
pub(crate) struct Control {
    per_1000: f64,
    kept: Vec<Box<[u8]>>,
    passing: Vec<Box<[u8]>>,
    due: f64,
    planted: u64,
}

impl Control {
    pub(crate) fn new(per_1000: f64) -> Control {
        Control { per_1000, kept: Vec::new(), passing: Vec::new(), due: 0.0, planted: 0 }
    }

    /// Plants a cycle's share, and frees what passed by in the cycle before.
    pub(crate) fn plant(&mut self, scope: &Scope, cycle: u32, iterations: u64) -> Event {
        let _own = scope.own.enter();
        self.due += self.per_1000 * iterations as f64 / 1000.0;
        let block = ((self.due - self.planted as f64) / BLOCKS as f64).round().max(1.0) as usize;
        let bytes = (block * BLOCKS) as u64;
        self.planted += bytes;
        self.kept.reserve(BLOCKS);
        self.passing.clear();
        self.passing.reserve(BLOCKS);
        let allocate = || {
            let _control = scope.control.enter();
            std::hint::black_box(vec![0_u8; block].into_boxed_slice())
        };
        for _ in 0..BLOCKS {
            self.kept.push(allocate());
            self.passing.push(allocate());
        }
        Event::ControlPlanted { cycle, blocks: BLOCKS as u64, bytes }
    }
}
