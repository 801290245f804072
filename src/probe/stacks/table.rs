//! Every stack that allocated: the node it ends at, the context it ran in, and at what rate it was captured.
#![allow(unsafe_code)] // stacks are raw mapped memory

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, Ordering};

use super::rate::Rate;
use super::trie::{self, Node};
use crate::local::ContextNumber;
use crate::mapping::{map_for_ever, unmap};

/// Numbers of stacks there can be. A sampled one takes two.
pub(super) const STACKS: usize = 1 << 20;

/// Number of a stack; zero for none. That of a sampled one has its highest bit set.
pub(crate) type StackNumber = u32;

const SAMPLED: StackNumber = 1 << 31;

/// Whether a stack is one of a sample.
#[inline(always)]
pub(super) fn is_sampled(number: StackNumber) -> bool {
    number & SAMPLED != 0
}

/// Where a stack's counts are.
#[inline(always)]
pub(super) fn index(number: StackNumber) -> usize {
    (number & !SAMPLED) as usize
}

#[derive(Debug)]
#[repr(C)]
struct Record {
    leaf: AtomicU32,
    /// Bits of the rate; zero for a number that names no stack.
    rate: AtomicU32,
    /// The next stack that ends at the same node.
    next: AtomicU32,
    context: AtomicU16,
}

static RECORDS: AtomicPtr<Record> = AtomicPtr::new(ptr::null_mut());
static NEXT: AtomicU32 = AtomicU32::new(1);

/// Reserves the table. False when the system refuses.
pub(super) fn reserve() -> bool {
    if !RECORDS.load(Ordering::Acquire).is_null() {
        return true;
    }
    let mapped: *mut Record = map_for_ever(STACKS * size_of::<Record>()).cast();
    if mapped.is_null() {
        return false;
    }
    if RECORDS.compare_exchange(ptr::null_mut(), mapped, Ordering::AcqRel, Ordering::Acquire).is_err() {
        unmap(mapped.cast(), STACKS * size_of::<Record>());
    }
    true
}

fn record(number: StackNumber) -> &'static Record {
    // SAFETY: numbers are given out after the reservation only, and are below STACKS. Zeroed memory is a valid record.
    unsafe { &*RECORDS.load(Ordering::Acquire).add(index(number)) }
}

/// What a number stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Named {
    pub(super) leaf: Node,
    pub(super) context: ContextNumber,
    pub(super) rate: Rate,
}

/// The number of a stack, given out if need be. None when there is no more room.
#[inline(never)]
pub(super) fn number(named: Named) -> Option<StackNumber> {
    let stacks = &trie::place(named.leaf).first_stack;
    let mut first = stacks.load(Ordering::Acquire);
    if let Some(known) = find(first, 0, named) {
        return Some(known);
    }
    let (takes, sort) = if named.rate.is_every() { (1, 0) } else { (2, SAMPLED) };
    let new = NEXT.fetch_add(takes, Ordering::Relaxed);
    if (new + takes) as usize > STACKS {
        NEXT.fetch_sub(takes, Ordering::Relaxed);
        return None;
    }
    let new = new | sort;
    record(new).leaf.store(named.leaf, Ordering::Relaxed);
    record(new).context.store(named.context, Ordering::Relaxed);
    record(new).rate.store(named.rate.bits(), Ordering::Relaxed);
    loop {
        record(new).next.store(first, Ordering::Relaxed);
        match stacks.compare_exchange(first, new, Ordering::Release, Ordering::Acquire) {
            Ok(_) => return Some(new),
            Err(now) => {
                if let Some(known) = find(now, first, named) {
                    // Another thread was first. This number stays without a stack.
                    record(new).rate.store(0, Ordering::Relaxed);
                    return Some(known);
                }
                first = now;
            }
        }
    }
}

fn find(first: StackNumber, end: StackNumber, wanted: Named) -> Option<StackNumber> {
    let mut next = first;
    while next != end {
        let record = record(next);
        if record.context.load(Ordering::Relaxed) == wanted.context
            && record.rate.load(Ordering::Relaxed) == wanted.rate.bits()
        {
            return Some(next);
        }
        next = record.next.load(Ordering::Relaxed);
    }
    None
}

/// What a number that was given out stands for. None for the second number of a sampled stack.
pub(super) fn named(number: StackNumber) -> Option<Named> {
    let record = record(number);
    Some(Named {
        rate: Rate::from_bits(record.rate.load(Ordering::Relaxed))?,
        leaf: record.leaf.load(Ordering::Relaxed),
        context: record.context.load(Ordering::Relaxed),
    })
}

/// At what rate a stack was captured.
#[inline(always)]
pub(super) fn rate(number: StackNumber) -> Option<Rate> {
    Rate::from_bits(record(number).rate.load(Ordering::Relaxed))
}

/// The first number that was never given out; nothing was captured when it is one.
pub(super) fn end() -> StackNumber {
    if RECORDS.load(Ordering::Acquire).is_null() { 1 } else { NEXT.load(Ordering::Acquire) }
}
