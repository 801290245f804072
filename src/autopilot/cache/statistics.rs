use serde::Serialize;

/// What happened in the cache since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Look-ups answered from the cache.
    pub hits: u64,
    /// Look-ups that had to be loaded.
    pub misses: u64,
    /// Entries that made room for others.
    pub evictions: u64,
    /// Entries removed because their time to live was over.
    pub expirations: u64,
    /// Entries removed by invalidations.
    pub invalidations: u64,
    /// Entries now.
    pub entries: usize,
    /// Namespaces now.
    pub namespaces: usize,
}

impl Statistics {
    /// Adds the events and entries of one namespace.
    pub(super) fn add(&mut self, other: &Statistics) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.evictions += other.evictions;
        self.expirations += other.expirations;
        self.invalidations += other.invalidations;
        self.entries += other.entries;
    }
}
