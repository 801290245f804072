//! Checks that a webhook comes from the tracker, is fresh, and was not seen before.

mod as_found;
mod fixed;
mod memory;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use heapsoak_probe::{Component, Gauge, clock};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use self::memory::{Memory, NotRemembered, Sighting};
use crate::{Config, Defect, Defects};

/// Component that the verifier's memory is charged to.
pub static VERIFIER: Component = Component::new("verifier");

static SIGNATURES: Gauge = Gauge::new("verifier.signatures");

/// How far in the future the timestamp of a webhook may lie: clocks differ.
const EARLY: Duration = Duration::from_secs(60);

/// Why a webhook is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no signature.
    #[error("the header Linear-Signature is missing")]
    Unsigned,
    /// The signature is not one, or not of this body with this secret.
    #[error("the signature does not fit the body")]
    BadSignature,
    /// Signed too long ago, or in the future.
    #[error("webhookTimestamp {timestamp} is outside of the accepted time: the clock here says {now}")]
    OutOfTime {
        /// Timestamp of the webhook, milliseconds since the Unix epoch.
        timestamp: u64,
        /// The server's clock.
        now: u64,
    },
    /// Seen before.
    #[error("this webhook was accepted before")]
    Replayed,
    /// Nothing more can be remembered, so that a replay could not be noticed.
    #[error("too many webhooks in a short time: try again in {0} s")]
    Full(u64),
    /// Signed well, but the body has no readable timestamp.
    #[error("the body has no readable webhookTimestamp: {0}")]
    Malformed(String),
}

/// A webhook that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acceptance {
    signature: [u8; 32],
    timestamp: u64,
}

/// The part of a webhook that is read before the replay check.
#[derive(Deserialize)]
struct Timestamped {
    #[serde(rename = "webhookTimestamp")]
    timestamp: u64,
}

/// Verifies webhooks.
pub struct Verifier {
    keyed: Hmac<Sha256>,
    window: Duration,
    decode: fn(&str) -> Option<[u8; 32]>,
    memory: Mutex<Box<dyn Memory>>,
}

impl Verifier {
    /// A verifier with the configured secret, window and defects.
    #[must_use]
    pub fn new(config: &Config) -> Verifier {
        let lenient = config.as_found.has(Defect::VerifierLenientHex);
        Verifier {
            keyed: Hmac::new_from_slice(config.webhook_secret.as_bytes())
                .expect("HMAC takes a key of any length"),
            window: config.verifier_window,
            decode: if lenient { as_found::decode } else { fixed::decode },
            memory: Mutex::new(memory_for(&config.as_found, config)),
        }
    }

    /// Accepts a webhook, and remembers it; or says why not.
    ///
    /// The order of the checks is part of the contract: signature, time, replay. Nothing of the body is read before
    /// the signature was found to fit.
    ///
    /// # Errors
    ///
    /// See [`Refusal`].
    pub fn accept(&self, signature: Option<&str>, body: &[u8]) -> Result<Acceptance, Refusal> {
        let header = signature.ok_or(Refusal::Unsigned)?;
        let decoded = (self.decode)(header).ok_or(Refusal::BadSignature)?;
        self.keyed.clone().chain_update(body).verify_slice(&decoded).map_err(|_| Refusal::BadSignature)?;
        let Timestamped { timestamp } =
            serde_json::from_slice(body).map_err(|error| Refusal::Malformed(error.to_string()))?;
        let now = clock::unix_ms();
        if timestamp < now.saturating_sub(as_ms(self.window)) || timestamp > now.saturating_add(as_ms(EARLY))
        {
            return Err(Refusal::OutOfTime { timestamp, now });
        }
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let remembered = memory.remember(&Sighting { signature: decoded, header, timestamp }, now);
        SIGNATURES.set(i64::try_from(memory.len()).unwrap_or(i64::MAX));
        match remembered {
            Ok(()) => Ok(Acceptance { signature: decoded, timestamp }),
            Err(NotRemembered::Known) => Err(Refusal::Replayed),
            Err(NotRemembered::Full) => Err(Refusal::Full(self.window.as_secs())),
        }
    }

    /// Forgets a webhook that could not be served after all, so that the tracker may send it again. `header` is its
    /// signature as it came.
    pub fn forget(&self, accepted: &Acceptance, header: &str) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.forget(&Sighting { signature: accepted.signature, header, timestamp: accepted.timestamp });
        SIGNATURES.set(i64::try_from(memory.len()).unwrap_or(i64::MAX));
    }

    /// Forgets what can't be replayed any more.
    pub fn sweep(&self) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.expire(clock::unix_ms());
        SIGNATURES.set(i64::try_from(memory.len()).unwrap_or(i64::MAX));
    }

    /// Signatures remembered now.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn memory_for(as_found: &Defects, config: &Config) -> Box<dyn Memory> {
    let window_ms = as_ms(config.verifier_window);
    match (as_found.has(Defect::VerifierNoExpiry), as_found.has(Defect::VerifierLenientHex)) {
        (true, _) => Box::new(as_found::Trimmed::default()),
        (false, true) => Box::new(fixed::Expiring::<Box<str>>::new(window_ms, config.verifier_capacity)),
        (false, false) => Box::new(fixed::Expiring::<[u8; 32]>::new(window_ms, config.verifier_capacity)),
    }
}

fn as_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
