//! The allocator a server declares.
#![allow(unsafe_code)] // implements GlobalAlloc

use std::alloc::{GlobalAlloc, Layout};
use std::hint::cold_path;

use crate::local::{self, FARTHEST};
use crate::mode;
use crate::sampled::{self, Sample};
use crate::shadow::LARGE;

/// How often a block under capture is prepared for it: again when a cohort began in between, which does not happen twice.
const ATTEMPTS: usize = 8;

/// Blocks start at multiples of 16, and at least this far from each other.
const SMALLEST: usize = 16;

/// Wraps the allocator a server has and counts, for every context, what it hands out and takes back.
///
/// Sizes counted are those the program asked for. Passes failure (null) through uncounted. What it
/// costs while counting is measured in `docs/performance.md`; otherwise it is one load and one branch a call.
///
/// ```
/// use std::alloc::System;
///
/// #[global_allocator]
/// static ALLOCATOR: heapsoak_probe::Probe<System> = heapsoak_probe::Probe::new(System);
/// # fn main() {}
/// ```
#[derive(Debug, Default)]
pub struct Probe<A>(A);

impl<A> Probe<A> {
    /// Wraps an allocator.
    pub const fn new(inner: A) -> Probe<A> {
        Probe(inner)
    }
}

/// More than any address space has: who asks for more gets null, as who asks for this much does.
const LARGEST: usize = isize::MAX as usize - (SMALLEST - 1);
const _: () = assert!(FARTHEST < LARGEST);

/// Whether a block goes the short way: most do.
#[inline(always)]
fn is_small(layout: Layout) -> bool {
    if layout.size() >= LARGE || layout.align() > SMALLEST {
        cold_path(); // two comparisons with a branch each are less than one of their sum
        return false;
    }
    true
}

/// What the allocator inside is asked for instead of a layout of an alignment up to 16 and of a size that can be had: 16
/// bytes or more at a multiple of 16, which is what allocators give for these sizes anyway. Only that blocks of up to 8
/// bytes take 16 is new to some: they pack two of them into the 16 bytes one tag covers.
#[inline(always)]
fn widened(bytes: usize) -> Layout {
    debug_assert!(bytes <= FARTHEST);
    // SAFETY: an alignment of 16, and a size far below isize::MAX.
    unsafe { Layout::from_size_align_unchecked(bytes.max(SMALLEST), SMALLEST) }
}

/// Whether a block starts where any block starts.
#[inline(always)]
fn starts_anywhere(layout: Layout) -> bool {
    if layout.align() > SMALLEST {
        cold_path();
        return false;
    }
    true
}

/// What the allocator inside is asked for instead of any layout.
#[inline(always)]
fn widened_with_care(layout: Layout) -> Layout {
    let size = layout.size().clamp(SMALLEST, LARGEST);
    if layout.align() > SMALLEST {
        cold_path();
        // SAFETY: rounded up to a larger alignment, the size stayed below isize::MAX in the layout given.
        return unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
    }
    // SAFETY: rounded up to 16, LARGEST stays below isize::MAX.
    unsafe { Layout::from_size_align_unchecked(size, SMALLEST) }
}

