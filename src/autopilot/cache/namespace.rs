use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::as_found::ArrayOrder;
use super::entries::{Entries, Entry};
use super::fixed::LinkedOrder;
use super::{Pattern, Statistics};

/// A namespace: its entries and what happened to them.
pub(super) struct Namespace {
    entries: Box<dyn Entries>,
    statistics: Statistics,
    /// Counts invalidations, so that a value loaded before one is not put behind it.
    generation: u64,
    created_by_reader: bool,
}

impl Namespace {
    /// A configured namespace.
    pub(super) fn with_room(capacity: NonZeroUsize, order_array: bool) -> Namespace {
        let entries: Box<dyn Entries> = if order_array {
            Box::new(ArrayOrder::new(capacity))
        } else {
            Box::new(LinkedOrder::with_room(capacity))
        };
        Namespace { entries, statistics: Statistics::default(), generation: 0, created_by_reader: false }
    }

    /// As found (`cache.namespaces`): a namespace that somebody asked for.
    pub(super) fn empty(capacity: NonZeroUsize, order_array: bool) -> Namespace {
        let entries: Box<dyn Entries> = if order_array {
            Box::new(ArrayOrder::new(capacity))
        } else {
            Box::new(LinkedOrder::empty(capacity))
        };
        Namespace { entries, statistics: Statistics::default(), generation: 0, created_by_reader: true }
    }

    pub(super) fn get(&mut self, key: &str, now: Duration) -> Option<Arc<Value>> {
        let found = self.entries.get(key).map(|entry| (Arc::clone(&entry.value), entry.expires));
        match found {
            Some((value, expires)) if now < expires => {
                self.statistics.hits += 1;
                Some(value)
            }
            Some(_) => {
                self.entries.remove(key);
                self.statistics.expirations += 1;
                self.statistics.misses += 1;
                None
            }
            None => {
                self.statistics.misses += 1;
                None
            }
        }
    }

    /// Keeps a value that was loaded in a generation; drops it if an invalidation came in between.
    pub(super) fn put(&mut self, key: &str, entry: Entry, generation: u64) {
        if generation == self.generation && self.entries.put(key, entry) {
            self.statistics.evictions += 1;
        }
    }

    pub(super) fn invalidate(&mut self, pattern: &Pattern) -> usize {
        self.generation += 1;
        let removed = self.entries.retain(&mut |key, _| !pattern.fits(key));
        self.statistics.invalidations += removed as u64;
        removed
    }

    pub(super) fn expire(&mut self, now: Duration) {
        let removed = self.entries.retain(&mut |_, entry| now < entry.expires);
        self.statistics.expirations += removed as u64;
    }

    pub(super) fn statistics(&self) -> Statistics {
        Statistics { entries: self.entries.len(), ..self.statistics }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn created_by_reader(&self) -> bool {
        self.created_by_reader
    }
}
