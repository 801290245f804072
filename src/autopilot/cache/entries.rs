use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

/// A cached value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The value.
    pub(super) value: Arc<Value>,
    /// Until when it is valid, on the server's clock.
    pub(super) expires: Duration,
}

/// The entries of a namespace, at most a fixed number, in order of their last use.
pub(super) trait Entries: Send {
    /// The entry, which becomes the one used last.
    fn get(&mut self, key: &str) -> Option<&Entry>;

    /// Adds or replaces an entry; says whether the one that was not used for longest had to go.
    fn put(&mut self, key: &str, entry: Entry) -> bool;

    /// Removes an entry.
    fn remove(&mut self, key: &str);

    /// Keeps the entries that `keep` says; returns how many it removed.
    fn retain(&mut self, keep: &mut dyn FnMut(&str, &Entry) -> bool) -> usize;

    /// Entries held.
    fn len(&self) -> usize;
}
