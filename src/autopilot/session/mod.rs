//! Agent sessions: a task is run by an agent, a child that speaks line-delimited JSON.
//!
//! Where the server was found with a defect, `fixed.rs` and `as_found.rs` stand side by side: in `tool_ids` (which tool
//! a tool use was of), `transcript` (how it gets to disk) and `history` (what stays in memory of sessions that have
//! ended). That a session may run for ever is a matter of one line, in [`Sessions::new`].

mod agent;
mod entry;
mod error;
mod history;
mod message;
mod request;
mod run;
mod running;
mod sessions;
mod summary;
mod tool_ids;
mod transcript;

pub use error::SessionError;
pub use request::{SessionOutcome, SessionRequest};
pub use sessions::Sessions;
pub use summary::{SessionState, SessionSummary};

use heapsoak_probe::{Component, Gauge};

/// The component that sessions are charged to.
pub static SESSION: Component = Component::new("session");

/// Sessions under way.
pub static RUNNING: Gauge = Gauge::busy("session.running");

/// Finished sessions in memory.
pub static KEPT: Gauge = Gauge::new("session.kept");

/// Tool ids in memory.
pub static TOOL_IDS: Gauge = Gauge::new("session.tool-ids");
