//! The programs, by theme.

mod buffers;
mod caches;
mod channels;
mod children;
mod cycles;
mod expiry;
mod filling;
mod labels;
mod load;
mod maps;
mod shapes;
mod sites;
mod tables;
mod tasks;

use crate::Case;

pub use sites::{MarkedLine, marked_lines};

/// Every case, leaks with their twins first.
pub(crate) fn all() -> Vec<Case> {
    [
        maps::CASES,
        caches::CASES,
        cycles::CASES,
        channels::CASES,
        tasks::CASES,
        labels::CASES,
        buffers::CASES,
        children::CASES,
        shapes::CASES,
        filling::CASES,
        expiry::CASES,
        tables::CASES,
        load::CASES,
    ]
    .concat()
}
