//! Names: components, request kinds, and the contexts made of them.
//!
//! Entering a component or a kind is a look-up in a small lock-free cache from (context, what is entered) to context;
//! what the cache does not know is found or made under a lock.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use heapsoak_record::{OWN_COMPONENT, UNSCOPED};

use crate::context::Scope;
use crate::local::ContextNumber;
use crate::tags::CONTEXTS;
use crate::{fork, kinds, stacks};

/// Most names of components, and of kinds, that are told apart.
const NAMES: usize = 1 << 10;
/// Longest name of a kind, in bytes. Kinds come from a header: what is longer is cut.
const LONGEST_KIND: usize = 128;

/// Number of the components that are too many: entering one changes nothing.
pub(crate) const NOWHERE: u16 = NAMES as u16;

/// What is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A component, by its number from [`component`].
    Component(u16),
    /// A request kind, by its number from [`kind`].
    Kind(u16),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Described {
    /// Numbers of components, outermost first; empty for unscoped.
    path: Vec<u16>,
    /// Number of the kind; zero for none.
    kind: u16,
}

#[derive(Default)]
struct Registry {
    components: Vec<&'static str>,
    /// By number.
    kinds: Vec<&'static str>,
    contexts: Vec<Described>,
    context_numbers: HashMap<Described, ContextNumber>,
}

impl Registry {
    /// Name of the component a context is charged to.
    fn charged(&self, described: &Described) -> &'static str {
        let innermost = described.path.last();
        innermost.and_then(|&number| self.components.get(usize::from(number)).copied()).unwrap_or(UNSCOPED)
    }
}

static REGISTRY: Mutex<Option<Registry>> = Mutex::new(None);

/// The names, held over a fork.
pub(crate) struct NamesGuard {
    _guard: MutexGuard<'static, Option<Registry>>,
}

/// Holds the names, or gives up.
pub(crate) fn hold_names() -> Option<NamesGuard> {
    Some(NamesGuard { _guard: fork::hold(&REGISTRY)? })
}

fn with_registry<R>(work: impl FnOnce(&mut Registry) -> R) -> R {
    // Not through `enter_own`, which comes here: the probe's context is set by number once it is known.
    let mut registry = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
    let before = crate::local::set_context(OWN_CONTEXT);
    let registry = registry.get_or_insert_with(|| {
        let mut new = Registry::default();
        new.components.push(OWN_COMPONENT);
        new.contexts.push(Described::default());
        new.contexts.push(Described { path: vec![0], kind: 0 });
        for (number, described) in (0..).zip(&new.contexts) {
            new.context_numbers.insert(described.clone(), number);
        }
        new.kinds.push("");
        new
    });
    let result = work(registry);
    crate::local::set_context(before);
    result
}

/// Number of the probe's own context: given out with the registry itself.
const OWN_CONTEXT: ContextNumber = 1;

/// Charges what follows to the probe itself.
pub(crate) fn enter_own() -> Scope {
    Scope::enter(OWN_CONTEXT)
}

/// Whether a context is the probe's own.
pub(crate) fn is_own(context: ContextNumber) -> bool {
    context == OWN_CONTEXT
}

/// The number of a component; the same for the same name. [`NOWHERE`] when there are too many.
pub(crate) fn component(name: &'static str) -> u16 {
    with_registry(|registry| {
        let known = registry.components.iter().position(|known| *known == name);
        let number = known.or_else(|| {
            (registry.components.len() < NAMES).then(|| {
                registry.components.push(name);
                registry.components.len() - 1
            })
        });
        number.and_then(|number| u16::try_from(number).ok()).unwrap_or(NOWHERE)
    })
}

/// The number of a kind; the same for the same name. Zero (no kind) when there are too many.
pub(crate) fn kind(name: &str) -> u16 {
    let name = &name[..name.floor_char_boundary(LONGEST_KIND)];
    if name.is_empty() {
        return 0;
    }
    if let Some(known) = kinds::find(name) {
        return known.number;
    }
    with_registry(|registry| {
        if let Some(known) = kinds::find(name) {
            return known.number;
        }
        if registry.kinds.len() >= NAMES {
            return 0;
        }
        let number = registry.kinds.len() as u16;
        registry.kinds.push(&kinds::add(number, name).name);
        number
    })
}

/// Path and kind of a context.
pub(crate) fn describe(context: ContextNumber) -> Option<(Vec<String>, Option<String>)> {
    with_registry(|registry| {
        let described = registry.contexts.get(usize::from(context))?;
        let mut path: Vec<String> = described
            .path
            .iter()
            .filter_map(|&component| registry.components.get(usize::from(component)))
            .map(ToString::to_string)
            .collect();
        if path.is_empty() {
            path.push(UNSCOPED.to_owned());
        }
        let kind = (described.kind != 0).then(|| registry.kinds.get(usize::from(described.kind)));
        Some((path, kind.flatten().map(ToString::to_string)))
    })
}

