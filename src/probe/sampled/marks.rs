//! Marks of pages in which a block of the sample starts. Pages share them, so a mark says "perhaps".

use std::sync::atomic::{AtomicU8, Ordering};

const PAGE_BITS: u32 = 12;
const MARKS: usize = 1 << 16;

/// Blocks of the sample in the pages of a mark. One that is full stays so.
static IN_PAGES: [AtomicU8; MARKS] = [const { AtomicU8::new(0) }; MARKS];

fn mark(address: usize) -> &'static AtomicU8 {
    &IN_PAGES[(address >> PAGE_BITS) % MARKS]
}

/// Whether no block of the sample starts in the page.
#[inline(always)]
pub(super) fn is_clear(address: usize) -> bool {
    mark(address).load(Ordering::Relaxed) == 0
}

/// A block of the sample starts there. Call it from one thread at a time.
pub(super) fn add(address: usize) {
    let mark = mark(address);
    mark.store(mark.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
}

/// A block of the sample does not start there any more. Call it from one thread at a time.
pub(super) fn remove(address: usize) {
    let mark = mark(address);
    let blocks = mark.load(Ordering::Relaxed);
    if blocks != u8::MAX {
        mark.store(blocks.saturating_sub(1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_clear_before_the_first_block_of_the_sample_and_after_the_last() {
        let address = 0x7123_4567_8000;
        assert!(is_clear(address));
        add(address);
        add(address + 64);
        remove(address);
        assert!(!is_clear(address + 4_000));
        remove(address + 64);
        assert!(is_clear(address));
    }
}
