//! What the probe costs, measured beside plain jemalloc and beside other tools on the same work.
//!
//! One small program per allocator (a *subject*, in `subjects/`) does the same deterministic work: requests to a server
//! in the same process, pairs of an allocation and its free, snapshots. `bench-probe` runs them in turn, each as a
//! process of its own, and compares neighbours. See `docs/performance.md`.

pub mod pair;
pub mod scoping;
pub mod server;
pub mod subject;
pub mod work;
