/// A webhook whose signature fits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sighting<'a> {
    /// The signature, decoded.
    pub(super) signature: [u8; 32],
    /// The signature as it came in the header.
    pub(super) header: &'a str,
    /// When it was signed, milliseconds since the Unix epoch.
    pub(super) timestamp: u64,
}

/// Why a webhook was not remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotRemembered {
    /// It was before.
    Known,
    /// There is no room.
    Full,
}

/// What the verifier has seen.
pub(super) trait Memory: Send {
    /// Remembers a webhook that was not seen before. `now` is the clock in milliseconds since the Unix epoch.
    fn remember(&mut self, seen: &Sighting<'_>, now: u64) -> Result<(), NotRemembered>;

    /// Forgets a webhook.
    fn forget(&mut self, seen: &Sighting<'_>);

    /// Forgets what can't be replayed any more.
    fn expire(&mut self, now: u64);

    /// Signatures remembered.
    fn len(&self) -> usize;
}
