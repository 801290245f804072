//! What one thread counted for each tag.

use std::sync::atomic::{AtomicU64, Ordering};

use super::cell::add;
use super::{GROUP, TAGS};
use crate::shadow::Tag;

/// Bytes and blocks that went one way, of each tag.
#[repr(C)]
pub(crate) struct Flow {
    bytes: [AtomicU64; TAGS],
    /// Keeps the counters of a tag at different places of their pages: processors take a load for one of what was just
    /// stored at the same place of another page, and wait.
    _between: [u64; APART],
    blocks: [AtomicU64; TAGS],
    _behind: [u64; APART],
}

/// Four lines of the cache.
const APART: usize = 32;

impl Flow {
    pub(super) const fn new() -> Flow {
        Flow {
            bytes: [const { AtomicU64::new(0) }; TAGS],
            _between: [0; APART],
            blocks: [const { AtomicU64::new(0) }; TAGS],
            _behind: [0; APART],
        }
    }

    #[inline(always)]
    pub(super) fn count(&self, tag: Tag, bytes: usize) {
        self.add_bytes(tag, bytes);
        add(&self.blocks[usize::from(tag)], 1);
    }

    #[inline(always)]
    pub(super) fn add_bytes(&self, tag: Tag, bytes: usize) {
        add(&self.bytes[usize::from(tag)], bytes as u64);
    }

    /// Blocks of each tag of a group.
    pub(crate) fn blocks_of_group(&self, group: usize) -> impl Iterator<Item = u64> {
        self.blocks[group * GROUP..(group + 1) * GROUP].iter().map(|blocks| blocks.load(Ordering::Acquire))
    }

    /// Bytes and blocks of each tag of a group.
    pub(crate) fn of_group(&self, group: usize) -> impl Iterator<Item = (u64, u64)> {
        let tags = group * GROUP..(group + 1) * GROUP;
        self.bytes[tags.clone()]
            .iter()
            .zip(&self.blocks[tags])
            .map(|(bytes, blocks)| (bytes.load(Ordering::Acquire), blocks.load(Ordering::Acquire)))
    }
}
