//! The full server that ships with heapsoak, and its first patient.
//!
//! An autonomous task server: it takes webhooks of an issue tracker, queues tasks by priority, runs each in an agent
//! session, has the result reviewed by several models through child processes, and caches what it looks up. It is
//! healthy by default. For every [`Defect`] of the server that was once reviewed, the code as it was found stands
//! beside the fixed code in the component's folder and can be switched on.

mod app;
pub mod cache;
mod command_line;
mod config;
mod defect;
mod duration;
mod error;
mod http;
mod id;
mod pipeline;
pub mod process;
pub mod queue;
mod serve;
mod server;
pub mod session;
pub mod simulator;
#[cfg(test)]
mod testing;
pub mod tracker;
pub mod verifier;

pub use command_line::{CommandLine, UnreadableCommand};
pub use config::Config;
pub use defect::{Defect, Defects, UnknownDefect};
pub use duration::{UnreadableDuration, parse_duration};
pub use error::ServeError;
pub use id::{Id, NotAnId};
pub use serve::serve;
pub use server::Server;
