//! What was counted for one thing.

use std::sync::atomic::{AtomicU64, Ordering};

/// What one thread counted for one thing since the process started.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Cell {
    pub(crate) allocated_bytes: AtomicU64,
    pub(crate) allocated_blocks: AtomicU64,
    pub(crate) freed_bytes: AtomicU64,
    pub(crate) freed_blocks: AtomicU64,
}

impl Cell {
    /// Counts an allocation. Only the owning thread may call this.
    #[inline(always)]
    pub(crate) fn allocated(&self, bytes: usize) {
        add(&self.allocated_bytes, bytes as u64);
        add(&self.allocated_blocks, 1);
    }

    /// Counts a free. Only the owning thread may call this.
    #[inline(always)]
    pub(crate) fn freed(&self, bytes: usize) {
        add(&self.freed_bytes, bytes as u64);
        add(&self.freed_blocks, 1);
    }

    /// Counts what stands for many allocations. Only the owning thread may call this.
    pub(crate) fn allocated_many(&self, (bytes, blocks): (u64, u64)) {
        add(&self.allocated_bytes, bytes);
        add(&self.allocated_blocks, blocks);
    }

    /// Counts what stands for many frees. Only the owning thread may call this.
    pub(crate) fn freed_many(&self, (bytes, blocks): (u64, u64)) {
        add(&self.freed_bytes, bytes);
        add(&self.freed_blocks, blocks);
    }

    /// Counts a change of size. Only the owning thread may call this.
    #[inline(always)]
    pub(crate) fn resized(&self, old: usize, new: usize) {
        if new >= old {
            add(&self.allocated_bytes, (new - old) as u64);
        } else {
            add(&self.freed_bytes, (old - new) as u64);
        }
    }
}

/// A load and a store, no read-modify-write: the counter has one writer. The release store pairs with a snapshot that
/// reads frees before allocations, so that it never sees a block freed that it does not see allocated.
#[inline(always)]
pub(super) fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Release);
}
