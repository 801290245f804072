use serde::{Deserialize, Serialize};

/// Component that memory outside any scope is charged to.
pub const UNSCOPED: &str = "unscoped";

/// Component the probe charges its own memory to. Left out of every verdict.
pub const OWN_COMPONENT: &str = "heapsoak";

/// Component that the positive control is charged to: a known leak, planted by the probe when it is asked to. It is
/// judged as any other and left out of what a report tells about the server.
pub const CONTROL_COMPONENT: &str = "heapsoak.control";

/// A cohort: the memory allocated between two quiet points.
///
/// Cohort 0 is what the server allocated before the first request; cohort *n* belongs to cycle *n*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cohort(pub u32);

/// Exact heap counts of a server, by context and cohort.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Heap {
    /// The cohort that allocations are charged to while the snapshot is taken.
    pub cohort: Cohort,
    /// One entry for each context that ever allocated, in order of first appearance.
    pub contexts: Vec<ContextHeap>,
    /// Cohorts that were merged to save tags; empty in all but very long soaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<MergedCohorts>,
    /// Bytes freed whose allocation was never counted (made before the probe counted).
    #[serde(default)]
    pub uncounted_freed_bytes: u64,
    /// Live bytes of the whole process by a counter of its own. At a quiet point it equals the sum over contexts.
    pub total_live_bytes: u64,
    /// Live blocks of the whole process by a counter of its own.
    pub total_live_blocks: u64,
}

/// Cohorts `first..=last`, reported as one under the number `first`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedCohorts {
    /// The oldest cohort of the group, and its number in every [`Cell`].
    pub first: Cohort,
    /// The youngest cohort of the group.
    pub last: Cohort,
}

/// Exact counts of one context: a component path and a request kind.
///
/// `allocated - freed = live`, in bytes and in blocks. A free counts here if the block was allocated here,
/// whichever thread or component freed it. A block that `realloc` grew counts its growth as allocated bytes (and
/// its shrinkage as freed bytes) in the context and cohort that first allocated it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContextHeap {
    /// Components from the outermost to the innermost, e.g. `["queue", "session"]`. Never empty.
    pub path: Vec<String>,
    /// Request kind, e.g. `session.fail`; none for work no request asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Bytes ever allocated.
    pub allocated_bytes: u64,
    /// Blocks ever allocated.
    pub allocated_blocks: u64,
    /// Bytes ever freed.
    pub freed_bytes: u64,
    /// Blocks ever freed.
    pub freed_blocks: u64,
    /// Survivors: what is still alive of each cohort, oldest first. Cohorts without a survivor are left out.
    pub survivors: Vec<Cell>,
}

impl ContextHeap {
    /// The component charged: the innermost of the path.
    #[must_use]
    pub fn component(&self) -> &str {
        self.path.last().map_or(UNSCOPED, String::as_str)
    }

    /// Bytes alive.
    #[must_use]
    pub fn live_bytes(&self) -> u64 {
        self.allocated_bytes.saturating_sub(self.freed_bytes)
    }

    /// Blocks alive.
    #[must_use]
    pub fn live_blocks(&self) -> u64 {
        self.allocated_blocks.saturating_sub(self.freed_blocks)
    }
}

/// Survivors of one cohort in one context. Written as `[cohort, bytes, blocks]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, u64, u64)", into = "(u32, u64, u64)")]
pub struct Cell {
    /// The cohort.
    pub cohort: Cohort,
    /// Bytes alive.
    pub live_bytes: u64,
    /// Blocks alive.
    pub live_blocks: u64,
}

impl From<(u32, u64, u64)> for Cell {
    fn from((cohort, live_bytes, live_blocks): (u32, u64, u64)) -> Self {
        Cell { cohort: Cohort(cohort), live_bytes, live_blocks }
    }
}

impl From<Cell> for (u32, u64, u64) {
    fn from(cell: Cell) -> Self {
        (cell.cohort.0, cell.live_bytes, cell.live_blocks)
    }
}
