use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::fixed::Key;
use super::memory::{Memory, NotRemembered, Sighting};

/// As found (`verifier.lenient-hex`): decodes as `Buffer.from(header, 'hex')` does. It stops at the first pair that is
/// not hex and ignores case, so that one signature has endless spellings.
pub(super) fn decode(header: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut signature = [0; 32];
    let mut decoded = 0;
    for pair in header.as_bytes().chunks_exact(2) {
        let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else { break };
        *signature.get_mut(decoded)? = high << 4 | low;
        decoded += 1;
    }
    (decoded == signature.len()).then_some(signature)
}

/// As found (`verifier.lenient-hex`): a signature is remembered by its spelling, at its full length.
impl Key for Box<str> {
    fn of(seen: &Sighting<'_>) -> Self {
        seen.header.into()
    }
}

/// As found (`verifier.no-expiry`): signatures never expire; past 10,000 all but the newest 5,000 are dropped, and are
/// accepted again.
#[derive(Default)]
pub(super) struct Trimmed {
    seen: HashSet<Arc<str>>,
    order: VecDeque<Arc<str>>,
}

impl Trimmed {
    /// Signatures kept before a trim.
    pub(super) const MOST: usize = 10_000;
    /// Signatures kept by a trim.
    pub(super) const NEWEST: usize = 5_000;
}

impl Memory for Trimmed {
    fn remember(&mut self, seen: &Sighting<'_>, _now: u64) -> Result<(), NotRemembered> {
        if self.seen.contains(seen.header) {
            return Err(NotRemembered::Known);
        }
        let spelling: Arc<str> = seen.header.into();
        self.seen.insert(Arc::clone(&spelling));
        self.order.push_back(spelling);
        if self.seen.len() > Self::MOST {
            for old in self.order.drain(..self.order.len() - Self::NEWEST) {
                self.seen.remove(&old);
            }
        }
        Ok(())
    }

    /// As found, a webhook that the queue refused counts as seen.
    fn forget(&mut self, _seen: &Sighting<'_>) {}

    fn expire(&mut self, _now: u64) {}

    fn len(&self) -> usize {
        self.seen.len()
    }
}
