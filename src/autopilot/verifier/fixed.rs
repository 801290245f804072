use std::collections::BTreeSet;

use super::memory::{Memory, NotRemembered, Sighting};

/// Decodes a signature: exactly 64 lower-case hex digits, as the tracker sends it.
pub(super) fn decode(header: &str) -> Option<[u8; 32]> {
    let mut signature = [0; 32];
    if header.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    hex::decode_to_slice(header, &mut signature).ok()?;
    Some(signature)
}

/// What a signature is remembered by.
pub(super) trait Key: Ord + Send {
    /// The key of a webhook.
    fn of(seen: &Sighting<'_>) -> Self;
}

impl Key for [u8; 32] {
    fn of(seen: &Sighting<'_>) -> Self {
        seen.signature
    }
}

/// Remembers signatures for as long as their webhook would be accepted again, and no longer.
///
/// The timestamp is part of the signed body, so a replay has the timestamp of the original: one ordered set of
/// (timestamp, signature) answers both *was it seen* and *what is the oldest*.
pub(super) struct Expiring<K> {
    seen: BTreeSet<(u64, K)>,
    window_ms: u64,
    capacity: usize,
    /// Everything signed before this was forgotten. It only grows, so that a clock set back opens no gap.
    forgotten_before: u64,
}

impl<K: Key> Expiring<K> {
    pub(super) fn new(window_ms: u64, capacity: usize) -> Expiring<K> {
        Expiring { seen: BTreeSet::new(), window_ms, capacity, forgotten_before: 0 }
    }
}

impl<K: Key> Memory for Expiring<K> {
    fn remember(&mut self, seen: &Sighting<'_>, now: u64) -> Result<(), NotRemembered> {
        self.expire(now);
        let key = (seen.timestamp, K::of(seen));
        if seen.timestamp < self.forgotten_before || self.seen.contains(&key) {
            return Err(NotRemembered::Known);
        }
        if self.seen.len() >= self.capacity {
            return Err(NotRemembered::Full);
        }
        self.seen.insert(key);
        Ok(())
    }

    fn forget(&mut self, seen: &Sighting<'_>) {
        self.seen.remove(&(seen.timestamp, K::of(seen)));
    }

    fn expire(&mut self, now: u64) {
        self.forgotten_before = self.forgotten_before.max(now.saturating_sub(self.window_ms));
        while self.seen.first().is_some_and(|(timestamp, _)| *timestamp < self.forgotten_before) {
            self.seen.pop_first();
        }
    }

    fn len(&self) -> usize {
        self.seen.len()
    }
}
