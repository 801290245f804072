//! The positive control: a small leak whose size is known, planted when the driver asks for it.

use std::sync::{Mutex, PoisonError};

use heapsoak_record::CONTROL_COMPONENT;

use crate::{Component, Context, registry};

/// Most blocks, and most bytes, planted at once: the control is to be small.
const MOST_BLOCKS: u32 = 4_096;
const MOST_BYTES: u64 = 16 * 1024 * 1024;

static CONTROL: Component = Component::new(CONTROL_COMPONENT);

static PLANTED: Mutex<Planted> = Mutex::new(Planted { kept: Vec::new(), passing: Vec::new() });

/// Blocks of the control.
struct Planted {
    /// Never freed: what the verdict has to find.
    kept: Vec<Box<[u8]>>,
    /// Freed at the next planting: what it must not take for a leak.
    passing: Vec<Box<[u8]>>,
}

/// What was leaked on purpose so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

/// Leaks so many blocks of so many bytes, in the cohort that runs; none when that is more than a control may be.
pub(crate) fn plant(blocks: u32, block_bytes: u32) -> Option<Sum> {
    if blocks > MOST_BLOCKS || u64::from(blocks) * u64::from(block_bytes) > MOST_BYTES {
        return None;
    }
    let _own = registry::enter_own();
    let mut planted = PLANTED.lock().unwrap_or_else(PoisonError::into_inner);
    planted.passing.clear();
    for _ in 0..blocks {
        planted.kept.push(allocate(block_bytes));
        planted.passing.push(allocate(block_bytes));
    }
    let bytes = planted.kept.iter().map(|block| block.len() as u64).sum();
    Some(Sum { blocks: planted.kept.len() as u64, bytes })
}

/// A block charged to the control, and to no component around it.
fn allocate(bytes: u32) -> Box<[u8]> {
    let _outermost = Context::default().enter();
    CONTROL.scope(|| vec![0; bytes as usize].into_boxed_slice())
}
