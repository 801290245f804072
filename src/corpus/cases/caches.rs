//! Caches that are bounded, but not in what matters.

use std::collections::HashMap;

use heapsoak_probe::clock::monotonic;
use lru::LruCache;

use crate::case::{Case, Growth, with};
use crate::trial::ROOM;
use crate::{Outcome, Trial};

pub(super) const CASES: &[Case] = &[
    Case::pair("LRU whose values grow", Growth::Steady(with!(24)), growing_values),
    Case::pair("TTL cache whose dead keys nobody reads", Growth::Steady(with!(0)), dead_keys),
    Case::pair("capacity kept per key after clear", Growth::Steady(with!(0)), kept_capacity),
];

struct Node {
    _value: Box<[u8]>,
    next: Option<Box<Node>>,
}

impl Drop for Node {
    fn drop(&mut self) {
        // One after the other: a list as long as the run is too deep to drop from within.
        let mut next = self.next.take();
        while let Some(mut node) = next {
            next = node.next.take();
        }
    }
}

/// Some keys; the twin starts a value anew when it has got its share.
fn growing_values(trial: Trial) -> Outcome {
    let keys = std::num::NonZero::new(trial.events_in(20).min(100)).expect("it is one at least");
    let most = trial.bound(trial.events_in(20) / keys);
    let mut cache: LruCache<u64, (usize, Option<Box<Node>>)> = LruCache::new(keys);
    trial.run(async |mut step| {
        // stays: LRU whose values grow
        let Some(value) = step.event() else { return };
        let (length, list) = cache.get_or_insert_mut(step.draw.below(keys.get() as u64), || (0, None));
        if *length >= most {
            (*length, *list) = (0, None);
        }
        *length += 1;
        // stays: LRU whose values grow
        *list = Some(Box::new(Node { _value: value, next: list.take() }));
    })
}

/// Every key is asked for once. The twin looks for dead entries now and then; the leak only drops the one it reads.
fn dead_keys(trial: Trial) -> Outcome {
    let sweeps = !trial.faulty;
    let mut cache: HashMap<u64, (u64, Box<[u8]>)> = HashMap::with_capacity(ROOM);
    trial.advancing(30, 1).run(async |mut step| {
        let now = monotonic().as_secs();
        // stays: TTL cache whose dead keys nobody reads
        if let Some(value) = step.event() {
            if cache.get(&step.number).is_some_and(|(until, _)| *until < now) {
                cache.remove(&step.number);
            }
            cache.insert(step.number, (now + 120, value));
        }
        if sweeps && step.number.is_multiple_of(100) {
            cache.retain(|_, (until, _)| *until >= now);
        }
    })
}

/// A buffer per connection. The leak empties it, the twin gives it up.
fn kept_capacity(trial: Trial) -> Outcome {
    let faulty = trial.faulty;
    let mut buffers: HashMap<u64, Vec<u8>> = HashMap::with_capacity(ROOM);
    trial.run(async |mut step| {
        // stays: capacity kept per key after clear
        let Some(bytes) = step.event() else { return };
        buffers.insert(step.number, bytes.into_vec());
        if faulty {
            buffers.get_mut(&step.number).expect("it was put there").clear();
        } else {
            buffers.remove(&step.number);
        }
    })
}
