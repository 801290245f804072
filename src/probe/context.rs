use std::marker::PhantomData;

use crate::local::{self, ContextNumber};
use crate::registry::{self, Step};
use crate::{Charged, RequestKind, mode};

/// What memory is charged to: a path of components and a request kind. Two bytes, `Copy`.
///
/// Put it beside work that is handed to a queue, and enter it where the work is done: what a worker leaks an hour later
/// is then charged to the request that asked for it.
///
/// ```
/// use heapsoak_probe::Context;
///
/// struct Job { context: Context, text: String }
///
/// let job = Job { context: Context::current(), text: "later".to_owned() };
/// std::thread::spawn(move || {
///     let _scope = job.context.enter();
///     job.text.to_uppercase()
/// });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Context(pub(crate) ContextNumber);

impl Context {
    /// The context this thread is in.
    #[inline]
    #[must_use]
    pub fn current() -> Context {
        Context(local::context())
    }

    /// Charges what this thread allocates to this context, until the guard is dropped.
    #[inline]
    pub fn enter(self) -> Scope {
        Scope::enter(self.0)
    }

    /// Charges a future to this context, whichever thread polls it.
    #[inline]
    pub fn charge<F: Future>(self, future: F) -> Charged<F> {
        Charged::new(self, future)
    }

    /// The same components under another request kind.
    #[inline]
    #[must_use]
    pub fn with_kind(self, kind: RequestKind) -> Context {
        if !mode::is_counting() {
            return self;
        }
        Context(registry::follow(self.0, Step::Kind(kind.0)))
    }
}

/// Guard of a scope. When dropped, the thread is back in the context it was in before; guards are to be dropped in the
/// reverse order of their making, as locals are.
#[derive(Debug)]
#[must_use = "the scope ends when its guard is dropped"]
pub struct Scope {
    before: ContextNumber,
    /// Belongs to its thread.
    not_send: PhantomData<*const ()>,
}

impl Scope {
    #[inline]
    pub(crate) fn enter(context: ContextNumber) -> Scope {
        Scope { before: local::set_context(context), not_send: PhantomData }
    }
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        local::set_context(self.before);
    }
}
