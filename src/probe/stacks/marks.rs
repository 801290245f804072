//! Tags under which blocks were captured, and the context they stand for: whose frees look for a stack.

use std::sync::atomic::{AtomicU16, Ordering};

use crate::counters::TAGS;
use crate::local::ContextNumber;
use crate::shadow::Tag;

/// By tag: one more than the context; zero while nothing was captured under it.
static MARKS: [AtomicU16; TAGS] = [const { AtomicU16::new(0) }; TAGS];

/// Notes that a block of this tag is captured.
#[inline(always)]
pub(super) fn mark(tag: Tag, context: ContextNumber) {
    let mark = &MARKS[usize::from(tag)];
    if mark.load(Ordering::Relaxed) != context + 1 {
        mark.store(context + 1, Ordering::Relaxed);
    }
}

/// The context of a tag under which blocks were captured.
#[inline(always)]
pub(super) fn context(tag: Tag) -> Option<ContextNumber> {
    MARKS[usize::from(tag)].load(Ordering::Relaxed).checked_sub(1)
}

/// Forgets a tag that is given out anew: no block of it lives.
pub(crate) fn forget(tag: Tag) {
    MARKS[usize::from(tag)].store(0, Ordering::Relaxed);
}

/// Marks the tags that blocks of others are about to be given, which stand for the same contexts.
pub(crate) fn inherit(successors: &[Tag]) {
    for (mark, &heir) in MARKS.iter().zip(successors) {
        let mark = mark.load(Ordering::Relaxed);
        if heir != 0 && mark != 0 {
            MARKS[usize::from(heir)].store(mark, Ordering::Relaxed);
        }
    }
}
