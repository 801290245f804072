//! Reviews through a command-line child per model: prompt on stdin, verdict on stdout, five minutes at most.
//!
//! `fixed.rs` and `as_found.rs` hold one review each, to be read side by side. In the fixed one everything a review
//! needs, its time-out included, lives in the review's own future. As found, the time-out and the readers of the pipes
//! are tasks of their own, and what they hold lives as long as they do.

mod as_found;
mod child;
mod fixed;
mod order;
mod output;
mod review;
mod reviews;
mod tally;
mod verdict;

pub use review::{Review, ReviewError, ReviewRequest};
pub use reviews::Reviews;
pub use verdict::Verdict;

pub(crate) use child::{GRACE, OwnedChild, command};
pub(crate) use tally::Tally;

use heapsoak_probe::{Component, Gauge};

/// The component that reviews are charged to.
pub static PROCESS: Component = Component::new("process");

/// Reviews that are not answered yet.
pub static RUNNING: Gauge = Gauge::busy("process.running");

/// Reviews that are answered and still hold their child's output, pipes or process.
pub static HELD: Gauge = Gauge::new("process.held");
