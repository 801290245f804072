//! The full server that ships with heapsoak, and its first patient.

mod defect;

pub use defect::{Defect, Defects, UnknownDefect};
