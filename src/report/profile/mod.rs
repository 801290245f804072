//! Call stacks with what they hold, in the formats that other tools open.

mod differential;
mod flamegraph;
mod folded;
mod jemalloc;
mod pprof;
mod sample;
mod speedscope;

pub use differential::differential;
pub use flamegraph::Flamegraph;
pub use folded::Folded;
pub use jemalloc::convert_jemalloc;
pub use pprof::Pprof;
pub use speedscope::Speedscope;

use sample::Profile;

use crate::RenderError;

/// What is said when a recording holds no stacks.
fn no_stacks(format: &'static str) -> RenderError {
    RenderError::Format {
        format,
        why: "this recording has no stacks: soak again with a heapsoak and a server that capture them"
            .to_owned(),
    }
}
