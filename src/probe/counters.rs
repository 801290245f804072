//! Counters of a thread: one cell per tag, written by their thread alone.
#![allow(unsafe_code)] // blocks are raw mapped memory, threads end through a pthread key

use std::cell::Cell as Plain;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicU64, AtomicUsize, Ordering, fence};

use crate::fork;
use crate::lock::Lock;
use crate::mapping::map_for_ever;
use crate::shadow::{self, Tag};
use crate::stacks::{self, Thread};

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
fn add(counter: &AtomicU64, amount: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Release);
}

/// What an allocation or a free looks at first, in one cache line.
#[repr(C, align(64))]
pub(crate) struct Head {
    /// Blocks at addresses up to this are marked with `tag` and counted at once; zero: the tag has to be asked for.
    /// Written by the thread, and set to zero by whoever starts a cohort.
    pub(crate) marks_up_to: AtomicUsize,
    /// The owners of blocks at addresses up to this stand in `table`; zero: there is no such table.
    pub(crate) knows_up_to: AtomicUsize,
    /// The shadow table of one level.
    pub(crate) table: AtomicPtr<AtomicU16>,
    /// The highest address in `table`.
    pub(crate) limit: AtomicUsize,
    /// What the thread captures stacks with; null before it first does.
    stacks: AtomicPtr<Thread>,
    /// The tag of the context the thread is in, while `marks_up_to` is not zero.
    pub(crate) tag: AtomicU16,
    owned: AtomicBool,
    next: AtomicPtr<Counters>,
}

/// What a thread has that has no counters: everything has to be asked for.
pub(crate) static NO_COUNTERS: Head = Head::new(true);

impl Head {
    const fn new(owned: bool) -> Head {
        Head {
            marks_up_to: AtomicUsize::new(0),
            knows_up_to: AtomicUsize::new(0),
            table: AtomicPtr::new(ptr::null_mut()),
            limit: AtomicUsize::new(0),
            stacks: AtomicPtr::new(ptr::null_mut()),
            tag: AtomicU16::new(0),
            owned: AtomicBool::new(owned),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Marks blocks with this tag from now on; with zero, asks for each.
    #[inline(always)]
    pub(crate) fn mark_with(&self, tag: Tag) {
        self.tag.store(tag, Ordering::Relaxed);
        let marks = if tag == 0 { 0 } else { self.limit.load(Ordering::Relaxed) };
        self.marks_up_to.store(marks, Ordering::Relaxed);
    }

    /// Has every free and reallocation looked at, whoever calls this.
    pub(crate) fn look_at_each(&self) {
        self.knows_up_to.store(0, Ordering::Relaxed);
    }

    /// Asks for the tag of the next block, whoever calls this.
    pub(crate) fn forget_tag(&self) {
        self.marks_up_to.store(0, Ordering::Relaxed);
    }
}

/// The counters of one thread. Kept for ever: when its thread ends, another one takes it over.
#[repr(C)]
pub(crate) struct Counters {
    pub(crate) head: Head,
    cells: [Cell; TAGS],
}

impl Counters {
    /// The cell of a tag.
    #[inline(always)]
    pub(crate) fn cell(&self, tag: Tag) -> &Cell {
        &self.cells[usize::from(tag)]
    }

    /// What the thread captured stacks with, if it did.
    #[inline(always)]
    pub(crate) fn captured(&self) -> Option<&'static Thread> {
        // SAFETY: null, or mapped for ever.
        unsafe { self.head.stacks.load(Ordering::Acquire).as_ref() }
    }

    /// What the calling thread, which owns these counters, captures stacks with. None when the system gives no memory.
    #[inline(always)]
    pub(crate) fn capturing(&self) -> Option<&'static Thread> {
        self.captured().or_else(|| self.start_capturing())
    }

    #[cold]
    fn start_capturing(&self) -> Option<&'static Thread> {
        self.head.stacks.store(Thread::map_new().cast_mut(), Ordering::Release);
        self.captured()
    }
}

/// Every block there ever was, newest first.
static BLOCKS: AtomicPtr<Counters> = AtomicPtr::new(ptr::null_mut());

/// Counters of threads that can't have their own: while they end, or when the system gives no memory. Written by
/// several threads under a lock of nanoseconds, so that the single-writer rule of [`Cell`] holds.
static SHARED: Counters = Counters { head: Head::new(true), cells: [const { Cell::new() }; TAGS] };
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
        next = block.head.next.load(Ordering::Acquire);
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
        unsafe { (*block).head.owned.store(false, Ordering::Release) };
        return ptr::null();
    }
    // SAFETY: as above.
    let head = unsafe { &(*block).head };
    let table = shadow::table();
    head.table.store(table, Ordering::Relaxed);
    let limit = if table.is_null() { 0 } else { shadow::COVERED - 1 };
    head.limit.store(limit, Ordering::Relaxed);
    head.knows_up_to.store(limit, Ordering::Relaxed);
    // Whoever starts to capture stacks now either sees these counters or is seen here.
    fence(Ordering::SeqCst);
    if stacks::is_watching() {
        head.look_at_each();
    }
    // SAFETY: as above.
    if let Some(stacks) = unsafe { (*block).captured() } {
        stacks.begin();
    }
    head.forget_tag(); // what the last owner was charged to is not what this one is
    block
}

fn take_over() -> Option<*const Counters> {
    blocks()
        .find(|block| {
            !block.head.owned.load(Ordering::Relaxed)
                && block.head.owned.compare_exchange(false, true, Ordering::AcqRel, Ordering::Relaxed).is_ok()
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
    counters.head.owned.store(true, Ordering::Relaxed);
    let mut head = BLOCKS.load(Ordering::Acquire);
    loop {
        counters.head.next.store(head, Ordering::Relaxed);
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
    unsafe { (*block.cast::<Counters>()).head.owned.store(false, Ordering::Release) };
}
