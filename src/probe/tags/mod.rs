//! Tags: which context and cohort each of the 65,535 stands for.
//!
//! A context gets a tag when it first allocates in a cohort. Advancing the cohort forgets every context's current tag,
//! and the one each thread remembers. A thread that enters a scope at that very moment may remember a tag of the cohort
//! before until it enters or leaves the next. Nothing here allocates: all of it may run inside an allocation.

mod ledger;

use std::sync::atomic::{AtomicU16, Ordering, fence};

pub(crate) use ledger::{Count, Ledger};

use crate::counters::{TAGS, blocks};
use crate::local::ContextNumber;
use crate::lock::Lock;
use crate::shadow::Tag;
use crate::stacks;

/// Contexts there can be. More are charged to the context they would have been entered from.
pub(crate) const CONTEXTS: usize = 1 << 12;

/// The tag of each context in the cohort that runs; zero before its first allocation in it.
static CURRENT: [AtomicU16; CONTEXTS] = [const { AtomicU16::new(0) }; CONTEXTS];

/// The tag of each context that is under capture, which threads do not remember: in place of [`CURRENT`], so that each
/// of its allocations asks.
static HIDDEN: [AtomicU16; CONTEXTS] = [const { AtomicU16::new(0) }; CONTEXTS];

/// Context number in [`Owners::context`] that marks a tag no one has.
const NOBODY: ContextNumber = ContextNumber::MAX;

static OWNERS: Lock<Owners> = Lock::new(Owners {
    cohort: 0,
    unused: 1,
    given_back: 0,
    free: [0; TAGS],
    context: [NOBODY; TAGS],
    born: [0; TAGS],
    latest: [0; CONTEXTS],
});

/// Owners of all tags.
struct Owners {
    /// The cohort that runs.
    cohort: u32,
    /// First tag that was never given out.
    unused: usize,
    /// How many of `free` hold a tag to give out again.
    given_back: usize,
    free: [Tag; TAGS],
    context: [ContextNumber; TAGS],
    /// The cohort a tag was given out in.
    born: [u32; TAGS],
    /// The last tag of each context.
    latest: [Tag; CONTEXTS],
}

/// The tag of a context in the cohort that runs; zero when it has none yet.
#[inline(always)]
pub(crate) fn current(context: ContextNumber) -> Tag {
    CURRENT[usize::from(context) % CONTEXTS].load(Ordering::Acquire)
}

/// The tag of a context under capture in the cohort that runs; zero when it has none yet or is not under capture.
#[inline(always)]
pub(crate) fn hidden(context: ContextNumber) -> Tag {
    HIDDEN[usize::from(context) % CONTEXTS].load(Ordering::Acquire)
}

/// The tag of a context in the cohort that runs, whether threads are to remember it or not.
pub(crate) fn known(context: ContextNumber) -> Tag {
    let current = current(context);
    if current == 0 { hidden(context) } else { current }
}

/// Moves the tag of a context to where threads do not remember it, or back. Call [`forget_remembered`] afterwards.
pub(crate) fn hide_if(context: ContextNumber, hide: bool) {
    let Some(_owners) = OWNERS.take() else { return };
    let index = usize::from(context) % CONTEXTS;
    let (from, to) = if hide { (&CURRENT, &HIDDEN) } else { (&HIDDEN, &CURRENT) };
    let tag = from[index].swap(0, Ordering::AcqRel);
    if tag != 0 {
        to[index].store(tag, Ordering::Release);
    }
}

/// Has every thread ask for the tag of its next block.
pub(crate) fn forget_remembered() {
    fence(Ordering::SeqCst);
    for block in blocks() {
        block.head.forget_tag();
    }
}

/// The tag of a context in the cohort that runs, given out if it has none. When tags have run out, the context goes on
/// with its latest one (its cohort grows longer); zero if even that is gone.
pub(crate) fn assign(context: ContextNumber) -> Tag {
    let Some(mut owners) = OWNERS.take() else { return 0 };
    let index = usize::from(context) % CONTEXTS;
    let known = known(context);
    if known != 0 {
        return known;
    }
    let tag = owners.give_out(context);
    let tags = if stacks::is_captured(context) { &HIDDEN } else { &CURRENT };
    tags[index].store(tag, Ordering::Release);
    tag
}

impl Owners {
    fn give_out(&mut self, context: ContextNumber) -> Tag {
        let tag = if self.given_back > 0 {
            self.given_back -= 1;
            self.free[self.given_back]
        } else if self.unused < TAGS {
            self.unused += 1;
            Tag::try_from(self.unused - 1).unwrap_or(0)
        } else {
            let latest = self.latest[usize::from(context) % CONTEXTS];
            return if self.context[usize::from(latest)] == context { latest } else { 0 };
        };
        stacks::forget(tag);
        self.context[usize::from(tag)] = context;
        self.born[usize::from(tag)] = self.cohort;
        self.latest[usize::from(context) % CONTEXTS] = tag;
        tag
    }
}

/// Frees the table's lock in the child of a fork.
pub(crate) fn free_lock() {
    OWNERS.free_in_child();
}

/// Starts the next cohort. Returns its number and how many tags are in use. None if the table can't be had.
pub(crate) fn advance() -> Option<(u32, usize)> {
    let mut owners = OWNERS.take()?;
    owners.cohort += 1;
    for tag in CURRENT.iter().chain(&HIDDEN) {
        if tag.load(Ordering::Relaxed) != 0 {
            tag.store(0, Ordering::Release);
        }
    }
    forget_remembered();
    Some((owners.cohort, owners.unused - 1 - owners.given_back))
}

/// What a tag stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) tag: Tag,
    pub(crate) context: ContextNumber,
    pub(crate) cohort: u32,
}

/// How many tags were ever given out, zero among them: above these nothing was counted.
pub(crate) fn ever_given_out() -> usize {
    OWNERS.take().map_or(TAGS, |owners| owners.unused)
}

/// The cohort that runs and the owner of every tag in use. `owners` must have room for all tags: nothing may be
/// allocated while the table is held.
pub(crate) fn copy_owners(owners: &mut Vec<Owner>) -> Option<u32> {
    debug_assert!(owners.capacity() >= TAGS);
    owners.clear();
    let table = OWNERS.take()?;
    for index in 1..table.unused {
        let context = table.context[index];
        if let (true, Ok(tag)) = (context != NOBODY, Tag::try_from(index)) {
            owners.push(Owner { tag, context, cohort: table.born[index] });
        }
    }
    Some(table.cohort)
}

/// Gives tags back, to be given out again. Their blocks are dead and no thread allocates under them any more.
pub(crate) fn give_back(tags: &[Tag]) {
    let Some(mut owners) = OWNERS.take() else { return };
    for &tag in tags {
        owners.context[usize::from(tag)] = NOBODY;
        let end = owners.given_back;
        owners.free[end] = tag;
        owners.given_back += 1;
    }
}
