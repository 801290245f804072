//! Maps whose entries nobody removes. Most have their table from the start, so that the truth is a rate; where one grows,
//! what it takes comes on top of the truth stated.

use std::collections::{HashMap, VecDeque};

use heapsoak_probe::clock::monotonic;

use crate::case::{Case, Growth, ONE_IN_TEN, with};
use crate::trial::ROOM;
use crate::{Outcome, Trial};

pub(super) const CASES: &[Case] = &[
    Case::pair("map keyed by unbounded input", Growth::Steady(with!(0)), unbounded_keys),
    Case::pair("nonce set never expired", Growth::Steady(with!(0)), nonces),
    Case::pair("session never removed", Growth::Steady(with!(32)), sessions),
    Case::pair("secondary index left behind", Growth::Steady(with!(0)), secondary_index),
    Case::pair("entry inserted before validation", Growth::SteadyOf(1, with!(0)), validation).at(ONE_IN_TEN),
];

/// The twin takes its keys from a range.
fn unbounded_keys(trial: Trial) -> Outcome {
    let keys = trial.bound(trial.events_in(20)) as u64;
    let (mut events, mut map) = (0, HashMap::new());
    trial.run(async |mut step| {
        // stays: map keyed by unbounded input
        if let Some(block) = step.event() {
            events += 1;
            // stays: map keyed by unbounded input
            map.insert(events % keys, block);
        }
    })
}

/// The twin drops nonces that are five minutes old; a cycle takes one.
fn nonces(trial: Trial) -> Outcome {
    let expires = !trial.faulty;
    let mut seen = VecDeque::with_capacity(ROOM);
    trial.advancing(60, 1).run(async |mut step| {
        // stays: nonce set never expired
        if let Some(nonce) = step.event() {
            seen.push_back((monotonic().as_secs(), nonce));
        }
        while expires && seen.front().is_some_and(|&(at, _)| at + 300 < monotonic().as_secs()) {
            seen.pop_front();
        }
    })
}

/// Sessions that last for some steps; the twin removes them at their end.
fn sessions(trial: Trial) -> Outcome {
    struct Session {
        _transcript: Box<[u8]>,
        _started: u64,
        _user: u64,
    }
    let (faulty, lasts) = (trial.faulty, trial.events_in(3) as u64);
    let (mut number, mut open) = (0_u64, HashMap::with_capacity(ROOM));
    trial.run(async |mut step| {
        // stays: session never removed
        if let Some(transcript) = step.event() {
            number += 1;
            let session = Session { _transcript: transcript, _started: step.number, _user: step.draw.next() };
            // stays: session never removed
            open.insert(number, Box::new(session));
            let Some(over) = number.checked_sub(lasts) else { return };
            if !faulty {
                open.remove(&over);
            }
        }
    })
}

/// Entries live for some steps; the twin takes them out of the index by name, too.
fn secondary_index(trial: Trial) -> Outcome {
    let (faulty, live) = (trial.faulty, trial.events_in(5));
    let (mut entries, mut by_name) = (VecDeque::new(), HashMap::with_capacity(ROOM));
    trial.run(async |mut step| {
        // stays: secondary index left behind
        let Some(name) = step.event() else { return };
        entries.push_back((step.number, vec![0_u8; 100]));
        by_name.insert(step.number, name);
        if entries.len() > live {
            let (number, _) = entries.pop_front().expect("it is longer than that");
            if !faulty {
                by_name.remove(&number);
            }
        }
    })
}

/// One order in ten is not valid; the twin checks before it inserts.
fn validation(trial: Trial) -> Outcome {
    let faulty = trial.faulty;
    let mut orders = HashMap::with_capacity(ROOM);
    trial.kinds(&[("order.valid", 9), ("order.invalid", 1)]).run(async |mut step| {
        // stays: entry inserted before validation
        let Some(order) = step.event() else { return };
        let valid = step.kind == 0;
        if !faulty && !valid {
            return;
        }
        orders.insert(step.number, order);
        if !valid {
            return;
        }
        orders.remove(&step.number);
    })
}
