//! Programs with a known truth, soaked under the real probe in a process of their own, and what it takes to soak any
//! other program the same way.
//!
//! # Soak a program of yours
//!
//! [`Soak`] runs an async step function a few thousand times, cycle by cycle, at rest between cycles reads the exact
//! heap counts of the probe, and has the recording judged. It asks for two things: the probe is the process's global
//! allocator, and nothing else goes on in the process. So: a program, or an integration test with a file of its own.
//!
//! ```
//! use std::collections::HashMap;
//! use heapsoak_corpus::Soak;
//! use heapsoak_probe::Probe;
//! use heapsoak_verdict::RunVerdict;
//! # use std::alloc::System as YourAllocator;
//!
//! #[global_allocator]
//! static ALLOCATOR: Probe<YourAllocator> = Probe::new(YourAllocator); // e.g. jemallocator::Jemalloc
//!
//! fn main() {
//!     let mut sessions: HashMap<u64, Vec<u8>> = HashMap::new();
//!     let outcome = Soak::new("sessions").cycles(20).steps_per_cycle(50).run(async |step| {
//!         sessions.insert(step, vec![0; 100]);
//!         // Forgotten: sessions.remove(&step);
//!     });
//!     assert_eq!(outcome.judgement.verdict, RunVerdict::Leak);
//!     let sessions = outcome.judgement.component("sessions").unwrap();
//!     assert_eq!(sessions.growth_bytes_per_1000_requests.estimate, 100_000.0);
//! }
//! ```
//!
//! Parts of the program can be told apart with [`Component`](heapsoak_probe::Component) scopes inside the step, and
//! steps by their kind with [`Soak::kinds`].
//!
//! # The corpus
//!
//! [`cases`] are the programs with a known truth: each leak with its healthy twin, which differs by one line or one
//! number, and programs that grow and do not leak. `scripts/accuracy` runs all of them and says how often the verdict
//! was right, beside simpler methods on the same recordings. Where each leak is allocated is marked in its source
//! ([`marked_lines`]); `scripts/site-accuracy` holds the lines that reports name against it.

mod case;
mod cases;
mod cost;
mod draw;
mod outcome;
mod rebase;
mod rest;
mod soak;
mod stacks;
mod trial;

pub use case::{Amount, Case, Growth, cases};
pub use cases::{MarkedLine, marked_lines};
pub use draw::Draw;
pub use outcome::Outcome;
pub use soak::Soak;
pub use trial::{Planted, Step, Trial};
