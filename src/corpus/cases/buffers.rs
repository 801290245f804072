//! Blocks that are larger than they seem, or become so.

use std::collections::HashMap;

use bytes::Bytes;

use crate::case::{Amount, Case, Growth, with};
use crate::cost::cost_of;
use crate::trial::ROOM;
use crate::{Outcome, Trial};

pub(super) const CASES: &[Case] = &[
    Case::pair("small slice pinning a large buffer", Growth::Steady(pinned), pinning),
    Case::pair("buffer grown in place by realloc", Growth::Steady(with!(0)), grown_in_place),
    Case::pair("table that only ever doubles", Growth::Changing, doubling),
];

fn pinned(amount: &Amount) -> f64 {
    let slice = || Bytes::from(vec![1_u8; 4]).slice(0..2);
    amount.rate() * (amount.bytes as f64 + cost_of(slice) - 4.0)
}

/// A name is a slice of the message it came in, and the names are kept; the twin keeps the latest.
fn pinning(trial: Trial) -> Outcome {
    let names = trial.bound(trial.events_in(10)) as u64;
    let (mut known, mut events) = (HashMap::with_capacity(ROOM), 0);
    trial.run(async |mut step| {
        // stays: small slice pinning a large buffer
        let Some(message) = step.event() else { return };
        events += 1;
        // stays: small slice pinning a large buffer
        known.insert(events % names, Bytes::from(message).slice(0..2));
    })
}

/// A log in one buffer, which grows by as much as it needs; the twin starts it anew when it is full.
fn grown_in_place(trial: Trial) -> Outcome {
    let most = trial.bound(trial.events_in(20) * usize::try_from(trial.amount.bytes).unwrap_or(0));
    let mut log: Vec<u8> = Vec::new();
    trial.run(async |mut step| {
        let Some(entry) = step.event() else { return };
        if log.len() + entry.len() > most {
            log = Vec::new();
        }
        // stays: buffer grown in place by realloc
        log.reserve_exact(entry.len());
        log.extend_from_slice(&entry);
    })
}

/// Entries without blocks of their own, in a table that doubles; the twin has a bounded number of keys.
fn doubling(trial: Trial) -> Outcome {
    match trial.amount.bytes {
        ..=15 => table::<1>(trial),
        16..=255 => table::<8>(trial),
        _ => table::<128>(trial),
    }
}

fn table<const WORDS: usize>(trial: Trial) -> Outcome {
    let keys = trial.bound(trial.events_in(20)) as u64;
    let (mut events, mut table) = (0, HashMap::new());
    trial.run(async |mut step| {
        if step.event().is_some() {
            events += 1;
            // stays: table that only ever doubles
            table.insert(events % keys, [0_u64; WORDS]);
        }
    })
}
