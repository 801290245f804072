#![allow(unsafe_code)] // the future is dropped inside its scope

use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::Poll;

use crate::Context;

/// A future charged to a context: what it allocates when polled and when dropped, on whichever thread. Made by
/// [`Component::charge`](crate::Component::charge) and [`Context::charge`].
///
/// Cancelling it (dropping it half-way) and a panic in its poll leave the thread in the context it was in.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Charged<F> {
    context: Context,
    future: ManuallyDrop<F>,
}

impl<F> Charged<F> {
    pub(crate) fn new(context: Context, future: F) -> Charged<F> {
        Charged { context, future: ManuallyDrop::new(future) }
    }
}

impl<F: Future> Future for Charged<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut std::task::Context<'_>) -> Poll<F::Output> {
        let _scope = self.context.enter();
        // SAFETY: the future is pinned with its wrapper: it is never moved out, and dropped in place.
        let future = unsafe { self.map_unchecked_mut(|charged| &mut *charged.future) };
        future.poll(task)
    }
}

impl<F> Drop for Charged<F> {
    fn drop(&mut self) {
        let _scope = self.context.enter();
        // SAFETY: dropped once, here, in place, and not used afterwards.
        unsafe { ManuallyDrop::drop(&mut self.future) }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::{Component, count};

    static OUTER: Component = Component::new("charged-outer");
    static INNER: Component = Component::new("charged-inner");

    struct Polled(std::rc::Rc<std::cell::Cell<(Context, Context)>>);

    impl Future for Polled {
        type Output = ();

        fn poll(self: Pin<&mut Self>, _: &mut std::task::Context<'_>) -> Poll<()> {
            self.0.set((Context::current(), self.0.get().1));
            Poll::Pending
        }
    }

    impl Drop for Polled {
        fn drop(&mut self) {
            self.0.set((self.0.get().0, Context::current()));
        }
    }

    #[test]
    fn a_future_is_polled_and_dropped_in_its_context_and_leaves_the_threads_alone() {
        count();
        let seen = std::rc::Rc::new(std::cell::Cell::new((Context::default(), Context::default())));
        let outer = OUTER.enter();
        let expected = INNER.context();
        let mut future = Box::pin(INNER.charge(Polled(seen.clone())));
        drop(outer);
        let here = Context::current();
        let pending = future.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop()));
        assert!(pending.is_pending());
        assert_eq!(Context::current(), here);
        drop(future);
        assert_eq!(Context::current(), here);
        assert_eq!(seen.get(), (expected, expected));
    }

    #[test]
    fn a_panic_in_a_poll_leaves_the_thread_in_its_context() {
        count();
        let here = Context::current();
        let mut future = Box::pin(INNER.charge(async { panic!("on purpose") }));
        let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _: Poll<()> = future.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop()));
        }));
        assert!(polled.is_err());
        assert_eq!(Context::current(), here);
    }
}
