//! How a server says which of its parts allocates: as its allocator wants to hear it, or not at all.

/// A part of the server. Ten, of which a zoom takes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Part {
    /// Reads the headers and who asks.
    Auth,
    /// Parses the body.
    Parse,
    /// Cleans what was parsed.
    Validate,
    /// Looks the project up.
    Cache,
    /// Resolves labels.
    Labels,
    /// Decides who does it.
    Assign,
    /// Keeps what came in.
    Store,
    /// Writes the body of the answer.
    Render,
    /// Writes the headers of the answer.
    Respond,
    /// Writes a line of the log.
    Log,
}

impl Part {
    /// Each of them.
    pub const ALL: [Part; 10] = [
        Part::Auth,
        Part::Parse,
        Part::Validate,
        Part::Cache,
        Part::Labels,
        Part::Assign,
        Part::Store,
        Part::Render,
        Part::Respond,
        Part::Log,
    ];

    /// Its place in [`Part::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// How parts are announced to an allocator.
pub trait Scoping: Copy + Send + Sync + 'static {
    /// Runs what a part does.
    fn within<R>(self, part: Part, run: impl FnOnce() -> R) -> R;
}

/// Announces nothing: for allocators that would not listen.
#[derive(Debug, Clone, Copy)]
pub struct Unscoped;

impl Scoping for Unscoped {
    #[inline(always)]
    fn within<R>(self, _: Part, run: impl FnOnce() -> R) -> R {
        run()
    }
}
