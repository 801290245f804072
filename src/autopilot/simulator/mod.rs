//! Stand-ins for what the server talks to: an agent, a reviewer, and the tracker's API.
//!
//! They run as programs of their own, as hidden subcommands of the tool. Agent and reviewer are plain std programs,
//! since a soak starts thousands of them. A line in their prompt says how they behave, see [`agent`] and
//! [`reviewer`]. Whatever they do, they end by themselves once the server that started them is gone.

pub mod agent;
mod directive;
mod lifeline;
pub mod reviewer;
pub mod tracker;
