//! Soaks inside `cargo test`: a closure, an async block or a tower service is run a few thousand times, and the test fails
//! if it leaks, by the same verdict that a server is judged by.
//!
//! # Tutorial
//!
//! Once in each test binary (a file in `tests/`, or the crate for unit tests) the allocator has to be one that counts:
//!
//! ```
//! heapsoak_testing::allocator!(); // or allocator!(jemallocator::Jemalloc);
//! # fn main() {}
//! ```
//!
//! From then on, a test that must not leak is an ordinary function. Its body is one iteration:
//!
//! ```
//! # heapsoak_testing::allocator!();
//! #[heapsoak_testing::test]
//! fn parsing_leaves_nothing_behind() {
//!     let numbers: Vec<u64> = "1,2,3".split(',').map(|one| one.parse().unwrap()).collect();
//!     assert_eq!(numbers, [1, 2, 3]);
//! }
//!
//! #[heapsoak_testing::test(iterations = 1_000)]
//! async fn a_message_leaves_nothing_behind(iteration: u64) {
//!     let (sender, receiver) = tokio::sync::oneshot::channel();
//!     tokio::spawn(async move { sender.send(iteration).unwrap() });
//!     assert_eq!(receiver.await.unwrap(), iteration);
//! }
//! # fn main() {}
//! ```
//!
//! What is to live longer than an iteration (the server, the cache) goes into the builder's closure. This one forgets to
//! remove its sessions, and the test says which component keeps how much:
//!
//! ```
//! use std::collections::HashMap;
//!
//! use heapsoak_probe::Component;
//! use heapsoak_testing::Soak;
//!
//! heapsoak_testing::allocator!();
//!
//! static SESSIONS: Component = Component::new("sessions");
//!
//! # fn main() {
//! let mut open: HashMap<u64, Vec<u8>> = HashMap::new();
//! let soaked = Soak::new("sessions are closed").warm_up(100).iterations(2_000).run(|iteration| {
//!     SESSIONS.scope(|| open.insert(iteration, vec![0; 100]));
//!     // Forgotten: open.remove(&iteration);
//! });
//! let failure = soaked.failure().unwrap();
//! assert!(failure.contains("sessions keeps"), "{failure}");
//! let growth = soaked.judgement().component("sessions").unwrap().growth_bytes_per_1000_requests;
//! assert_eq!(growth.estimate.round(), 100_000.0);
//! # }
//! ```
//!
//! In a test, [`Soaked::assert_no_leak`] fails with that message.
//!
//! # A tower service
//!
//! The same for anything that is a `tower::Service`, an axum router for instance. An answer that is not as expected
//! counts as failed, and with more than one in a hundred of these the soak is invalid, and the test fails.
//!
//! ```
//! use axum::{Router, body::Body, http::Request, routing::get};
//! use heapsoak_testing::Soak;
//!
//! heapsoak_testing::allocator!();
//!
//! # fn main() {
//! let app = Router::new().route("/", get(async || "hello"));
//! Soak::new("hello")
//!     .iterations(1_000)
//!     .run_service(app, |_| Request::get("/").body(Body::empty()).unwrap(), |answer| answer.status().is_success())
//!     .assert_no_leak();
//! # }
//! ```
//!
//! # What is counted
//!
//! What the iterations allocate, and only that: each soak is a scope of its own, so tests that run beside it, in the same
//! process, are not in its figures. Tasks spawned on the soak's own runtime are in its scope. Threads are not, unless
//! they are given the scope: [`heapsoak_probe::spawn_blocking`], or [`Context::current`](heapsoak_probe::Context)
//! entered in the thread. What no component claims is charged to the soak by its name.
//!
//! Descriptors, threads and child processes the system counts for the whole process. A test that has its process to
//! itself may have them judged, too: [`Soak::alone_in_its_process`].
//!
//! # How it is judged
//!
//! Iterations are cut into cycles. After each, the soak waits until nothing of it moves any more, and what is alive is
//! counted, by the cycle that allocated it. A leak is what old cycles keep; a cache that fills and turns over is not. If
//! that is still undecided at the end, the soak goes on, up to four times as long ([`Soak::extend_up_to`]). Every soak
//! leaks 1 KiB per 1,000 iterations on purpose, as a positive control; one that does not find it fails. A test passes
//! only if nothing leaks down to the detection limit, the control was found, every cycle came to rest, and 99 % of the
//! iterations landed as expected.
//!
//! Works under `cargo test` and under nextest.

mod allocator;
mod cohorts;
mod control;
mod counted;
mod landed;
mod rest;
mod run;
mod scope;
mod service;
mod sites;
mod soak;
mod soaked;

pub use heapsoak_testing_macros::test;
pub use landed::Landed;
pub use soak::Soak;
pub use soaked::Soaked;

#[doc(hidden)]
pub mod hidden {
    //! What the macros expand to.
    pub use heapsoak_probe::Probe;
}
