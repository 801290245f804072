//! A seeded trace of allocations against one allocator.
#![allow(unsafe_code)] // raw blocks

use std::alloc::{GlobalAlloc, Layout};

/// How the blocks of a trace fared when resized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Moves {
    pub(crate) moved: u64,
    pub(crate) stayed: u64,
}

/// The sizes a trace asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) smallest: usize,
    pub(crate) largest: usize,
}

/// xorshift64: Marsaglia, "Xorshift RNGs", 2003.
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 33).expect("31 bits")
}

fn size(state: &mut u64, sizes: Sizes) -> usize {
    let most = match random(state) % 100 {
        0 => 4 << 20,
        1..20 => 65_536,
        20..30 => 16,
        _ => 600,
    };
    (1 + random(state) % most).clamp(sizes.smallest, sizes.largest)
}

/// Allocates, resizes and frees, up to 500 blocks at a time, and counts the resized blocks that moved.
pub(crate) fn run(allocator: &impl GlobalAlloc, seed: u64, steps: usize, sizes: Sizes) -> Moves {
    let mut state = seed;
    let mut moves = Moves::default();
    let mut held: Vec<(*mut u8, Layout)> = Vec::with_capacity(500);
    for _ in 0..steps {
        let index = random(&mut state) % held.len().max(1);
        match random(&mut state) % 4 {
            0 if held.len() < 500 => {
                let layout = Layout::from_size_align(size(&mut state, sizes), 8).expect("small");
                // SAFETY: the size is not zero.
                let block = unsafe { allocator.alloc(layout) };
                assert!(!block.is_null());
                held.push((block, layout));
            }
            1 | 2 if !held.is_empty() => {
                let (block, layout) = held[index];
                // A buffer that grows or shrinks a little, or anything at all.
                let new = match random(&mut state) % 4 {
                    0 => layout.size() + 1 + random(&mut state) % (layout.size() / 4 + 8),
                    1 => layout.size() - layout.size() / 8,
                    2 => layout.size() * 2,
                    _ => size(&mut state, sizes),
                };
                let new = new.clamp(sizes.smallest, sizes.largest);
                // SAFETY: the layout is the block's, and the new size is not zero.
                let now = unsafe { allocator.realloc(block, layout, new) };
                assert!(!now.is_null());
                if now == block {
                    moves.stayed += 1;
                } else {
                    moves.moved += 1;
                }
                held[index] = (now, Layout::from_size_align(new, 8).expect("small"));
            }
            3 if !held.is_empty() => {
                let (block, layout) = held.swap_remove(index);
                // SAFETY: the layout is the block's.
                unsafe { allocator.dealloc(block, layout) };
            }
            _ => {}
        }
    }
    for (block, layout) in held {
        // SAFETY: the layout is the block's.
        unsafe { allocator.dealloc(block, layout) };
    }
    moves
}
