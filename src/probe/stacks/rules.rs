//! What is captured: a rule for all components, rules for single ones, and what they come to for each context.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use heapsoak_record::{CaptureRate, Captured};

use super::rate::Rate;
use super::{blocks, shared, table, trie, watch};
use crate::local::ContextNumber;
use crate::tags::CONTEXTS;
use crate::{mode, registry, shadow, tags};

/// Rates by context; zero bits for none.
static RATES: [AtomicU32; CONTEXTS] = [const { AtomicU32::new(0) }; CONTEXTS];

static RULES: Mutex<Rules> = Mutex::new(Rules { asked: Vec::new() });

/// The rules in force: at most one for all, the first, and one for each component.
struct Rules {
    asked: Vec<Captured>,
}

impl Rules {
    fn set(&mut self, new: Captured) {
        if new.component.is_none() {
            self.asked.clear();
        }
        self.asked.retain(|known| known.component != new.component);
        self.asked.push(new);
    }

    fn of(&self, component: &str) -> CaptureRate {
        let for_it = self.asked.iter().find(|rule| rule.component.as_deref() == Some(component));
        let rule = for_it.or_else(|| self.asked.iter().find(|rule| rule.component.is_none()));
        rule.map_or(CaptureRate::Off, |rule| rule.rate)
    }
}

/// Why stacks can't be captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CaptureError {
    /// The probe counts nothing in this process.
    Asleep,
    /// The system does not give the address space it takes.
    NoRoom,
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CaptureError::Asleep => "can't capture stacks: the probe counts nothing in this process",
            CaptureError::NoRoom => {
                "can't capture stacks: the system does not give the address space to reserve for them (ulimit -v, \
                 overcommit_memory=2)"
            }
        })
    }
}

impl std::error::Error for CaptureError {}

/// Captures the call stacks of what a component (the innermost of a path) allocates from now on; of everything, when
/// none is named. A rule for a component goes before the rule for all; a rule for all forgets those for components.
///
/// Counts of contexts stay exact, whatever is captured. Turned off, nothing more is captured, but what was is still
/// counted when it is freed. Needs frame pointers (`-C force-frame-pointers=yes`); without them stacks end early.
/// [`stacks`](crate::stacks) reads what was captured. What it costs is in `docs/performance.md`.
///
/// # Errors
///
/// Fails when the probe counts nothing, or when the system refuses the address space.
///
/// ```
/// # use std::alloc::System;
/// # #[global_allocator]
/// # static ALLOCATOR: heapsoak_probe::Probe<System> = heapsoak_probe::Probe::new(System);
/// use heapsoak_probe::{CaptureRate, Component, capture_stacks, stacks};
///
/// static SESSION: Component = Component::new("session");
///
/// heapsoak_probe::count(); // in a test: as if HEAPSOAK_SOCKET were set
/// capture_stacks(Some("session"), CaptureRate::Every)?;
/// let kept = SESSION.scope(|| vec![0_u8; 300]);
/// let stacks = stacks();
/// let stack = stacks.stacks.iter().find(|stack| stack.component() == "session").unwrap();
/// assert_eq!((stack.live.bytes, stack.live.blocks), (300, 1));
/// # drop(kept);
/// # Ok::<_, heapsoak_probe::CaptureError>(())
/// ```
pub fn capture_stacks(component: Option<&str>, rate: CaptureRate) -> Result<(), CaptureError> {
    if !mode::is_exact() {
        return Err(CaptureError::Asleep);
    }
    let _own = registry::enter_own();
    if rate != CaptureRate::Off {
        let has_room = shadow::table().is_some()
            && blocks::reserve()
            && trie::reserve()
            && table::reserve()
            && shared::reserve();
        if !has_room {
            return Err(CaptureError::NoRoom);
        }
        watch();
    }
    let new = Captured { component: component.map(str::to_owned), rate };
    RULES.lock().unwrap_or_else(PoisonError::into_inner).set(new);
    // A context that is made meanwhile goes by the new rules already.
    for (context, component) in (0..).zip(registry::components_charged()) {
        apply(context, component);
        tags::hide_if(context, is_captured(context));
    }
    tags::forget_remembered();
    Ok(())
}

/// The rules asked for.
pub(super) fn asked() -> Vec<Captured> {
    RULES.lock().unwrap_or_else(PoisonError::into_inner).asked.clone()
}

/// Applies the rules to a context that was just made. Called in the probe's own context.
pub(crate) fn made_context(context: ContextNumber, component: &str) {
    apply(context, component);
}

fn apply(context: ContextNumber, component: &str) {
    if registry::is_own(context) {
        return;
    }
    let rate = RULES.lock().unwrap_or_else(PoisonError::into_inner).of(component);
    let bits = Rate::of(rate).map_or(0, Rate::bits);
    RATES[usize::from(context) % CONTEXTS].store(bits, Ordering::Relaxed);
}

/// Whether the context's allocations are to be looked at one by one.
#[inline(always)]
pub(crate) fn is_captured(context: ContextNumber) -> bool {
    RATES[usize::from(context) % CONTEXTS].load(Ordering::Relaxed) != 0
}

/// At what rate a context is captured.
#[inline(always)]
pub(super) fn rate(context: ContextNumber) -> Option<Rate> {
    Rate::from_bits(RATES[usize::from(context) % CONTEXTS].load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_for_a_component_goes_before_the_rule_for_all_until_there_is_a_new_one_for_all() {
        let mut rules = Rules { asked: Vec::new() };
        let rule = |component: Option<&str>, rate| Captured { component: component.map(str::to_owned), rate };
        assert_eq!(rules.of("queue"), CaptureRate::Off);
        rules.set(rule(None, CaptureRate::OneIn { bytes: 4_096 }));
        rules.set(rule(Some("queue"), CaptureRate::Every));
        assert_eq!(rules.of("queue"), CaptureRate::Every);
        assert_eq!(rules.of("cache"), CaptureRate::OneIn { bytes: 4_096 });
        rules.set(rule(Some("queue"), CaptureRate::Off));
        assert_eq!(rules.of("queue"), CaptureRate::Off);
        rules.set(rule(None, CaptureRate::Every));
        assert_eq!(rules.of("queue"), CaptureRate::Every);
        assert_eq!(rules.asked.len(), 1);
    }
}
