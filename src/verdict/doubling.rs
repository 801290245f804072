//! Third evidence: ever rarer, ever larger blocks.
//!
//! A table that doubles moves only when it is full: with an entry per so many requests that is after twice as many
//! requests as the last time. Between two steps nothing tells a table that will double again from one that is full for
//! good, so what is asked is whether the steps kept that pace, and whether the last one is recent enough for the next
//! not to be overdue.

use crate::judgement::Growth;
use crate::timeline::Timeline;
use crate::unit::{Held, Unit};

/// A step multiplies the level by two, or nearly so: other memory of the unit blurs it.
const FACTOR: std::ops::Range<f64> = 1.5..2.7;

/// So many steps must have come one after the other at that pace.
const LEAST_STEPS: usize = 4;

/// The last step must lie in the last third of the run: a table that is full by then counts as bounded.
const RECENT: f64 = 2.0 / 3.0;

/// A container that doubled at the pace of the requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Doubling {
    /// Steps seen.
    pub(crate) steps: usize,
    /// Requests after which the last one was seen.
    pub(crate) last: f64,
    /// Whether the last one is recent enough to say that it goes on.
    pub(crate) goes_on: bool,
    /// Bytes per request: between what the table needs now and what it has.
    pub(crate) grown: Growth,
}

/// Looks for a container that doubles. None when there are too few steps, out of pace, or the next is overdue.
pub(crate) fn doubling(timeline: &Timeline<'_>, unit: &Unit) -> Option<Doubling> {
    let start = unit.states.first()?.live;
    let mut steps: Vec<(f64, f64)> = Vec::new();
    let mut before = Held::default();
    for cycle in &timeline.cycles {
        let live = unit.states[cycle.last].live;
        let now = Held { bytes: live.bytes - start.bytes, blocks: live.blocks - start.blocks };
        // More bytes in no more blocks: entries with blocks of their own are the cohorts' affair.
        let larger = now.bytes * before.blocks.max(1.0) > FACTOR.start * before.bytes * now.blocks.max(1.0);
        if before.bytes > 0.0 && now.bytes > FACTOR.start * before.bytes && larger {
            steps.push((timeline.instants[cycle.last].requests, now.bytes));
        } else if now.bytes < 0.9 * before.bytes {
            // It shrank: what came before was not for good.
            steps.clear();
        }
        before = now;
    }
    let requests = timeline.requests();
    let paced = steps
        .windows(2)
        .rev()
        .take_while(|pair| {
            FACTOR.contains(&(pair[1].0 / pair[0].0)) && FACTOR.contains(&(pair[1].1 / pair[0].1))
        })
        .count();
    let &(last, bytes) = steps.last()?;
    if paced + 1 < LEAST_STEPS || requests > FACTOR.end * last {
        return None;
    }
    let per_request = bytes / last;
    Some(Doubling {
        steps: paced + 1,
        last,
        goes_on: last >= RECENT * requests,
        grown: Growth { estimate: per_request / 2.0_f64.sqrt(), low: per_request / 2.0, high: per_request },
    })
}
