//! Names of request kinds: read from a header of each request, so found without a lock and without an allocation.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A name that was seen. Kept for ever.
#[derive(Debug)]
pub(crate) struct KindName {
    pub(crate) number: u16,
    pub(crate) name: Box<str>,
}

/// Twice as many as there can be names.
const PLACES: usize = 1 << 11;

/// An open-addressing table with linear probing, to which is only ever added (Knuth, The Art of Computer Programming 3,
/// section 6.4).
static NAMES: [AtomicPtr<KindName>; PLACES] = [const { AtomicPtr::new(ptr::null_mut()) }; PLACES];

/// The name, if it was seen.
pub(crate) fn find(name: &str) -> Option<&'static KindName> {
    places(name).map_while(load).find(|known| *known.name == *name)
}

/// Adds a name that [`find`] does not find, and returns it as it is kept. One thread at a time.
pub(crate) fn add(number: u16, name: &str) -> &'static KindName {
    let known: &KindName = Box::leak(Box::new(KindName { number, name: name.into() }));
    if let Some(free) = places(name).find(|place| load(place).is_none()) {
        free.store(ptr::from_ref(known).cast_mut(), Ordering::Release);
    }
    known
}

fn load(place: &'static AtomicPtr<KindName>) -> Option<&'static KindName> {
    let name = place.load(Ordering::Acquire);
    #[expect(unsafe_code, reason = "names are reached through an atomic pointer")]
    // SAFETY: null, or a name that was leaked before it was stored.
    unsafe {
        name.as_ref()
    }
}

/// Places where a name may be, in the order in which they are looked at.
fn places(name: &str) -> impl Iterator<Item = &'static AtomicPtr<KindName>> {
    let home = hash(name.as_bytes());
    (0..PLACES).map(move |step| &NAMES[(home + step) % PLACES])
}

/// Multiplicative hashing of eight bytes at a time.
fn hash(name: &[u8]) -> usize {
    let mut words = name.chunks_exact(8);
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let whole = words.by_ref().filter_map(|word| word.try_into().ok()).map(u64::from_le_bytes).fold(0, mix);
    let rest = words.remainder().iter().fold(1, |rest, byte| rest << 8 | u64::from(*byte));
    (mix(whole, rest) >> 48) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_whatever_their_lengths() {
        let names: Vec<String> = (0..300).map(|length| "k".repeat(length)).collect();
        for (number, name) in (0..).zip(&names) {
            assert!(find(name).is_none(), "{name}");
            add(number, name);
        }
        for (number, name) in (0..).zip(&names) {
            assert_eq!(find(name).map(|known| known.number), Some(number));
        }
    }
}
