//! A line that allocates, and how it is named.

use std::path::Path;

use heapsoak_record::{Stack, Stacks, Symbol};

/// Functions that are named on the way to a site at most.
const CALLERS: usize = 12;

/// A function of the server, or of a crate it depends on, that allocates, with its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// The function, with its module path.
    pub function: String,
    /// The source file as the compiler named it, without the folder the report is made in; none without debug info.
    pub file: Option<String>,
    /// The line in it, from 1: of several in the function the one that has most of it.
    pub line: Option<u32>,
    /// Share of what is asked about that this function allocated, from 0 to 1.
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

impl Caller {
    /// The functions of a stack from the innermost on, up to twelve.
    pub(crate) fn all(stacks: &Stacks, stack: &Stack, root: Option<&Path>) -> Vec<Caller> {
        functions(stacks, stack, false)
            .take(CALLERS)
            .map(|symbol| {
                let file = symbol.file.as_deref().map(|file| below(root, file));
                Caller {
                    function: symbol.function.clone(),
                    place: place(file.as_deref(), symbol.line),
                    inlined: symbol.inlined,
                }
            })
            .collect()
    }
}

/// `file:line`, or as much of it as is known.
#[must_use]
pub fn place(file: Option<&str>, line: Option<u32>) -> String {
    match (file, line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.to_owned(),
        _ => String::new(),
    }
}

/// A file's name without what differs from machine to machine: the folder the report is made in, that of downloaded
/// crates, that of the compiler.
#[must_use]
pub fn below(root: Option<&Path>, file: &str) -> String {
    if let Some(inner) = root.and_then(|root| Path::new(file).strip_prefix(root).ok()) {
        return inner.to_string_lossy().into_owned();
    }
    // …/registry/src/index.crates.io-1949cf8c6b5b557f/tokio-1.49.0/src/task.rs
    if let Some((_, inner)) = file.split_once("/registry/src/")
        && let Some((_, inner)) = inner.split_once('/')
    {
        return inner.to_owned();
    }
    // /rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/std/src/rt.rs
    if let Some((_, inner)) = file.strip_prefix("/rustc/").and_then(|inner| inner.split_once('/')) {
        return inner.to_owned();
    }
    file.to_owned()
}

/// The functions of a stack, innermost first, inlined ones among them; those of std, the allocator and the probe only
/// when `all` is asked for.
pub fn functions<'a>(stacks: &'a Stacks, stack: &'a Stack, all: bool) -> impl Iterator<Item = &'a Symbol> {
    let symbols = stack.frames.iter().flat_map(|&frame| stacks.symbols_of(frame));
    symbols.filter(move |symbol| all || !symbol.origin.is_folded())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_alike_on_every_machine() {
        let root = Some(Path::new("/home/me/server"));
        assert_eq!(below(root, "/home/me/server/src/main.rs"), "src/main.rs");
        let crates = "/home/me/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/tokio-1.49.0/src/task.rs";
        assert_eq!(below(root, crates), "tokio-1.49.0/src/task.rs");
        assert_eq!(below(root, "/rustc/59807616e1/library/std/src/rt.rs"), "library/std/src/rt.rs");
        assert_eq!(below(None, "src/main.rs"), "src/main.rs");
    }
}
