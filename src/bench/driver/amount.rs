//! How much is done.

use heapsoak_bench::work::{Pairs, Requests, Snapshots};

use super::contender::Contender;

/// How much of each work, and how often.
#[derive(Debug, Clone)]
pub(crate) struct Amount {
    pub(crate) rounds: u32,
    pub(crate) peer_rounds: u32,
    pub(crate) pairs: u32,
    pub(crate) snapshots: Snapshots,
    requests: Requests,
}

impl Amount {
    /// What the figures of the documentation are made with.
    pub(crate) fn full() -> Amount {
        Amount {
            rounds: 25,
            peer_rounds: 7,
            pairs: 5_000_000,
            snapshots: Snapshots { contexts: 200, cohorts: 64, threads: 32, snapshots: 101 },
            requests: Requests { warm_up: 2_000, requests: 20_000, entries: 20_000, ..Requests::default() },
        }
    }

    /// Enough to see that everything runs.
    pub(crate) fn quick() -> Amount {
        Amount {
            rounds: 1,
            peer_rounds: 1,
            pairs: 10_000,
            snapshots: Snapshots { contexts: 20, cohorts: 4, threads: 4, snapshots: 3 },
            requests: Requests { warm_up: 100, requests: 400, entries: 200, ..Requests::default() },
        }
    }

    pub(crate) fn with_rounds(self, rounds: u32) -> Amount {
        Amount { rounds, peer_rounds: rounds, ..self }
    }

    pub(crate) fn rounds_of(&self, contender: &Contender) -> u32 {
        if contender.is_peer() { self.peer_rounds } else { self.rounds }
    }

    /// Requests of a contender: slow ones get fewer.
    pub(crate) fn requests_of(&self, contender: &Contender) -> Requests {
        Requests { requests: (self.requests.requests / contender.slowness).max(100), ..self.requests.clone() }
    }

    pub(crate) fn pairs_of(&self, contender: &Contender, threads: u32) -> Pairs {
        Pairs { threads, pairs: (self.pairs / contender.slowness.pow(2)).max(1_000) }
    }
}
