//! Counters of a thread: one cell per tag, written by their thread alone.
#![allow(unsafe_code)] // blocks are raw mapped memory, threads end through a pthread key

use std::cell::Cell as Plain;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicU64, Ordering};

use crate::fork;
use crate::lock::Lock;
use crate::mapping::map_for_ever;
use crate::shadow::Tag;

/// Tags there are, zero among them.
pub(crate) const TAGS: usize = 1 << 16;

/// What one thread counted for one tag since the process started.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Cell {
    pub(crate) allocated_bytes: AtomicU64,
    pub(crate) allocated_blocks: AtomicU64,
    pub(crate) freed_bytes: AtomicU64,
    pub(crate) freed_blocks: AtomicU64,
}

impl Cell {
    const fn new() -> Cell {
        Cell {
            allocated_bytes: AtomicU64::new(0),
            allocated_blocks: AtomicU64::new(0),
            freed_bytes: AtomicU64::new(0),
            freed_blocks: AtomicU64::new(0),
        }
    }

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
fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Release);
}

/// The counters of one thread. Kept for ever: when its thread ends, another one takes it over.
#[repr(C)]
pub(crate) struct Counters {
    cells: [Cell; TAGS],
    /// The tag of the context the thread is in; zero when it has to be asked for. Written by the thread, and set to
    /// zero by whoever starts a cohort.
    pub(crate) current: AtomicU16,
    owned: AtomicBool,
    next: AtomicPtr<Counters>,
}

impl Counters {
    /// The cell of a tag.
    #[inline(always)]
    pub(crate) fn cell(&self, tag: Tag) -> &Cell {
        &self.cells[usize::from(tag)]
    }
}

/// Every block there ever was, newest first.
static BLOCKS: AtomicPtr<Counters> = AtomicPtr::new(ptr::null_mut());

/// Counters of threads that can't have their own: while they end, or when the system gives no memory. Written by
/// several threads under a lock of nanoseconds, so that the single-writer rule of [`Cell`] holds.
static SHARED: Counters = Counters {
    cells: [const { Cell::new() }; TAGS],
    current: AtomicU16::new(0),
    owned: AtomicBool::new(true),
    next: AtomicPtr::new(ptr::null_mut()),
};
static SHARED_TURN: Lock<()> = Lock::new(());

/// Counts in the shared block. A turn that can't be had (the child of a fork whose parent held it) is taken all the
/// same: the process has one thread then.
pub(crate) fn with_shared(tag: Tag, count: impl FnOnce(&Cell)) {
    let _turn = SHARED_TURN.take();
    count(SHARED.cell(tag));
}

/// Every block of counters, the shared one first.
pub(crate) fn blocks() -> impl Iterator<Item = &'static Counters> {
    let mut next = BLOCKS.load(Ordering::Acquire);
    std::iter::once(&SHARED).chain(std::iter::from_fn(move || {
        // SAFETY: a block in the list is initialised and never unmapped.
        let block = unsafe { next.as_ref()? };
        next = block.next.load(Ordering::Acquire);
        Some(block)
    }))
}

/// A block for the calling thread, to be given back when the thread ends; null when there is none to be had.
pub(crate) fn acquire() -> *const Counters {
    let Some(key) = exit_key() else { return ptr::null() };
    let block = take_over().unwrap_or_else(map_new);
    if block.is_null() {
        return block;
    }
    // SAFETY: the key was created and is never deleted. For keys below 32, which the first of a process are, glibc
    // stores the value without allocating.
    if unsafe { libc::pthread_setspecific(key, block.cast()) } != 0 {
        // SAFETY: `block` is in the list or was just mapped by this thread.
        unsafe { (*block).owned.store(false, Ordering::Release) };
        return ptr::null();
    }
    // SAFETY: as above. What the last owner was charged to is not what this one is.
    unsafe { (*block).current.store(0, Ordering::Relaxed) };
    block
}

fn take_over() -> Option<*const Counters> {
    blocks()
        .find(|block| {
            !block.owned.load(Ordering::Relaxed)
                && block.owned.compare_exchange(false, true, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        })
        .map(ptr::from_ref)
}

fn map_new() -> *const Counters {
    let block: *mut Counters = map_for_ever(size_of::<Counters>()).cast();
    if block.is_null() {
        return block;
    }
    // SAFETY: zeroed memory is a valid `Counters` (all atomics), and no one else knows of it yet.
    let counters = unsafe { &*block };
    counters.owned.store(true, Ordering::Relaxed);
    let mut head = BLOCKS.load(Ordering::Acquire);
    loop {
        counters.next.store(head, Ordering::Relaxed);
        match BLOCKS.compare_exchange_weak(head, block, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return block,
            Err(now) => head = now,
        }
    }
}

/// Frees the locks in the child of a fork.
pub(crate) fn free_locks() {
    SHARED_TURN.free_in_child();
    KEY.free_in_child();
}

static KEY: Lock<Plain<Option<libc::pthread_key_t>>> = Lock::new(Plain::new(None));

/// The key whose destructor runs when a thread ends, after the destructors of Rust's thread locals.
fn exit_key() -> Option<libc::pthread_key_t> {
    let key = KEY.take()?;
    if key.get().is_none() {
        let mut new = 0;
        // SAFETY: `new` is writable, and the destructor has the signature asked for.
        if unsafe { libc::pthread_key_create(&raw mut new, Some(thread_ends)) } == 0 {
            key.set(Some(new));
            fork::watch();
        }
    }
    key.get()
}

/// Runs on the ending thread: what it still allocates or frees goes to the shared counters.
unsafe extern "C" fn thread_ends(block: *mut libc::c_void) {
    crate::local::retire();
    // SAFETY: the value set for the key is a block of the list.
    unsafe { (*block.cast::<Counters>()).owned.store(false, Ordering::Release) };
}
