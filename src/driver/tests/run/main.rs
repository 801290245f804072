//! Whole runs against the fake target.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod arrivals;
mod bench;
mod drafts;
mod endings;
mod fake_time;
mod files;
mod phases;
mod profile;
mod reference;
mod restart;
mod soak;
mod transport;
