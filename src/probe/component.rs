use crate::{Charged, Scope};
/// `static VERIFIER: Component = Component::new("verifier");`
#[derive(Debug)]
pub struct Component {
    name: &'static str,
}
impl Component {
    pub const fn new(name: &'static str) -> Component {
        Component { name }
    }
    pub fn name(&self) -> &'static str {
        self.name
    }
    /// Charges what this thread allocates to the component until the guard is dropped. Not for across an `.await`.
    #[must_use]
    pub fn enter(&'static self) -> Scope {
        Scope::stub()
    }
    /// Runs a closure in the component.
    pub fn scope<R>(&'static self, run: impl FnOnce() -> R) -> R {
        run()
    }
    /// Charges a future to the component, whichever thread polls it.
    pub fn charge<F: Future>(&'static self, future: F) -> Charged<F> {
        Charged { future }
    }
    /// The tower layer that charges a route to this component: `.route_layer(VERIFIER.layer())`.
    #[cfg(feature = "tower")]
    pub fn layer(&'static self) -> crate::ComponentLayer {
        crate::ComponentLayer {}
    }
}
