use serde::{Deserialize, Serialize};

/// A function on a stack and the line it was at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Symbol {
    /// Name with its module path, e.g. `autopilot::session::history::keep`; the bare address when nothing is known.
    pub function: String,
    /// Source file as the compiler named it; none without debug info.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line in it, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Whether the compiler inlined it into the next one outwards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inlined: bool,
    /// Whose code it is.
    pub origin: Origin,
}

/// Whose code a function is, so that a report can fold away what nobody here can change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The program's own.
    Own,
    /// A crate it depends on.
    Dependency,
    /// Rust's standard library, or the start of a program or thread before it.
    Std,
    /// The allocator, and the calls into it.
    Allocator,
    /// heapsoak's probe.
    Probe,
    /// A shared library, or unknown.
    #[default]
    Other,
}

impl Origin {
    /// Whether a report that looks for the line to change skips it.
    #[must_use]
    pub fn is_folded(self) -> bool {
        matches!(self, Origin::Std | Origin::Allocator | Origin::Probe)
    }
}
