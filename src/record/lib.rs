//! The types of heapsoak that cross a process or a file.
//!
//! A soak writes a [recording](Recording): an append-only file of JSON lines, one [`Line`] each, in the order
//! *header, (snapshot | event)…, stacks, end*; the stacks of second passes over the scenario come behind the end. A recording can be judged and rendered at any time, on any machine; a file
//! whose writer was killed is readable up to its last whole line.
//!
//! The same snapshot types cross the probe's private socket, as one JSON line per [`wire::Request`] and
//! [`wire::Response`].
//!
//! # Units
//!
//! Sizes are bytes as the program asked for them (`Layout::size`), times are milliseconds, counts of requests are
//! requests answered. *Clock* means the server's own clock, which a scenario may advance; *elapsed* means real time.

mod budget;
mod event;
mod fold;
mod folding;
mod header;
mod heap;
mod module;
mod parts;
mod reader;
mod resource;
mod snapshot;
mod stack;
mod stretch;
mod symbol;
mod thin;
pub mod wire;
mod writer;

pub use budget::{Budgets, ComponentBudget, ResourceBudget};
pub use event::{Arrivals, End, Event, Outcome, Percentiles};
pub use folding::Folding;
pub use header::{Claim, FORMAT_VERSION, Header, Kind, Plan, Target};
pub use heap::{CONTROL_COMPONENT, Cell, Cohort, ContextHeap, Heap, MergedCohorts, OWN_COMPONENT, UNSCOPED};
pub use module::Module;
pub use parts::Part;
pub use reader::{ReadError, Recording};
pub use resource::{Gauge, Resource, Unit};
pub use snapshot::{KindCount, Moment, Snapshot};
pub use stack::{Blocks, CaptureRate, Captured, Frame, Mark, Stack, Stacks};
pub use stretch::Stretch;
pub use symbol::{Origin, Symbol};
pub use writer::Writer;

use serde::{Deserialize, Serialize};

/// One line of a recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// First line of every recording.
    Header(Box<Header>),
    /// The server's state at a quiet point.
    Snapshot(Box<Snapshot>),
    /// Something that happened between snapshots.
    Event(Event),
    /// Call stacks that allocated; once per pass, at its end.
    Stacks(Box<Stacks>),
    /// Last line of a recording whose writer was not killed.
    End(End),
}
