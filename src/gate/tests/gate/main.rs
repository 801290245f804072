//! What the gate says of runs whose truth is known.

#![allow(clippy::unwrap_used, reason = "this is a test")]

mod asked;
mod budgets;
mod compared;
mod others_got_wrong;
#[allow(dead_code, reason = "shared with the verdict's tests, each of which uses its own part")]
#[path = "../../../verdict/tests/verdict/server.rs"]
mod server;
mod suppressed;
