//! The `tracing` layer: a span is a component.

use std::cell::RefCell;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_core::span::{Attributes, Id};
use tracing_core::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context as Spans, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::local::{self, ContextNumber};
use crate::registry::{self, Step};
use crate::{Context, mode};

/// Makes each span a component of the span's name: a server that is instrumented with `tracing` needs no scope of its
/// own.
///
/// What a span is charged to is settled when it is made, as by [`Component::charge`](crate::Component::charge): to
/// the component of its name, inside the context of its parent. A span without an explicit parent takes the path and
/// the request kind its maker is in, so that spans, tower layers and explicit scopes nest in each other. It is charged
/// so on whichever thread it is entered. Spans a filter leaves out are no components, and so are spans made before the
/// probe counts.
///
/// Making a span costs an allocation, charged to `heapsoak`; entering it a look-up in the subscriber's registry.
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let subscriber = tracing_subscriber::registry().with(heapsoak_probe::SpanLayer::new());
/// tracing::subscriber::with_default(subscriber, || {
///     let _span = tracing::info_span!("verifier").entered();
///     drop(String::from("charged to verifier"));
/// });
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SpanLayer {
    _private: (),
}

impl SpanLayer {
    /// The layer, to be put on a subscriber that has a registry of spans.
    #[must_use]
    pub const fn new() -> SpanLayer {
        SpanLayer { _private: () }
    }
}

/// What a span is charged to, kept among its extensions.
struct Charge(ContextNumber);

impl<S> Layer<S> for SpanLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, spans: Spans<'_, S>) {
        if !mode::is_counting() {
            return;
        }
        let here = Context::current().0;
        let parent = match attributes.parent() {
            Some(parent) => charge_of(parent, &spans).unwrap_or(here),
            None if attributes.is_root() => registry::outermost(here),
            None => here,
        };
        let component = component_of(attributes.metadata());
        let _own = registry::enter_own();
        if let Some(span) = spans.span(id) {
            span.extensions_mut().insert(Charge(registry::follow(parent, Step::Component(component))));
        }
    }

    fn on_enter(&self, id: &Id, spans: Spans<'_, S>) {
        if let Some(context) = charge_of(id, &spans) {
            // A thread that ends has no stack any more: it is charged to what it was.
            let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(id, context));
        }
    }

    fn on_exit(&self, id: &Id, _: Spans<'_, S>) {
        let _ = ENTERED.try_with(|entered| entered.borrow_mut().pop(id));
    }
}

fn charge_of<S>(id: &Id, spans: &Spans<'_, S>) -> Option<ContextNumber>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    spans.span(id)?.extensions().get::<Charge>().map(|charge| charge.0)
}

thread_local! {
    static ENTERED: RefCell<Entered> = const { RefCell::new(Entered(Vec::new())) };
}

/// The spans a thread is in, each with the context that was before it.
struct Entered(Vec<(u64, ContextNumber)>);

impl Entered {
    fn push(&mut self, id: &Id, context: ContextNumber) {
        if self.0.len() == self.0.capacity() {
            let _own = registry::enter_own();
            self.0.reserve(16);
        }
        self.0.push((id.into_u64(), local::set_context(context)));
    }

    /// Spans may be left in another order than that of their entering: what was before the one that is left is then
    /// before the one entered after it.
    fn pop(&mut self, id: &Id) {
        let Some(index) = self.0.iter().rposition(|&(entered, _)| entered == id.into_u64()) else { return };
        let (_, before) = self.0.remove(index);
        match self.0.get_mut(index) {
            Some(above) => above.1 = before,
            None => {
                local::set_context(before);
            }
        }
    }
}

/// The component of each call site: the address of its metadata in the upper 48 bits, the component's number in the
/// lower 16. Both in one word, so never torn.
static KNOWN: [AtomicU64; 1 << KNOWN_BITS] = [const { AtomicU64::new(0) }; 1 << KNOWN_BITS];
const KNOWN_BITS: u32 = 10;

fn component_of(metadata: &'static Metadata<'static>) -> u16 {
    let address = ptr::from_ref(metadata).addr() as u64;
    let index = (address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - KNOWN_BITS)) as usize;
    let entry = KNOWN[index].load(Ordering::Relaxed);
    if entry >> 16 == address {
        return (entry & 0xffff) as u16;
    }
    let number = registry::component(metadata.name());
    KNOWN[index].store((address << 16) | u64::from(number), Ordering::Relaxed);
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_left_in_another_order_leave_the_thread_where_it_was() {
        let here = local::context();
        let (first, second) = (Id::from_u64(1), Id::from_u64(2));
        let mut entered = Entered(Vec::new());
        entered.push(&first, 5);
        entered.push(&second, 6);
        entered.pop(&first);
        assert_eq!(local::context(), 6);
        entered.pop(&second);
        assert_eq!(local::context(), here);
        entered.pop(&second);
        assert_eq!(local::context(), here);
    }
}
