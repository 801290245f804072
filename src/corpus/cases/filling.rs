//! What fills up and is full.

use std::collections::HashMap;
use std::num::NonZero;

use lru::LruCache;

use crate::{Case, Outcome, Trial};

pub(super) const CASES: &[Case] = &[
    Case::healthy("LRU filling for 10 % of the run", |trial| lru(trial, 10)),
    Case::healthy("LRU filling for 60 % of the run", |trial| lru(trial, 60)),
    Case::healthy("LRU with hits, filling for half of the run", hits),
    Case::healthy("ring buffer filling", ring),
    Case::healthy("pool fill", pool),
    Case::healthy("slab reuse", slab),
    Case::healthy("set trimmed from 10,000 to 5,000", trimmed),
    Case::healthy("random replacement", replacement),
];

fn capacity(trial: &Trial, per_cent: u64) -> NonZero<usize> {
    NonZero::new(trial.events_in(per_cent)).expect("it is one at least")
}

/// Every key is new: the cache fills, then turns over.
fn lru(trial: Trial, per_cent: u64) -> Outcome {
    let mut cache = LruCache::new(capacity(&trial, per_cent));
    trial.run(async |mut step| {
        let value = step.block(64);
        cache.put(step.number, value);
    })
}

/// Some keys are asked for far more often than others.
fn hits(trial: Trial) -> Outcome {
    let capacity = capacity(&trial, 15);
    let mut cache = LruCache::new(capacity);
    trial.run(async |mut step| {
        let spread = step.draw.below(3 * capacity.get() as u64) + 1;
        let key = step.draw.below(spread);
        if cache.get(&key).is_none() {
            let value = step.block(64);
            cache.put(key, value);
        }
    })
}

/// The last so many, in a ring of fixed size that is full after half of the run.
fn ring(trial: Trial) -> Outcome {
    let size = trial.events_in(50);
    let mut ring: Vec<Box<[u8]>> = Vec::with_capacity(size);
    trial.run(async |mut step| {
        let entry = step.block(64);
        if ring.len() < size {
            ring.push(entry);
        } else {
            let at = usize::try_from(step.number).unwrap_or(0) % size;
            ring[at] = entry;
        }
    })
}

/// Connections are made when there are too few, and kept: the most that were ever needed at once.
fn pool(trial: Trial) -> Outcome {
    let mut pool: Vec<Box<[u8]>> = Vec::new();
    trial.run(async |mut step| {
        let needed = 2 + (0..40).filter(|_| step.draw.one_in(4)).count();
        while pool.len() < needed {
            pool.push(step.block(8000));
        }
    })
}

/// Slots that are taken and given back at random, about half of them taken.
fn slab(trial: Trial) -> Outcome {
    let mut slots: Vec<Option<Box<[u8]>>> = Vec::new();
    slots.resize_with(1500, || None);
    trial.run(async |mut step| {
        let at = usize::try_from(step.draw.below(1500)).unwrap_or(0);
        slots[at] = if slots[at].is_some() { None } else { Some(step.block(64)) };
    })
}

/// Two signatures a step are remembered; past 10,000 the older half is dropped.
fn trimmed(trial: Trial) -> Outcome {
    let mut signatures: Vec<Box<[u8]>> = Vec::new();
    trial.run(async |mut step| {
        for _ in 0..2 {
            signatures.push(step.block(64));
        }
        if signatures.len() > 10_000 {
            signatures.drain(..5_000);
        }
    })
}

/// A full cache replaces an entry drawn at random: some of the first entries live for long.
fn replacement(trial: Trial) -> Outcome {
    let size = trial.events_in(10) as u64;
    let mut entries = HashMap::new();
    trial.run(async |mut step| {
        let key = if step.number < size { step.number } else { step.draw.below(size) };
        let value = step.block(64);
        entries.insert(key, value);
    })
}
