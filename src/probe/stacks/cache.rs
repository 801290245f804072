//! What a thread looked up last: nodes by their parent and address, stacks by their node and context.

use super::rate::Rate;
use super::table::{self, Named, StackNumber};
use super::trie::{self, Node};
use crate::local::ContextNumber;

const CHILDREN_BITS: u32 = 12;
const STACKS_BITS: u32 = 10;

#[derive(Debug, Clone, Copy)]
struct Child {
    address: usize,
    parent: Node,
    /// Zero, which is no child, in an entry not used yet.
    node: Node,
}

#[derive(Debug, Clone, Copy)]
struct Stack {
    rate: u32,
    leaf: Node,
    /// Zero, which is no stack, in an entry not used yet.
    number: StackNumber,
    context: ContextNumber,
}

/// All zeros when new. An entry is looked up by hash, and compared: a hit is exact.
#[derive(Debug)]
pub(super) struct Cache {
    children: [Child; 1 << CHILDREN_BITS],
    stacks: [Stack; 1 << STACKS_BITS],
}

impl Cache {
    /// The hash of a stack one frame deeper. Multiplicative: Knuth, The Art of Computer Programming 3, section 6.4.
    #[inline(always)]
    pub(super) fn hash(outer: u32, address: usize) -> u32 {
        ((u64::from(outer) ^ address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
    }

    /// The node of an address under its caller's; `hash` is that of the stack down to it.
    #[inline(always)]
    pub(super) fn child(&mut self, hash: u32, parent: Node, address: usize) -> Option<Node> {
        let entry = &mut self.children[(hash >> (32 - CHILDREN_BITS)) as usize];
        if entry.address == address && entry.parent == parent && entry.node != 0 {
            return Some(entry.node);
        }
        let node = trie::child(parent, address)?;
        *entry = Child { address, parent, node };
        Some(node)
    }

    /// The number of a stack.
    #[inline(always)]
    pub(super) fn stack(&mut self, leaf: Node, context: ContextNumber, rate: Rate) -> Option<StackNumber> {
        let hash = Cache::hash(leaf, usize::from(context) << 32);
        let entry = &mut self.stacks[(hash >> (32 - STACKS_BITS)) as usize];
        if entry.leaf == leaf && entry.context == context && entry.rate == rate.bits() && entry.number != 0 {
            return Some(entry.number);
        }
        let number = table::number(Named { leaf, context, rate })?;
        *entry = Stack { rate: rate.bits(), leaf, number, context };
        Some(number)
    }
}
