//! The driver: which programs, in which order, and what comes out.

mod amount;
mod compare;
mod contender;
mod error;
mod json;
mod subjects;
mod table;

pub(crate) use amount::Amount;
pub(crate) use compare::{Results, measure, snapshots};
pub(crate) use error::BenchError;
pub(crate) use json::json;
pub(crate) use subjects::Subjects;
pub(crate) use table::tables;