// SAFETY: every call is passed on to the inner allocator with the same layout, or, for sizes and alignments below 16,
// with 16 in each of the four methods alike. Counting neither panics nor allocates.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Probe<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if starts_anywhere(layout) && local::passes(layout.size()) {
            // SAFETY: the caller's promise, with a layout at least as large; what passes can be had.
            return unsafe { self.0.alloc(widened(layout.size())) };
        }
        if is_small(layout) {
            // SAFETY: the caller's promise.
            return unsafe { self.alloc_counted(layout.size()) };
        }
        // SAFETY: the caller's promise.
        unsafe { self.alloc_any(layout, false) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if starts_anywhere(layout) && local::passes(layout.size()) {
            // SAFETY: the caller's promise, with a layout at least as large; what passes can be had.
            return unsafe { self.0.alloc_zeroed(widened(layout.size())) };
        }
        // SAFETY: the caller's promise.
        unsafe { self.alloc_any(layout, true) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if starts_anywhere(layout)
            && (local::looks_away(block.addr())
                || layout.size() < LARGE && local::freed(block.addr(), layout.size()))
        {
            // SAFETY: the block was allocated with the widened layout: one of the sample is not looked away from, and where
            // there was a sample no free is counted at once.
            return unsafe { self.0.dealloc(block, widened(layout.size())) };
        }
        // SAFETY: the caller's promise.
        unsafe { self.dealloc_any(block, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if starts_anywhere(layout)
            && local::looks_away(block.addr())
            && local::passes(new_size.saturating_sub(layout.size()))
        {
            // SAFETY: the block was allocated with the widened layout, and the new size is at least what was asked for.
            return unsafe {
                self.0.realloc(block, widened(layout.size()), new_size.clamp(SMALLEST, LARGEST))
            };
        }
        // SAFETY: the caller's promise.
        unsafe { self.realloc_counted(block, layout, new_size) }
    }
}

impl<A: GlobalAlloc> Probe<A> {
    /// # Safety
    /// As `alloc`, for a small layout of this size.
    #[inline(never)]
    unsafe fn alloc_counted(&self, bytes: usize) -> *mut u8 {
        let head = local::head();
        // SAFETY: the caller's promise, with a layout at least as large.
        let block = unsafe { self.0.alloc(widened(bytes)) };
        if local::allocated(head, block.addr(), bytes) {
            return block;
        }
        // SAFETY: an alignment of one; the block was allocated just now.
        unsafe { self.count_slowly(block, Layout::from_size_align_unchecked(bytes, 1), false) }
    }

    /// As `alloc` or `alloc_zeroed`, for any layout.
    ///
    /// # Safety
    /// As theirs.
    #[inline(never)]
    unsafe fn alloc_any(&self, layout: Layout, zeroed: bool) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { self.alloc_inside(widened_with_care(layout), zeroed) };
        if local::allocated_any(block.addr(), layout.size()) {
            return block;
        }
        // SAFETY: the block was allocated just now.
        unsafe { self.count_slowly(block, layout, zeroed) }
    }

    /// # Safety
    /// As `alloc`'s.
    #[inline(always)]
    unsafe fn alloc_inside(&self, layout: Layout, zeroed: bool) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { if zeroed { self.0.alloc_zeroed(layout) } else { self.0.alloc(layout) } }
    }

    /// Counts a new block, or takes it into the sample, where a look at the thread's counters was not enough. Takes and
    /// returns it, so that nothing is kept around the call. Not cold: all blocks under capture come here.
    ///
    /// # Safety
    /// The block is null or was allocated for this layout, and nobody else knows of it.
    #[inline(never)]
    unsafe fn count_slowly(&self, block: *mut u8, layout: Layout, zeroed: bool) -> *mut u8 {
        let bytes = layout.size();
        if block.is_null() {
            return block;
        }
        // From here alone, so that the same way to an allocation is always the same stack.
        for _ in 0..ATTEMPTS {
            if local::allocated_captured(block.addr(), bytes) {
                return block;
            }
            if !local::prepare_capture(block.addr(), bytes) {
                break;
            }
        }
        if local::is_due(bytes) {
            // SAFETY: this function's.
            return unsafe { self.sample_new(block, layout, zeroed) };
        }
        local::allocated_slowly(block.addr(), bytes);
        block
    }

    /// Takes a new block into the sample. It has to start with a page, by which a free knows that it has to look: if it
    /// does not, another is allocated that does; where there is no room for that, it is not of the sample.
    ///
    /// # Safety
    /// The block was allocated for this layout, and nobody else knows of it.
    #[cold]
    #[inline(never)]
    unsafe fn sample_new(&self, block: *mut u8, layout: Layout, zeroed: bool) -> *mut u8 {
        let held = widened_with_care(layout);
        // SAFETY: of the same size, at a larger alignment.
        let other = |layout| unsafe { self.alloc_inside(layout, zeroed) };
        match sampled::begin(local::context(), layout.size()) {
            // SAFETY: this function's.
            Some(sample) => unsafe { self.settle(sample, (block, held), layout.size(), other) },
            None => block,
        }
    }

    /// Takes a block that `realloc` returned into the sample, or puts it back, as [`sample_new`](Probe::sample_new) does.
    ///
    /// # Safety
    /// The block has this layout, and nobody else knows of it.
    #[cold]
    #[inline(never)]
    unsafe fn sample_resized(&self, sample: Sample, block: *mut u8, held: Layout, bytes: usize) -> *mut u8 {
        let other = |layout| {
            // SAFETY: of the same size, at a larger alignment.
            let other = unsafe { self.0.alloc(layout) };
            if !other.is_null() {
                // SAFETY: both have so many bytes, and lie apart.
                unsafe { other.copy_from_nonoverlapping(block, held.size()) };
            }
            other
        };
        // SAFETY: this function's.
        unsafe { self.settle(sample, (block, held), bytes, other) }
    }

    /// Puts a block of so many bytes into the sample, in another place if it does not start with a page.
    ///
    /// # Safety
    /// The block has this layout, nobody else knows of it, and `other` allocates one in its place with a layout it is
    /// given, or returns null.
    #[inline]
    unsafe fn settle(
        &self,
        sample: Sample,
        (block, held): (*mut u8, Layout),
        bytes: usize,
        other: impl FnOnce(Layout) -> *mut u8,
    ) -> *mut u8 {
        if sampled::may_be_at(block.addr()) {
            sampled::put(sample, block.addr(), bytes);
            return block;
        }
        let sample = sample.at_start_of_page();
        let other = other(sample.layout(held));
        if other.is_null() {
            sampled::give_up();
            return block;
        }
        // SAFETY: this function's: the other block is in its place.
        unsafe { self.0.dealloc(block, held) };
        sampled::put(sample, other.addr(), bytes);
        other
    }

    /// As `dealloc`, for any layout.
    ///
    /// # Safety
    /// As its.
    #[inline(never)]
    unsafe fn dealloc_any(&self, block: *mut u8, layout: Layout) {
        let mut held = widened_with_care(layout);
        if let Some(sample) = sampled::end(block.addr()) {
            held = sample.layout(held);
        }
        if mode::looks_at_each() && !local::freed_watched(block.addr(), layout.size()) {
            local::freed_slowly(block.addr(), layout.size());
        }
        // SAFETY: the block was allocated with the widened layout, or with the sample's.
        unsafe { self.0.dealloc(block, held) }
    }

    /// # Safety
    /// As `realloc`'s.
    #[inline(never)]
    unsafe fn realloc_counted(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // The owner is read before the old place can be given to another thread.
        let (true, Some(owner)) = (starts_anywhere(layout), local::known_owner(block.addr(), layout.size()))
        else {
            // SAFETY: the caller's promise.
            return unsafe { self.realloc_any(block, layout, new_size) };
        };
        let asked = new_size.clamp(SMALLEST, LARGEST);
        // SAFETY: the block was allocated with the widened layout, and is none of a sample, where owners are not known.
        let moved = unsafe { self.0.realloc(block, widened(layout.size()), asked) };
        if !moved.is_null() {
            local::resized(owner, layout.size(), moved.addr(), new_size);
        }
        moved
    }

    /// As `realloc`, for any layout.
    ///
    /// # Safety
    /// As its.
    #[inline(never)]
    unsafe fn realloc_any(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let asked = new_size.clamp(SMALLEST, LARGEST);
        let sample = sampled::take(block.addr());
        let held = widened_with_care(layout);
        let held = sample.map_or(held, |sample| sample.layout(held));
        // The owner is read before the old place can be given to another thread.
        let owner = local::owner(block.addr(), layout.size());
        // SAFETY: the block was allocated with this layout, and the new size is at least what was asked for.
        let moved = unsafe { self.0.realloc(block, held, asked) };
        if moved.is_null() {
            local::kept(owner, block.addr(), layout.size());
            if let Some(sample) = sample {
                sampled::put(sample, block.addr(), layout.size());
            }
            return moved;
        }
        if mode::looks_at_each() {
            local::resized(owner, layout.size(), moved.addr(), new_size);
        }
        let sample = sample.or_else(|| {
            let growth = new_size.saturating_sub(layout.size());
            let is_due = !mode::looks_at_each() && !local::passes(growth) && local::is_due(growth);
            if is_due { sampled::begin(local::context(), new_size) } else { None }
        });
        match sample {
            // SAFETY: `realloc` succeeded with this size and alignment; nobody else knows of the block.
            Some(sample) => unsafe {
                let held = Layout::from_size_align_unchecked(asked, held.align());
                self.sample_resized(sample, moved, held, new_size)
            },
            None => moved,
        }
    }
}
