//! Rewriting the tags of cohorts that merge.

use std::sync::atomic::{AtomicU16, Ordering};

use super::{Tag, leaves, table, two_level};

/// Replaces every tag for which `successor` is not zero by it, wherever a block may live, and returns how many there
/// were.
///
/// A block freed meanwhile is charged to the old tag or to the new one; either is right while both stand for the same
/// cohorts. Reads what is in use of the table.
pub(crate) fn replace(successor: &[Tag]) -> usize {
    match table() {
        None => two_level::leaves().map(|leaf| replace_in(leaf, successor)).sum(),
        Some(table) => replace_in(leaves(table), successor),
    }
}

fn replace_in(tags: &[AtomicU16], successor: &[Tag]) -> usize {
    let mut replaced = 0;
    for slot in tags {
        let old = slot.load(Ordering::Relaxed);
        let new = successor.get(usize::from(old)).copied().unwrap_or(0);
        if new != 0 && slot.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            replaced += 1;
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shadow::{slot_or_map, tag};

    #[test]
    fn tags_of_blocks_of_every_size_are_replaced_and_others_stay() {
        let places = [(0x2000_0000_0010, 16, 7), (0x2000_0010_0000, 5_000, 7), (0x2100_0000_0000, 64, 9)];
        for (address, bytes, owner) in places {
            slot_or_map(address, bytes).unwrap().store(owner, Ordering::Relaxed);
        }
        let mut successor = vec![0; 10];
        successor[7] = 3;
        assert_eq!(replace(&successor), 2);
        assert_eq!(places.map(|(address, bytes, _)| tag(address, bytes)), [3, 3, 9]);
    }
}
