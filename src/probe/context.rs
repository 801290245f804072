use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context as Cx, Poll};
/// Component path and request kind that memory is charged to; small and `Copy`. Put it beside work handed to a queue
/// and re-enter it where the work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Context(u16);
impl Context {
    /// Of this thread, now.
    pub fn current() -> Context {
        Context(0)
    }
    /// Charges what this thread allocates to this context until the guard is dropped.
    #[must_use]
    pub fn enter(self) -> Scope {
        Scope::stub()
    }
    /// Charges a future to this context, whichever thread polls it.
    pub fn charge<F: Future>(self, future: F) -> Charged<F> {
        Charged { future }
    }
    /// Same components, other kind.
    #[must_use]
    pub fn with_kind(self, _kind: RequestKind) -> Context {
        self
    }
}
/// Interned name of a request kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestKind(u16);
impl RequestKind {
    /// Interns a name. Cheap once known. While the probe sleeps: a no-op.
    pub fn named(_name: &str) -> RequestKind {
        RequestKind(0)
    }
}
/// Guard of a scope; restores what was current when dropped.
#[derive(Debug)]
pub struct Scope {
    not_send: PhantomData<*const ()>,
}
impl Scope {
    pub(crate) fn stub() -> Scope {
        Scope { not_send: PhantomData }
    }
}
impl Drop for Scope {
    fn drop(&mut self) {}
}
pin_project_lite::pin_project! {
    /// Future charged to a context.
    #[derive(Debug)]
    pub struct Charged<F> { #[pin] pub(crate) future: F }
}
impl<F: Future> Future for Charged<F> {
    type Output = F::Output;
    fn poll(self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<F::Output> {
        self.project().future.poll(cx)
    }
}
