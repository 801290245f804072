//! The issue tracker's API, as far as the server uses it: look-ups and comments.

mod client;
mod error;

pub use client::Client;
pub use error::TrackerError;
