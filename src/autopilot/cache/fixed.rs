use std::num::NonZeroUsize;

use lru::LruCache;

use super::entries::{Entries, Entry};

/// Entries whose order of use is a linked list: a hit moves one link and allocates nothing.
pub(super) struct LinkedOrder(LruCache<Box<str>, Entry>);

impl LinkedOrder {
    /// With the table for all of its capacity from the start.
    pub(super) fn with_room(capacity: NonZeroUsize) -> LinkedOrder {
        LinkedOrder(LruCache::new(capacity))
    }

    /// With a table that grows as it is filled.
    pub(super) fn empty(capacity: NonZeroUsize) -> LinkedOrder {
        LinkedOrder(LruCache::sparse(capacity))
    }
}

impl Entries for LinkedOrder {
    fn get(&mut self, key: &str) -> Option<&Entry> {
        self.0.get(key)
    }

    fn put(&mut self, key: &str, entry: Entry) -> bool {
        self.0.push(key.into(), entry).is_some_and(|(gone, _)| *gone != *key)
    }

    fn remove(&mut self, key: &str) {
        self.0.pop(key);
    }

    fn retain(&mut self, keep: &mut dyn FnMut(&str, &Entry) -> bool) -> usize {
        let before = self.0.len();
        self.0.retain(|key, entry| keep(key, entry));
        before - self.0.len()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}
