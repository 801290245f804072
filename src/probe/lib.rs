//! What a server links to be soaked by heapsoak.
#![allow(missing_docs, dead_code)]

mod allocator;
pub mod clock;
mod component;
mod context;
mod gauge;
#[cfg(feature = "tower")]
mod layer;
mod start;
#[cfg(feature = "tokio")]
mod task;

pub use allocator::Probe;
pub use component::Component;
pub use context::{Charged, Context, RequestKind, Scope};
pub use gauge::Gauge;
#[cfg(feature = "tower")]
pub use layer::{ComponentLayer, KindLayer, layer};
pub use start::start;
#[cfg(feature = "tokio")]
pub use task::{spawn, spawn_blocking};