/// Name of the component each context is charged to, by its number.
pub(crate) fn components_charged() -> Vec<&'static str> {
    with_registry(|registry| registry.contexts.iter().map(|described| registry.charged(described)).collect())
}

/// The context one gets into from `from` by a step.
#[inline]
pub(crate) fn follow(from: ContextNumber, step: Step) -> ContextNumber {
    let key = cache_key(from, step);
    let place = &CACHE[cache_index(key)];
    let entry = place.load(Ordering::Relaxed);
    if entry >> 16 == key {
        return ContextNumber::try_from(entry & 0xffff).unwrap_or(0);
    }
    find_or_make(from, step, key)
}

/// The context of no component with the kind of this one.
#[cfg(feature = "tracing")]
pub(crate) fn outermost(context: ContextNumber) -> ContextNumber {
    let kind =
        with_registry(|registry| registry.contexts.get(usize::from(context)).map_or(0, |here| here.kind));
    follow(0, Step::Kind(kind))
}

/// Entries of the cache: key in the upper 48 bits, context in the lower 16. Both in one word, so never torn.
static CACHE: [AtomicU64; CACHE_SIZE] = [const { AtomicU64::new(0) }; CACHE_SIZE];
const CACHE_SIZE: usize = 1 << 12;

/// Never zero, which an empty entry holds.
fn cache_key(from: ContextNumber, step: Step) -> u64 {
    let (sort, number) = match step {
        Step::Component(number) => (1, number),
        Step::Kind(number) => (2, number),
    };
    (sort << 32) | (u64::from(from) << 16) | u64::from(number)
}

/// Multiplicative hashing: Knuth, The Art of Computer Programming 3, section 6.4.
fn cache_index(key: u64) -> usize {
    usize::try_from(key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52).unwrap_or(0) % CACHE_SIZE
}

#[cold]
#[inline(never)]
fn find_or_make(from: ContextNumber, step: Step, key: u64) -> ContextNumber {
    let to = with_registry(|registry| {
        let mut described = registry.contexts.get(usize::from(from))?.clone();
        match step {
            Step::Kind(kind) => described.kind = kind,
            Step::Component(NOWHERE) => return Some(from),
            Step::Component(component) => {
                // Components that call each other in circles would make paths without end: entering one that is on
                // the path already goes back to it.
                if let Some(depth) = described.path.iter().position(|&on_path| on_path == component) {
                    described.path.truncate(depth);
                }
                described.path.push(component);
            }
        }
        if let Some(&known) = registry.context_numbers.get(&described) {
            return Some(known);
        }
        if registry.contexts.len() >= CONTEXTS {
            return None;
        }
        let number = ContextNumber::try_from(registry.contexts.len()).ok()?;
        stacks::made_context(number, registry.charged(&described));
        registry.contexts.push(described.clone());
        registry.context_numbers.insert(described, number);
        Some(number)
    });
    let to = to.unwrap_or(from);
    CACHE[cache_index(key)].store((key << 16) | u64::from(to), Ordering::Relaxed);
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_steps_lead_to_the_same_context() {
        let (a, b) = (component("registry-a"), component("registry-b"));
        let in_a = follow(0, Step::Component(a));
        let in_b = follow(in_a, Step::Component(b));
        assert_eq!(follow(0, Step::Component(a)), in_a);
        assert_eq!(describe(in_b).unwrap().0, ["registry-a", "registry-b"]);
        let failing = follow(in_b, Step::Kind(kind("fail")));
        assert_eq!(describe(failing).unwrap().1.as_deref(), Some("fail"));
        assert_eq!(follow(failing, Step::Kind(0)), in_b);
    }

    #[test]
    fn entering_a_component_again_goes_back_to_it() {
        let (a, b) = (component("circle-a"), component("circle-b"));
        let in_a = follow(0, Step::Component(a));
        let in_b = follow(in_a, Step::Component(b));
        assert_eq!(follow(in_b, Step::Component(a)), in_a);
        assert_eq!(follow(in_a, Step::Component(a)), in_a);
    }

    #[test]
    fn a_kind_of_unbounded_length_is_cut() {
        let long = "é".repeat(1_000);
        assert_eq!(kind(&long), kind(&long[..LONGEST_KIND]));
    }

    #[test]
    fn the_probe_is_its_own_component() {
        assert_eq!(describe(OWN_CONTEXT).unwrap().0, [OWN_COMPONENT]);
        assert_eq!(follow(0, Step::Component(component(OWN_COMPONENT))), OWN_CONTEXT);
    }
}
