//! Counters of a thread: four for each tag, written by their thread alone.
#![allow(unsafe_code)] // blocks are raw mapped memory, threads end through a pthread key

mod cell;
mod flow;
mod head;

use std::cell::Cell as Plain;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, Ordering};

pub(crate) use cell::Cell;
pub(crate) use flow::Flow;
pub(crate) use head::{Head, NO_COUNTERS};

use crate::fork;
use crate::lock::Lock;
use crate::mapping::map_for_ever;
use crate::shadow::Tag;
use crate::stacks::Thread;

/// Tags there are, zero among them.
pub(crate) const TAGS: usize = 1 << 16;
/// Tags that a snapshot reads together, or not at all.
pub(crate) const GROUP: usize = 64;
/// Groups there are.
pub(crate) const GROUPS: usize = TAGS / GROUP;

/// The counters of one thread. Kept for ever: when its thread ends, another one takes it over.
#[repr(C)]
pub(crate) struct Counters {
    pub(crate) head: Head,
    /// Groups of tags under which something was allocated since a snapshot last looked, but for the tag that the head has.
    allocated_in: [AtomicBool; GROUPS],
    /// Groups of tags of which a block shrank since a snapshot last looked.
    shrunk_in: [AtomicBool; GROUPS],
    pub(crate) allocated: Flow,
    pub(crate) freed: Flow,
}

impl Counters {
    const fn new() -> Counters {
        Counters {
            head: Head::new(true),
            allocated_in: [const { AtomicBool::new(false) }; GROUPS],
            shrunk_in: [const { AtomicBool::new(false) }; GROUPS],
            allocated: Flow::new(),
            freed: Flow::new(),
        }
    }

    /// Marks blocks with this tag from now on; with zero, asks for each. Only the owning thread may call this.
    #[inline(always)]
    pub(crate) fn mark_with(&self, tag: Tag) {
        // First, so that a snapshot which sees the new tag sees this, too.
        self.note_allocated_in(self.head.tag.load(Ordering::Relaxed));
        self.head.mark_with(tag);
    }

    #[inline(always)]
    fn note_allocated_in(&self, tag: Tag) {
        self.allocated_in[usize::from(tag) / GROUP].store(true, Ordering::Release);
    }

    /// Counts an allocation under any tag. Only the owning thread may call this.
    #[inline(always)]
    pub(crate) fn count_allocated(&self, tag: Tag, bytes: usize) {
        self.allocated.count(tag, bytes);
        self.note_allocated_in(tag);
    }

    /// Marks a block with the tag of the context the thread is in, and counts it. Only the owning thread may call this. A
    /// snapshot finds the tag in the head.
    #[inline(always)]
    pub(crate) fn count_allocated_at(&self, slot: &AtomicU16, bytes: usize) {
        let tag = self.head.tag.load(Ordering::Relaxed);
        slot.store(tag, Ordering::Relaxed);
        self.allocated.count(tag, bytes);
    }

    /// Counts a free. Only the owning thread may call this.
    #[inline(always)]
    pub(crate) fn count_freed(&self, tag: Tag, bytes: usize) {
        self.freed.count(tag, bytes);
    }

    /// Counts a change of size. Only the owning thread may call this.
    #[inline(always)]
    pub(crate) fn count_resized(&self, tag: Tag, old: usize, new: usize) {
        if new >= old {
            self.allocated.add_bytes(tag, new - old);
            self.note_allocated_in(tag);
        } else {
            self.freed.add_bytes(tag, old - new);
            self.shrunk_in[usize::from(tag) / GROUP].store(true, Ordering::Release);
        }
    }

    /// What the thread captured stacks with, if it did.
    #[inline(always)]
    pub(crate) fn captured(&self) -> Option<&'static Thread> {
        self.head.captured()
    }

    /// What the calling thread, which owns these counters, captures stacks with. None when the system gives no memory.
    #[inline(always)]
    pub(crate) fn capturing(&self) -> Option<&'static Thread> {
        self.captured().or_else(|| self.head.start_capturing())
    }

    /// Whether something was allocated under a tag of the group since this was last asked, or may be just now.
    pub(crate) fn take_allocated_in(&self, group: usize) -> bool {
        usize::from(self.head.tag.load(Ordering::Acquire)) / GROUP == group || take(&self.allocated_in[group])
    }

    /// Whether a block of the group shrank since this was last asked.
    pub(crate) fn take_shrunk_in(&self, group: usize) -> bool {
        take(&self.shrunk_in[group])
    }
}

fn take(flag: &AtomicBool) -> bool {
    flag.load(Ordering::Acquire) && flag.swap(false, Ordering::AcqRel)
}

/// Every block there ever was, newest first.
static BLOCKS: AtomicPtr<Counters> = AtomicPtr::new(ptr::null_mut());

/// Counters of threads that can't have their own: while they end, or when the system gives no memory. Written by
/// several threads under a lock of nanoseconds, so that each counter has one writer at a time.
static SHARED: Counters = Counters::new();
static SHARED_TURN: Lock<()> = Lock::new(());

/// Counts in the shared block. A turn that can't be had (the child of a fork whose parent held it) is taken all the
/// same: the process has one thread then.
pub(crate) fn with_shared(count: impl FnOnce(&Counters)) {
    let _turn = SHARED_TURN.take();
    count(&SHARED);
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
    unsafe { (*block).head.begin() };
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
