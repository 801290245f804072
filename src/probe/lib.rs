//! What a server links to be soaked by heapsoak: a counting allocator around the one it has, components, request
//! kinds, gauges, a clock, and a private socket.
//!
//! # Set-up
//!
//! Four lines: the dependency, the allocator, the socket, the layer.
//!
//! ```
//! # use std::alloc::System as YourAllocator;
//! use heapsoak_probe::{Component, Probe};
//!
//! #[global_allocator]
//! static ALLOCATOR: Probe<YourAllocator> = Probe::new(YourAllocator);
//!
//! static CACHE: Component = Component::new("cache");
//!
//! fn main() {
//!     heapsoak_probe::start(); // opens the socket if HEAPSOAK_SOCKET names one, else does nothing
//!     let entry = CACHE.scope(|| vec![0u8; 1024]); // charged to `cache`, wherever it is freed
//!     drop(entry);
//! }
//! ```
//!
//! With the feature `tower`, `Router::new()….layer(heapsoak_probe::layer())` charges each request to the kind the
//! driver names in its header, and `.route_layer(CACHE.layer())` a route to a component. With the feature `tokio`,
//! [`spawn`] hands the context on to the task.
//!
//! # What is counted
//!
//! For every *context* (component path × request kind) and every *cohort* (the time between two quiet points): bytes
//! and blocks allocated and freed, exactly. A free is charged to the context that allocated, whichever thread or
//! component frees. `realloc` keeps a block's owner.
//!
//! # How
//!
//! A block's owner is a 16-bit tag in a two-level shadow table, one tag per 16 bytes of address space, mapped when
//! first touched. Blocks have no header: size classes, alignment and in-place `realloc` stay as the inner allocator
//! has them, except that blocks of up to 8 bytes take 16, so that no two blocks share a tag. Counters belong to
//! threads and are written with plain loads and stores; a snapshot sums them. There is no lock and no
//! read-modify-write on the path of an allocation.
//!
//! # Cost and limits
//!
//! Without `HEAPSOAK_SOCKET` in the environment of the process the allocator passes every call through after one
//! load and one branch. With it, the tag costs up to 1/8 of the heap's address range in memory, each thread
//! that allocates reserves 2 MiB of address space for counters (touched as needed), and at most 65,535 pairs of
//! context and cohort can be told apart at once: the tags of cohorts that died are used again, the oldest of those
//! that live are merged. Addresses above 2⁴⁷ are counted under [`UNSCOPED`](heapsoak_record::UNSCOPED).
//!
//! Linux only.

#[cfg(not(target_os = "linux"))]
compile_error!("heapsoak-probe needs Linux: its socket, /proc and address-space layout are not ported yet");
#[cfg(not(target_pointer_width = "64"))]
compile_error!("heapsoak-probe needs a 64-bit target: its shadow table covers 47 bits of address space");

mod allocator;
mod charged;
pub mod clock;
mod component;
mod context;
mod counters;
mod fork;
mod gauge;
mod heap;
mod kind;
#[cfg(feature = "tower")]
mod layer;
mod local;
mod lock;
mod mapping;
mod mode;
#[cfg(feature = "profiler")]
pub mod profiler;
mod registry;
mod resources;
mod service;
mod shadow;
#[cfg(feature = "tracing")]
mod span;
mod start;
mod tags;
#[cfg(feature = "tokio")]
mod task;

pub use allocator::Probe;
pub use charged::Charged;
pub use component::Component;
pub use context::{Context, Scope};
pub use gauge::{Gauge, GaugeHold};
pub use heap::{advance_cohort, heap};
pub use kind::RequestKind;
#[cfg(feature = "tower")]
pub use layer::{ComponentLayer, ComponentService, KindLayer, KindService, layer};
pub use mode::{count, is_counting};
#[cfg(feature = "tracing")]
pub use span::SpanLayer;
pub use start::start;
#[cfg(feature = "tokio")]
pub use task::{spawn, spawn_blocking};
