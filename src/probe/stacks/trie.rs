//! Every call stack seen, as a tree: a node is a return address under the node of its caller.
//!
//! Nodes are appended and never change or go away, so a look-up takes no lock. Children of a node are a list; who
//! looks up often keeps a cache in front.
#![allow(unsafe_code)] // nodes are raw mapped memory

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use crate::mapping::{map_for_ever, unmap};

/// Nodes there can be.
const NODES: usize = 1 << 22;

/// Number of a node.
pub(super) type Node = u32;

/// The node of no frame at all.
pub(super) const ROOT: Node = 0;
/// Above this node, the outermost frames are missing.
pub(super) const CUT: Node = 1;
/// The first node that is given out.
const FIRST: u32 = 2;

#[derive(Debug)]
#[repr(C)]
pub(super) struct Place {
    /// The return address.
    address: AtomicUsize,
    parent: AtomicU32,
    first_child: AtomicU32,
    next_sibling: AtomicU32,
    /// The first stack that ends here.
    pub(super) first_stack: AtomicU32,
}

static PLACES: AtomicPtr<Place> = AtomicPtr::new(ptr::null_mut());
static NEXT: AtomicU32 = AtomicU32::new(FIRST);

/// Reserves the nodes. False when the system refuses.
pub(super) fn reserve() -> bool {
    if !PLACES.load(Ordering::Acquire).is_null() {
        return true;
    }
    let mapped: *mut Place = map_for_ever(NODES * size_of::<Place>()).cast();
    if mapped.is_null() {
        return false;
    }
    if PLACES.compare_exchange(ptr::null_mut(), mapped, Ordering::AcqRel, Ordering::Acquire).is_err() {
        unmap(mapped.cast(), NODES * size_of::<Place>());
    }
    true
}

/// A node that was given out.
#[inline]
pub(super) fn place(node: Node) -> &'static Place {
    // SAFETY: nodes are given out after the reservation only, and are below NODES. Zeroed memory is a valid `Place`.
    unsafe { &*PLACES.load(Ordering::Acquire).add(node as usize) }
}

/// The node of a return address under its caller's, made if need be. None when there is no more room.
#[inline(never)]
pub(super) fn child(parent: Node, address: usize) -> Option<Node> {
    let siblings = &place(parent).first_child;
    let mut first = siblings.load(Ordering::Acquire);
    if let Some(known) = find(first, 0, address) {
        return Some(known);
    }
    let new = NEXT.fetch_add(1, Ordering::Relaxed);
    if new as usize >= NODES {
        NEXT.fetch_sub(1, Ordering::Relaxed);
        return None;
    }
    place(new).address.store(address, Ordering::Relaxed);
    place(new).parent.store(parent, Ordering::Relaxed);
    loop {
        place(new).next_sibling.store(first, Ordering::Relaxed);
        match siblings.compare_exchange(first, new, Ordering::Release, Ordering::Acquire) {
            Ok(_) => return Some(new),
            Err(now) => {
                // Another thread added siblings: perhaps this very one. Then `new` is not used.
                if let Some(known) = find(now, first, address) {
                    return Some(known);
                }
                first = now;
            }
        }
    }
}

/// The sibling with this address, from `first` up to but without `end`.
fn find(first: Node, end: Node, address: usize) -> Option<Node> {
    let mut next = first;
    while next != end {
        let place = place(next);
        if place.address.load(Ordering::Relaxed) == address {
            return Some(next);
        }
        next = place.next_sibling.load(Ordering::Relaxed);
    }
    None
}

/// Return addresses from a node outwards, and whether the outermost ones are missing.
pub(super) fn path(node: Node, addresses: &mut Vec<usize>) -> bool {
    addresses.clear();
    let mut node = node;
    while node >= FIRST {
        addresses.push(place(node).address.load(Ordering::Relaxed));
        node = place(node).parent.load(Ordering::Relaxed);
    }
    node == CUT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_addresses_under_the_same_node_are_one_node() {
        assert!(reserve());
        let outer = child(ROOT, 0x10).unwrap();
        let inner = child(outer, 0x20).unwrap();
        assert_eq!((child(ROOT, 0x10), child(outer, 0x20)), (Some(outer), Some(inner)));
        assert_ne!(child(CUT, 0x10), Some(outer));
        let mut addresses = Vec::new();
        assert!(!path(inner, &mut addresses));
        assert_eq!(addresses, [0x20, 0x10]);
        assert!(path(child(CUT, 0x30).unwrap(), &mut addresses));
    }

    #[test]
    fn threads_that_add_the_same_frames_at_once_agree_on_their_nodes() {
        assert!(reserve());
        let parent = child(ROOT, 0x1_0000).unwrap();
        let nodes = |_| (0..2_000_usize).map(|at| child(parent, 0x2_0000 + at).unwrap()).collect::<Vec<_>>();
        let all: Vec<Vec<Node>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|number| scope.spawn(move || nodes(number))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(all.iter().all(|nodes| *nodes == all[0]));
    }
}
