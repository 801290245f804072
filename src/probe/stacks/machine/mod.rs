//! What of walking a stack depends on the processor.

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), path = "unknown.rs")]
mod processor;

pub(super) use processor::{code_address, registers};
