//! The lines that allocate what a finding is about.

mod excerpt;
mod rank;

use std::path::Path;

use heapsoak_record::{Stack, Stacks, Symbol};

pub use excerpt::{Excerpt, Line};

/// A line of the server's source, or of a crate it depends on, that allocates.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// The function, with its module path.
    pub function: String,
    /// The source file as the compiler named it, without the folder the report is made in; none without debug info.
    pub file: Option<String>,
    /// The line in it, from 1.
    pub line: Option<u32>,
    /// Share of what the finding is about that this line allocated, from 0 to 1.
    pub share: f64,
    /// The functions on the way there, innermost first: the site, then its callers, without std, the allocator and the
    /// probe.
    pub callers: Vec<Caller>,
}

/// A function on the way to a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The function, with its module path.
    pub function: String,
    /// `file:line`, as far as it is known.
    pub place: String,
    /// Whether the compiler inlined it into the next one.
    pub inlined: bool,
}

impl Site {
    /// `file:line`, or as much of it as is known; empty without debug info.
    #[must_use]
    pub fn place(&self) -> String {
        place(self.file.as_deref(), self.line)
    }
}

fn place(file: Option<&str>, line: Option<u32>) -> String {
    match (file, line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.to_owned(),
        _ => String::new(),
    }
}

/// A file's name without the folder the report is made in: relative to a checkout, it is the same on every machine.
fn below(root: Option<&Path>, file: &str) -> String {
    let inner = root.and_then(|root| Path::new(file).strip_prefix(root).ok());
    inner.map_or_else(|| file.to_owned(), |inner| inner.to_string_lossy().into_owned())
}

/// The functions of a stack, innermost first, inlined ones among them; those of std, the allocator and the probe only
/// when asked.
pub(crate) fn functions<'a>(
    stacks: &'a Stacks,
    stack: &'a Stack,
    all: bool,
) -> impl Iterator<Item = &'a Symbol> {
    let symbols = stack.frames.iter().flat_map(|&frame| stacks.symbols_of(frame));
    symbols.filter(move |symbol| all || !symbol.origin.is_folded())
}

pub(crate) use rank::rank;
