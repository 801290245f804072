#![allow(unsafe_code)] // one figure has no safe reader

use heapsoak_record::Resource;
use jemalloc_ctl::{epoch, raw, stats};

use super::bytes;
use crate::heap;

/// What jemalloc says of itself. All zero, and then left out, when jemalloc is not the allocator inside.
///
/// `jemalloc.rounding` is what the size classes took beyond what was asked for: the bytes of all blocks that are in
/// use, by jemalloc's count, less the bytes asked for, by the probe's. At rest it is exact to the byte, and it costs
/// an allocation nothing. It is left out when the probe began to count after blocks were allocated.
pub(super) fn figures() -> Vec<Resource> {
    if epoch::advance().is_err() {
        return Vec::new();
    }
    // Nothing is allocated between the two counts.
    let (taken, asked_for) = (in_use(), heap::asked_for());
    let read = [
        ("jemalloc.allocated", stats::allocated::read().ok()),
        ("jemalloc.active", stats::active::read().ok()),
        ("jemalloc.resident", stats::resident::read().ok()),
        ("jemalloc.retained", stats::retained::read().ok()),
    ];
    let mut figures: Vec<Resource> =
        read.into_iter().filter_map(|(name, value)| Some(bytes(name, u64::try_from(value?).ok()?))).collect();
    if let (Some(taken), Some(asked_for)) = (taken, asked_for) {
        figures.extend(taken.checked_sub(asked_for).map(|rounding| bytes("jemalloc.rounding", rounding)));
    }
    figures
}

/// Bytes of the blocks the program has: what is allocated, but for what waits in the caches of threads and for what
/// jemalloc has for itself.
fn in_use() -> Option<u64> {
    let mut in_use = stats::allocated::read().ok()?;
    // 4096 stands for all arenas (`MALLCTL_ARENAS_ALL`).
    for name in [b"stats.arenas.4096.tcache_bytes\0".as_slice(), b"stats.arenas.4096.internal\0"] {
        // SAFETY: the name ends with a zero, and both are of the type `size_t`.
        in_use = in_use.checked_sub(unsafe { raw::read::<usize>(name) }.ok()?)?;
    }
    u64::try_from(in_use).ok()
}

#[cfg(test)]
mod tests {
    use std::alloc::{GlobalAlloc, Layout};

    use jemallocator::{Jemalloc, usable_size};

    use super::*;
    use crate::Probe;

    // Jemalloc has no other user in this process.
    static PROBED: Probe<Jemalloc> = Probe::new(Jemalloc);

    fn rounding() -> u64 {
        figures().iter().find(|figure| figure.name == "jemalloc.rounding").unwrap().value
    }

    #[test]
    fn rounding_is_what_the_size_classes_took_beyond_what_was_asked_for_to_the_byte() {
        crate::count();
        let mut expected = 0;
        let mut blocks = Vec::new();
        for round in 1..3_000_usize {
            let size = [round % 40 + 1, round, round * 37][round % 3];
            let layout = Layout::from_size_align(size, 1 << (round % 7)).unwrap();
            // SAFETY: the size is not zero.
            let block = unsafe { PROBED.alloc(layout) };
            if round % 4 == 0 {
                // SAFETY: allocated with this layout. Freed blocks wait in the thread's cache.
                unsafe { PROBED.dealloc(block, layout) };
            } else {
                // SAFETY: the block is jemalloc's.
                expected += unsafe { usable_size(block) } - size;
                blocks.push((block, layout));
            }
        }
        assert_eq!(rounding(), expected as u64);
        for (block, layout) in blocks {
            // SAFETY: allocated with this layout.
            unsafe { PROBED.dealloc(block, layout) };
        }
        assert_eq!(rounding(), 0);
    }
}
