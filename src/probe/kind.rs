use crate::{Context, Scope, mode, registry};

/// The kind of a request: which of a scenario's steps asked for the work, e.g. `session.fail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestKind(pub(crate) u16);

impl RequestKind {
    /// The kind of this name. Names are kept for ever, so at most 1,023 are told apart (the rest are no kind), each cut
    /// at 128 bytes. Does nothing while the probe does not count.
    #[must_use]
    pub fn named(name: &str) -> RequestKind {
        if mode::is_counting() { RequestKind(registry::kind(name)) } else { RequestKind(0) }
    }

    /// Charges what this thread allocates to this kind, until the guard is dropped.
    pub fn enter(self) -> Scope {
        Context::current().with_kind(self).enter()
    }
}
