use std::sync::atomic::{AtomicU16, Ordering};

use crate::context::{Context, Scope};
use crate::registry::{self, Step};
use crate::{Charged, mode};

/// A part of the server that memory is charged to.
///
/// ```
/// use heapsoak_probe::Component;
///
/// static VERIFIER: Component = Component::new("verifier");
///
/// let seen = VERIFIER.scope(|| String::from("charged to verifier"));
/// # drop(seen);
/// ```
///
/// Components nest: what `session` allocates while `queue` calls it is charged to the path `queue/session`. Two
/// components of the same name are one. Entering is a look-up in a lock-free cache while the probe counts,
/// a load and a branch otherwise.
#[derive(Debug)]
pub struct Component {
    name: &'static str,
    /// Number in the registry plus one; 0: not registered yet.
    number: AtomicU16,
}

impl Component {
    /// A component of this name, for a `static`.
    #[must_use]
    pub const fn new(name: &'static str) -> Component {
        Component { name, number: AtomicU16::new(0) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Charges what this thread allocates to the component, until the guard is dropped.
    ///
    /// For synchronous code. The guard is not `Send`, so it can't be held across an `.await` of a task that may move;
    /// use [`charge`](Component::charge) there.
    #[inline]
    pub fn enter(&self) -> Scope {
        self.context().enter()
    }

    /// Runs a closure with what it allocates charged to the component.
    #[inline]
    pub fn scope<R>(&self, run: impl FnOnce() -> R) -> R {
        let _scope = self.enter();
        run()
    }

    /// Charges a future to the component, whichever thread polls it. Its path and kind are those of the caller, now.
    #[inline]
    pub fn charge<F: Future>(&self, future: F) -> Charged<F> {
        self.context().charge(future)
    }

    /// The tower layer that charges a route to this component: `.route_layer(VERIFIER.layer())`.
    #[cfg(feature = "tower")]
    #[must_use]
    pub fn layer(&'static self) -> crate::ComponentLayer {
        crate::ComponentLayer::new(self)
    }

    /// The context one would be in inside the component.
    #[inline]
    #[must_use]
    pub fn context(&self) -> Context {
        let here = Context::current();
        // Registered only while the probe counts, so that one look tells both.
        match self.number.load(Ordering::Relaxed) {
            0 if !mode::is_counting() => here,
            0 => self.register().context(),
            next => Context(registry::follow(here.0, Step::Component(next - 1))),
        }
    }

    #[cold]
    #[inline(never)]
    fn register(&self) -> &Component {
        self.number.store(registry::component(self.name) + 1, Ordering::Relaxed);
        self
    }
}
