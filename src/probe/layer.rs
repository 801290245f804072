//! Tower layers: a request's kind from the header the driver sets, a route's component.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context as Task, Poll};

use heapsoak_record::wire::KIND_HEADER;
use http::HeaderName;
use tower_layer::Layer;
use tower_service::Service;

use crate::{Charged, Component, Context, RequestKind, mode};

/// Parsed once.
static KIND: HeaderName = HeaderName::from_static(KIND_HEADER);

/// Requests that came while the probe counts.
static REQUESTS: AtomicU64 = AtomicU64::new(0);
static IS_USED: AtomicBool = AtomicBool::new(false);

/// Requests that came through [`layer`] since the probe counts; none where nobody made one.
pub(crate) fn requests() -> Option<u64> {
    IS_USED.load(Ordering::Relaxed).then(|| REQUESTS.load(Ordering::Relaxed))
}

/// The layer for a whole server: what a request allocates is charged to the kind that the driver names in the header
/// `heapsoak-kind`. Put it outermost. While the probe does not count, it reads no header.
///
/// Requests are counted, too, which `heapsoak watch` shows. Called inside a tokio runtime, it also makes the runtime's
/// tasks a resource of every snapshot.
#[must_use]
pub fn layer() -> KindLayer {
    #[cfg(feature = "tokio")]
    crate::task::watch_runtime();
    IS_USED.store(true, Ordering::Relaxed);
    KindLayer
}

/// See [`layer`].
#[derive(Debug, Clone, Copy)]
pub struct KindLayer;

impl<S> Layer<S> for KindLayer {
    type Service = KindService<S>;

    fn layer(&self, inner: S) -> KindService<S> {
        KindService { inner }
    }
}

/// Service of [`KindLayer`].
#[derive(Debug, Clone)]
pub struct KindService<S> {
    inner: S,
}

impl<S, B> Service<http::Request<B>> for KindService<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Charged<S::Future>;

    fn poll_ready(&mut self, task: &mut Task<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: http::Request<B>) -> Charged<S::Future> {
        let mut context = Context::current();
        if mode::is_counting() {
            REQUESTS.fetch_add(1, Ordering::Relaxed);
            if let Some(kind) = request.headers().get(&KIND).and_then(|value| value.to_str().ok()) {
                context = context.with_kind(RequestKind::named(kind));
            }
        }
        let _scope = context.enter();
        context.charge(self.inner.call(request))
    }
}

/// Charges a route to a component. Made by [`Component::layer`].
#[derive(Debug, Clone, Copy)]
pub struct ComponentLayer {
    component: &'static Component,
}

impl ComponentLayer {
    pub(crate) fn new(component: &'static Component) -> ComponentLayer {
        ComponentLayer { component }
    }
}

impl<S> Layer<S> for ComponentLayer {
    type Service = ComponentService<S>;

    fn layer(&self, inner: S) -> ComponentService<S> {
        ComponentService { component: self.component, inner }
    }
}

/// Service of [`ComponentLayer`].
#[derive(Debug, Clone)]
pub struct ComponentService<S> {
    component: &'static Component,
    inner: S,
}

impl<S, R> Service<R> for ComponentService<S>
where
    S: Service<R>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Charged<S::Future>;

    fn poll_ready(&mut self, task: &mut Task<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: R) -> Charged<S::Future> {
        let context = self.component.context();
        let _scope = context.enter();
        context.charge(self.inner.call(request))
    }
}
