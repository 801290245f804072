//! What an allocation looks at first.
#![allow(unsafe_code)] // what a thread captures stacks with is mapped memory

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, AtomicUsize, Ordering, fence};

use super::Counters;
use crate::mode;
use crate::shadow::{self, Directory, Table, Tag};
use crate::stacks::{self, Thread};

/// What an allocation or a free looks at first, in one cache line.
#[repr(C, align(64))]
pub(crate) struct Head {
    /// Blocks at addresses below this are marked with `tag` and counted at once; zero: the tag has to be asked for.
    /// Written by the thread, and set to zero by whoever starts a cohort.
    pub(crate) marks_below: AtomicUsize,
    /// The owners of blocks at addresses below this are looked up in the table of one level at once; zero: there is no
    /// such table, or each block is looked at because stacks are captured.
    pub(crate) knows_below: AtomicUsize,
    /// Addresses below this have a place in the table of one level, whether frees look there or not.
    covers_below: AtomicUsize,
    /// What the thread captures stacks with; null before it first does.
    stacks: AtomicPtr<Thread>,
    small: AtomicPtr<AtomicPtr<AtomicU16>>,
    large: AtomicPtr<AtomicPtr<AtomicU16>>,
    /// The tag of the context the thread is in, while `marks_below` is not zero.
    pub(crate) tag: AtomicU16,
    pub(super) owned: AtomicBool,
    pub(super) next: AtomicPtr<Counters>,
}

/// What a thread has that has no counters: everything has to be asked for.
pub(crate) static NO_COUNTERS: Head = Head::new(true);

impl Head {
    pub(super) const fn new(owned: bool) -> Head {
        Head {
            marks_below: AtomicUsize::new(0),
            knows_below: AtomicUsize::new(0),
            covers_below: AtomicUsize::new(0),
            stacks: AtomicPtr::new(ptr::null_mut()),
            small: AtomicPtr::new(ptr::null_mut()),
            large: AtomicPtr::new(ptr::null_mut()),
            tag: AtomicU16::new(0),
            owned: AtomicBool::new(owned),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The first directory of [`table`](Head::table).
    #[inline(always)]
    pub(crate) fn small(&self) -> Directory {
        self.small.load(Ordering::Relaxed)
    }

    /// The shadow table of one level, where `knows_below` says that there is one.
    #[inline(always)]
    pub(crate) fn table(&self) -> Table {
        Table { small: self.small(), large: self.large.load(Ordering::Relaxed) }
    }

    /// Whether an address has a place in the table of one level.
    #[inline(always)]
    pub(crate) fn covers(&self, address: usize) -> bool {
        address < self.covers_below.load(Ordering::Relaxed)
    }

    /// Marks blocks with this tag from now on; with zero, asks for each.
    #[inline(always)]
    pub(super) fn mark_with(&self, tag: Tag) {
        self.tag.store(tag, Ordering::Release);
        let below = self.covers_below.load(Ordering::Relaxed);
        self.marks_below.store(if tag == 0 { 0 } else { below }, Ordering::Relaxed);
    }

    /// Takes over the head for the calling thread.
    pub(super) fn begin(&self) {
        if let Some(table) = shadow::table() {
            self.small.store(table.small.cast_mut(), Ordering::Relaxed);
            self.large.store(table.large.cast_mut(), Ordering::Relaxed);
            self.covers_below.store(shadow::COVERED, Ordering::Relaxed);
            self.knows_below.store(shadow::COVERED, Ordering::Relaxed);
        }
        // Whoever starts to capture stacks now either sees these counters or is seen here.
        fence(Ordering::SeqCst);
        // Of the blocks that were sampled before each was counted, a free has to know.
        if stacks::is_watching() || mode::has_sampled() {
            self.look_at_each();
        }
        if let Some(stacks) = self.captured() {
            stacks.begin();
        }
        self.forget_tag(); // what the last owner was charged to is not what this one is
    }

    /// Has every free and reallocation looked at, whoever calls this.
    pub(crate) fn look_at_each(&self) {
        self.knows_below.store(0, Ordering::Relaxed);
    }

    /// What the thread captured stacks with, if it did.
    #[inline(always)]
    pub(super) fn captured(&self) -> Option<&'static Thread> {
        // SAFETY: null, or mapped for ever.
        unsafe { self.stacks.load(Ordering::Acquire).as_ref() }
    }

    #[cold]
    pub(super) fn start_capturing(&self) -> Option<&'static Thread> {
        self.stacks.store(Thread::map_new().cast_mut(), Ordering::Release);
        self.captured()
    }

    /// Asks for the tag of the next block, whoever calls this.
    pub(crate) fn forget_tag(&self) {
        self.marks_below.store(0, Ordering::Relaxed);
    }
}
