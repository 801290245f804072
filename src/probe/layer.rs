//! Tower layers.
/// Charges a route to a component.
#[derive(Debug, Clone)]
pub struct ComponentLayer {}
impl<S> tower_layer::Layer<S> for ComponentLayer {
    type Service = S;
    fn layer(&self, inner: S) -> S {
        inner
    }
}
/// Sets the request kind from the header `heapsoak-kind` for everything inside.
#[derive(Debug, Clone)]
pub struct KindLayer {}
impl<S> tower_layer::Layer<S> for KindLayer {
    type Service = S;
    fn layer(&self, inner: S) -> S {
        inner
    }
}
/// The outermost layer of a server.
pub fn layer() -> KindLayer {
    KindLayer {}
}
