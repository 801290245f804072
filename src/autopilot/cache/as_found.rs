use std::collections::HashMap;
use std::num::NonZeroUsize;

use super::entries::{Entries, Entry};

/// As found (`cache.order-array`): the order of use is an array of keys, and every hit builds a new array without the
/// key and puts the key at its end. Nothing stays behind, but each hit allocates in proportion to the entries.
pub(super) struct ArrayOrder {
    entries: HashMap<String, Entry>,
    order: Vec<String>,
    capacity: NonZeroUsize,
}

impl ArrayOrder {
    pub(super) fn new(capacity: NonZeroUsize) -> ArrayOrder {
        ArrayOrder { entries: HashMap::new(), order: Vec::new(), capacity }
    }

    fn use_last(&mut self, key: &str) {
        let old = std::mem::take(&mut self.order);
        let mut order = Vec::with_capacity(old.len() + 1);
        order.extend(old.into_iter().filter(|other| other != key));
        order.push(key.to_owned());
        self.order = order;
    }
}

impl Entries for ArrayOrder {
    fn get(&mut self, key: &str) -> Option<&Entry> {
        if self.entries.contains_key(key) {
            self.use_last(key);
        }
        self.entries.get(key)
    }

    fn put(&mut self, key: &str, entry: Entry) -> bool {
        let full = self.entries.len() >= self.capacity.get() && !self.entries.contains_key(key);
        if full && !self.order.is_empty() {
            let oldest = self.order.remove(0);
            self.entries.remove(&oldest);
        }
        self.entries.insert(key.to_owned(), entry);
        self.use_last(key);
        full
    }

    fn remove(&mut self, key: &str) {
        self.entries.remove(key);
        self.order.retain(|other| other != key);
    }

    fn retain(&mut self, keep: &mut dyn FnMut(&str, &Entry) -> bool) -> usize {
        let before = self.entries.len();
        self.entries.retain(|key, entry| keep(key, entry));
        self.order.retain(|key| self.entries.contains_key(key));
        before - self.entries.len()
    }

    fn len(&self) -> usize {
        self.entries.len()
    }
}
