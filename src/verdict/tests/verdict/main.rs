//! Recordings whose truth is known, and what the verdict says of them.

mod beyond_survivors;
mod control;
mod data_quality;
mod digest;
mod folding;
mod golden;
mod healthy;
mod healthy_programs;
mod leaks;
mod limits;
mod other_findings;
mod properties;
mod regimes;
mod restarts;
mod server;
mod without_heap;
