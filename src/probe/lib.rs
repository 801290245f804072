//! What a server links to be soaked by heapsoak: a counting allocator around the one it has, components, request
//! kinds, gauges, a clock, and a private socket.
//!
//! Choose the set-up that is nearest to your server; they can be mixed.
//!
//! # Set-up 1: axum, with layers
//!
//! Features `tokio` and `tower`. Four lines: the dependency, the allocator, the socket, the layers.
//!
//! ```
//! use axum::{Router, routing::get};
//! use heapsoak_probe::{Component, Probe};
//! # use std::alloc::System as YourAllocator;
//!
//! #[global_allocator]
//! static ALLOCATOR: Probe<YourAllocator> = Probe::new(YourAllocator); // e.g. jemallocator::Jemalloc
//!
//! static CATALOGUE: Component = Component::new("catalogue");
//!
//! fn app() -> Router {
//!     let catalogue = Router::new()
//!         .route("/catalogue/{key}", get(async || vec![b'x'; 1024]))
//!         .route_layer(CATALOGUE.layer()); // what these routes allocate is charged to `catalogue`
//!     Router::new().merge(catalogue).layer(heapsoak_probe::layer()) // outermost: under the kind the driver names
//! }
//!
//! #[tokio::main]
//! async fn main() {
//!     heapsoak_probe::start(); // opens the socket if HEAPSOAK_SOCKET names one, else does nothing
//! #   heapsoak_probe::count();
//!     let app = app();
//!     // axum::serve(listener, app).await, as ever
//! #   use tower::ServiceExt;
//! #   let request = axum::http::Request::get("/catalogue/a").header("heapsoak-kind", "cache.hit");
//! #   let answer = app.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
//! #   assert_eq!(answer.status(), 200);
//! #   let heap = heapsoak_probe::heap();
//! #   assert!(heap.contexts.iter().any(|context| context.component() == "catalogue"
//! #       && context.kind.as_deref() == Some("cache.hit") && context.allocated_bytes >= 1024));
//! }
//! ```
//!
//! A task that a handler spawns with [`spawn`] instead of `tokio::spawn` carries component and kind along, and so does
//! a closure given to [`spawn_blocking`]. Work handed to a queue carries its [`Context`] beside it.
//!
//! # Set-up 2: plain threads
//!
//! No feature. A scope for each part of the server; scopes nest, and belong to their thread.
//!
//! ```
//! use std::sync::mpsc;
//! use heapsoak_probe::{Component, Context, Gauge, Probe, RequestKind};
//! # use std::alloc::System as YourAllocator;
//!
//! #[global_allocator]
//! static ALLOCATOR: Probe<YourAllocator> = Probe::new(YourAllocator);
//!
//! static PARSER: Component = Component::new("parser");
//! static INDEX: Component = Component::new("index");
//! static WAITING: Gauge = Gauge::busy("index.waiting"); // while it is above zero the server is not at rest
//!
//! struct Job {
//!     text: String,
//!     context: Context,
//! }
//!
//! fn main() {
//!     heapsoak_probe::start();
//! #   heapsoak_probe::count();
//!     let (jobs, queue) = mpsc::channel::<Job>();
//!     let worker = std::thread::spawn(move || {
//!         let mut index = Vec::new();
//!         for job in queue {
//!             let _scope = job.context.enter(); // charged to the request that asked for it
//!             INDEX.scope(|| index.push(job.text.to_uppercase()));
//!             WAITING.add(-1);
//!         }
//!         index.len()
//!     });
//!
//!     let _kind = RequestKind::named("index.add").enter(); // from whatever names it in your protocol
//!     let text = PARSER.scope(|| String::from("charged to parser, wherever it is freed"));
//!     WAITING.add(1);
//!     jobs.send(Job { text, context: Context::current() }).unwrap();
//!     drop(jobs);
//!     assert_eq!(worker.join().unwrap(), 1);
//! #   let heap = heapsoak_probe::heap();
//! #   let index = heap.contexts.iter().find(|context| context.component() == "index").unwrap();
//! #   assert_eq!(index.kind.as_deref(), Some("index.add"));
//! #   assert_eq!(index.live_bytes(), 0);
//! }
//! ```
//!
//! # Set-up 3: instrumented with `tracing` already
//!
//! Feature `tracing`. The allocator, the socket and one layer; every span is a component of its name.
//!
//! ```
//! use heapsoak_probe::{Probe, SpanLayer};
//! use tracing_subscriber::layer::SubscriberExt;
//! # use std::alloc::System as YourAllocator;
//!
//! #[global_allocator]
//! static ALLOCATOR: Probe<YourAllocator> = Probe::new(YourAllocator);
//!
//! // In your server most likely: #[tracing::instrument(name = "verifier")]
//! fn verify(body: &str) -> Vec<u8> {
//!     let _span = tracing::info_span!("verifier").entered();
//!     body.as_bytes().to_vec()
//! }
//!
//! fn main() {
//!     heapsoak_probe::start();
//! #   heapsoak_probe::count();
//!     let subscriber = tracing_subscriber::registry().with(SpanLayer::new()); // beside the layers you have
//!     tracing::subscriber::set_global_default(subscriber).expect("it is set once");
//!     let kept = verify("signed");
//! #   let heap = heapsoak_probe::heap();
//! #   let verifier = heap.contexts.iter().find(|context| context.component() == "verifier").unwrap();
//! #   assert_eq!(verifier.live_bytes(), 6);
//! #   drop(kept);
//! }
//! ```
//!
//! Explicit scopes, tower layers and spans charge the same program with the same numbers.
//!
//! # What is counted
//!
//! For every *context* (component path × request kind) and every *cohort* (the time between two quiet points): bytes
//! and blocks allocated and freed, exactly. Bytes are those the program asked for. A free is charged to the context
//! that allocated, whichever thread or component frees. `realloc` keeps a block's owner. At rest the sum over
//! contexts is the total, to the byte. With the feature `jemalloc`, what its size classes took beyond that is the
//! resource `jemalloc.rounding` of each snapshot. [`heap`] reads the counts:
//!
//! ```
//! # use std::alloc::System;
//! # #[global_allocator]
//! # static ALLOCATOR: heapsoak_probe::Probe<System> = heapsoak_probe::Probe::new(System);
//! use heapsoak_probe::{Component, advance_cohort, heap};
//!
//! static SESSION: Component = Component::new("session");
//!
//! heapsoak_probe::count(); // in a test: as if HEAPSOAK_SOCKET were set
//! let cohort = advance_cohort();
//! let kept = SESSION.scope(|| vec![0u8; 300]);
//! let heap = heap();
//! let session = heap.contexts.iter().find(|context| context.component() == "session").unwrap();
//! assert_eq!((session.live_bytes(), session.live_blocks()), (300, 1));
//! assert_eq!(session.survivors[0].cohort, cohort);
//! # drop(kept);
//! ```
//!
//! # Call stacks
//!
//! [`capture_stacks`] has the stack captured of every allocation, of every one of a component, or of a sample by bytes;
//! so do `HEAPSOAK_MODE=stacks`, `zoom:COMPONENT` or `stacks:BYTES` in the environment, and the socket. [`stacks`] reads
//! what each stack allocated and what of it is alive. Build the server with `-C force-frame-pointers=yes`.
//!
//! While nothing was ever captured, none of this costs anything. Measured on a server whose request makes 124 allocations
//! in 5.0 µs, as CPU time over plain jemalloc: 1.3 with a sample per 64 KiB, 1.3 with every stack of one component of
//! ten, 2.0 with every stack, where counts alone were at 1.1. Memory: 4 bytes more for each block of what is captured,
//! 24 bytes for each frame and 16 for each stack that is new, 32 for each stack and up to 108 KiB for each thread. Turned off, frees are still
//! looked at one by one. Stacks of up to 512 frames are whole; a stack that is not its thread's own has no frames.
//!
//! # A sample
//!
//! `HEAPSOAK_MODE=sampled`, read when the process first allocates, counts nothing and keeps a sample of the blocks that
//! live, one in 512 KiB, from which [`heap`] estimates without bias how much each component holds: to be left on.
//! Blocks of the sample start with a page, as jemalloc's own do.
//! [`count`], or the socket, goes over to exact counts; what was allocated before is not among them.
//!
//! # How
//!
//! A block's owner is a 16-bit tag in a shadow table, found by the block's address and mapped when first touched.
//! Blocks have no header: size classes, alignment and in-place `realloc` stay as the inner allocator has them, except
//! that blocks of up to 8 bytes take 16, so that no two blocks share a tag. Counters belong to threads and are written
//! with plain loads and stores; a snapshot sums them. There is no lock and no read-modify-write on the path of an
//! allocation.
//!
//! # Cost and limits
//!
//! Without `HEAPSOAK_SOCKET` in the environment of the process the allocator passes every call through after three
//! comparisons. With it, the table reserves 321 GiB of address space (where the system refuses, it is mapped
//! region by region instead) and takes 1/8 of the memory of those pages that hold blocks of less than 512 bytes, 1/256
//! of others; each thread that allocates reserves 2 MiB of address space for counters, touched as needed; and at most
//! 65,535 pairs of context and cohort can be told apart at once: the tags of cohorts that died are used again, the
//! oldest of those that live are merged. What it costs in time is measured in `docs/performance.md`.
//!
//! What can't be marked with an owner is still counted, under [`UNSCOPED`](heapsoak_record::UNSCOPED): blocks above
//! 2⁴⁷, and blocks for which the system gives no memory to mark them (`ulimit -v`, `overcommit_memory=2`). An
//! allocation that fails is passed on as null, uncounted. The child of a `fork` without exec may allocate and free. An
//! allocation that is under way while a cohort begins is charged to it or to the one before; so is what a thread
//! allocates until it next enters or leaves a scope, if it did so at that very moment.
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
mod control;
mod counters;
mod fork;
mod gauge;
mod heap;
mod kind;
mod kinds;
#[cfg(feature = "tower")]
mod layer;
mod local;
mod lock;
mod mapping;
mod mode;
#[cfg(feature = "profiler")]
pub mod profiler;
mod random;
mod registry;
mod resources;
mod sampled;
mod service;
mod shadow;
#[cfg(feature = "tracing")]
mod span;
mod stacks;
mod start;
mod tags;
#[cfg(feature = "tokio")]
mod task;

pub use allocator::Probe;
pub use charged::Charged;
pub use component::Component;
pub use context::{Context, Scope};
pub use gauge::{Gauge, GaugeHold};
pub use heap::{advance_cohort, heap, sample_interval_bytes};
pub use heapsoak_record::CaptureRate;
pub use kind::RequestKind;
#[cfg(feature = "tower")]
pub use layer::{ComponentLayer, ComponentService, KindLayer, KindService, layer};
pub use mode::{count, is_counting};
pub use resources::all as resources;
#[cfg(feature = "tracing")]
pub use span::SpanLayer;
pub use stacks::{CaptureError, capture_stacks, stacks};
pub use start::start;
#[cfg(feature = "tokio")]
pub use task::{spawn, spawn_blocking};
