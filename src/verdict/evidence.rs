//! All evidence about a unit.

use crate::backlog::{Backlog, backlog};
use crate::churn::{Churn, churn};
use crate::cohorts::{Rest, rest};
use crate::decide::{Tests, decide};
use crate::doubling::{Doubling, doubling};
use crate::in_place::{InPlace, in_place};
use crate::judgement::{ComponentVerdict, Growth};
use crate::levels::{Level, level};
use crate::limit::limit;
use crate::policy::Policy;
use crate::statistics::holm;
use crate::sublinear::{Sublinear, sublinear};
use crate::time::{HeldByTime, grows_with_time, held_by_time};
use crate::timeline::Timeline;
use crate::unit::{Held, Scope, Unit};

/// Everything measured about a unit.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) rest: Rest,
    pub(crate) in_place: InPlace,
    pub(crate) doubling: Option<Doubling>,
    pub(crate) sublinear: Option<Sublinear>,
    pub(crate) backlog: Option<Backlog>,
    /// Whether the level stands still where the rest, were it a leak, would have made it rise.
    pub(crate) stands_still: bool,
    pub(crate) level: Level,
    pub(crate) time: Option<HeldByTime>,
    pub(crate) churn: Option<Churn>,
    /// Bytes kept per second of the clock, when the rest goes with time rather than with requests.
    pub(crate) per_second: Option<f64>,
    /// Smallest growth that would have been called a leak, in bytes per 1,000 requests of the run.
    pub(crate) least_detectable: f64,
}

/// A unit with its evidence and the answer.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) unit: Unit,
    pub(crate) evidence: Evidence,
    pub(crate) verdict: ComponentVerdict,
    /// What a leak was found by; empty when there is none.
    pub(crate) grounds: Vec<Ground>,
    /// Growth in bytes per request of the unit.
    pub(crate) growth: Growth,
    /// How many requests of the run one of its requests stands for.
    pub(crate) share: f64,
    /// How many more requests of the run would probably decide it.
    pub(crate) wanted: Option<f64>,
}

/// What a leak was found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// Old cohorts keep a steady rest.
    Survivors,
    /// Old blocks grow.
    InPlace,
    /// A container doubles at the pace of the requests.
    Doubling,
    /// What is kept goes with a power of the requests.
    Sublinear,
    /// The level rises to the end, while cohorts die.
    Backlog,
}

impl Judged {
    /// Growth in bytes per 1,000 requests of the run.
    pub(crate) fn growth_per_1000(&self) -> Growth {
        self.growth.scaled(1000.0 * self.share)
    }

    /// Whether it leaks.
    pub(crate) fn leaks(&self) -> bool {
        self.verdict == ComponentVerdict::Leak
    }

    /// The name of its request kind.
    pub(crate) fn kind(&self) -> Option<&str> {
        match &self.unit.scope {
            Scope::Kind(kind) => Some(kind),
            Scope::Whole | Scope::Background => None,
        }
    }
}

/// Judges units, all tests together held to the policy's level.
pub(crate) fn judge_units(
    timeline: &Timeline<'_>,
    units: Vec<(Unit, usize)>,
    policy: &Policy,
) -> Vec<Judged> {
    let weighed: Vec<(Unit, Evidence)> = units
        .into_iter()
        .map(|(unit, warm_up)| {
            let evidence = weigh(timeline, &unit, warm_up, policy);
            (unit, evidence)
        })
        .collect();
    let chances: Vec<f64> = weighed
        .iter()
        .flat_map(|(_, evidence)| {
            let growth = if evidence.in_place.steps > 0 { evidence.in_place.grown.p } else { 1.0 };
            let backlog = evidence.backlog.as_ref().map_or(1.0, |backlog| backlog.grown.p);
            [evidence.rest.kept.p, growth, backlog]
        })
        .collect();
    let holds = holm(&chances, policy.alpha);
    let tests = chances.iter().filter(|&&chance| chance < 1.0).count().max(1);
    weighed
        .into_iter()
        .zip(holds.chunks(3))
        .map(|((unit, mut evidence), holds)| {
            let least = limit(timeline, &unit, &evidence, policy, policy.alpha / tests as f64);
            evidence.least_detectable = (least * 1000.0 * unit.share(timeline)).max(policy.least_growth);
            let tests = Tests { survivors: holds[0], in_place: holds[1], backlog: holds[2] };
            decide(timeline, unit, evidence, tests, policy)
        })
        .collect()
}

fn weigh(timeline: &Timeline<'_>, unit: &Unit, warm_up: usize, policy: &Policy) -> Evidence {
    let rest = rest(timeline, unit, warm_up, policy);
    let per_second = match unit.scope {
        Scope::Background => grows_with_time(timeline, unit, &rest.judged),
        Scope::Whole | Scope::Kind(_) => None,
    };
    Evidence {
        in_place: in_place(timeline, unit, warm_up, policy),
        doubling: doubling(timeline, unit),
        sublinear: sublinear(timeline, unit, &rest),
        backlog: backlog(timeline, unit, &rest, policy),
        stands_still: stands_still(timeline, unit, &rest),
        level: level(timeline, unit, warm_up),
        time: held_by_time(timeline, unit, policy),
        churn: churn(timeline, unit, policy),
        per_second,
        least_detectable: policy.least_growth,
        rest,
    }
}

/// So many standard deviations of a count are no chance.
const CLEARLY: f64 = 3.0;

/// Whether the level stood still over the last third of the run, in bytes and in blocks: it moved, up and down taken
/// together, by less than half of what a leak at this rate would have added, the step of one container left out. Blocks
/// that are used again keep the cohort they were made in, so that a container which is full, and whose blocks go round,
/// looks as if it had leaked them. Where so few events were due that none came by chance, nothing can be said.
pub(crate) fn stands_still(timeline: &Timeline<'_>, unit: &Unit, rest: &Rest) -> bool {
    let third = timeline.cycles.len().div_ceil(3);
    let cycles = &timeline.cycles[timeline.cycles.len() - third..];
    let [first, .., last] = cycles else { return false };
    let sent = |at: usize| {
        let instant = &timeline.instants[at];
        unit.kind.map_or(instant.requests, |kind| instant.by_kind[kind])
    };
    let exposed: Vec<f64> = cycles.windows(2).map(|pair| sent(pair[1].last) - sent(pair[0].last)).collect();
    let all = sent(last.last) - sent(first.last);
    let moved = |of: &dyn Fn(Held) -> f64, rate: f64| {
        let level: Vec<f64> = cycles.iter().map(|cycle| of(unit.states[cycle.last].live)).collect();
        movement(&level, &exposed, rate)
    };
    let exposure = rest.exposure.max(1.0);
    let (bytes, blocks) = (rest.kept.rate.estimate, rest.blocks / exposure);
    let (bytes_moved, blocks_moved) = (moved(&|held| held.bytes, bytes), moved(&|held| held.blocks, blocks));
    // A request is one event, however many blocks it leaves.
    let due = (rest.events / exposure).min(1.0) * all;
    let moved = blocks_moved / (blocks * all).max(f64::MIN_POSITIVE);
    bytes > 0.0
        && bytes_moved < 0.5 * bytes * all
        && blocks_moved < 0.5 * blocks * all
        && is_missing(due, moved, rest.events)
}

/// Whether so many events were due, at a rate counted from `events`, that it is no chance when only the share that moved
/// the level came.
fn is_missing(due: f64, moved: f64, events: f64) -> bool {
    // The rate is that of a count, too: what was due is as uncertain as both.
    let error = (due + due * due / events.max(1.0)).sqrt();
    due * (1.0 - moved) > CLEARLY * error
}

/// How far a series moves, up and down taken together; the step that is furthest from what was due at this rate counts as
/// due.
fn movement(series: &[f64], exposed: &[f64], rate: f64) -> f64 {
    let due: Vec<f64> = exposed.iter().map(|exposed| rate * exposed).collect();
    let mut steps: Vec<f64> = series.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let off = |at: &usize| (steps[*at] - due[*at]).abs();
    if let Some(furthest) = (0..steps.len()).max_by(|a, b| off(a).total_cmp(&off(b)))
        && steps[furthest].abs() > due[furthest]
    {
        steps[furthest] = due[furthest];
    }
    let (mut now, mut low, mut high) = (0.0, 0.0_f64, 0.0_f64);
    for step in steps {
        now += step;
        (low, high) = (low.min(now), high.max(now));
    }
    high - low
}

/// Sum of independent estimates: their half-widths add in squares.
pub(crate) fn sum(parts: &[Growth]) -> Growth {
    let estimate: f64 = parts.iter().map(|part| part.estimate).sum();
    let below = parts.iter().map(|part| (part.estimate - part.low).powi(2)).sum::<f64>().sqrt();
    let above = parts.iter().map(|part| (part.high - part.estimate).powi(2)).sum::<f64>().sqrt();
    Growth { estimate, low: estimate - below, high: estimate + above }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_moves_by_as_much_as_lies_between_its_ends_and_the_step_of_a_container_counts_as_due() {
        let even = |series: &[f64]| movement(series, &vec![5.0; series.len() - 1], 2.0);
        assert_eq!(even(&[5.0, 15.0, 25.0, 35.0]), 30.0);
        assert_eq!(even(&[5.0, 15.0, 25.0, 525.0, 535.0]), 40.0);
        // Down counts as up does.
        assert_eq!(even(&[0.0, 10.0, 0.0, 4.0]), 10.0);
        // What is missing is no step.
        assert_eq!(even(&[0.0, 10.0, 10.0, 20.0]), 20.0);
        assert_eq!(even(&[0.0, -10.0, 0.0, 10.0]), 20.0);
        // The furthest from what was due is not the largest, nor so many times as large.
        assert_eq!(movement(&[0.0, -100.0, -5.0], &[25.0, 5.0], 2.0), 145.0);
        assert_eq!(movement(&[7.0], &[], 2.0), 0.0);
    }

    #[test]
    fn what_was_due_is_missing_when_it_is_no_chance() {
        // 100 due at a rate of 100 events: √(100 + 100) = 14.1, three times that is 42.4.
        assert!(is_missing(100.0, 0.57, 100.0) && !is_missing(100.0, 0.58, 100.0));
        // At a rate of 25 events: √(100 + 400) = 22.4 and 67.1.
        assert!(is_missing(100.0, 0.32, 25.0) && !is_missing(100.0, 0.33, 25.0));
        // Nine may be missing by chance, however well the rate is known, and of one event nothing is known.
        assert!(!is_missing(9.0, 0.0, 1e300) && is_missing(9.1, 0.0, 1e300));
        assert!(!is_missing(1e6, 0.0, 0.5));
    }

    #[test]
    fn half_widths_of_independent_estimates_add_in_squares() {
        let part = |estimate, low, high| Growth { estimate, low, high };
        let all = sum(&[part(10.0, 7.0, 16.0), part(5.0, 1.0, 13.0)]);
        assert_eq!(all, part(15.0, 10.0, 25.0));
        assert_eq!(sum(&[]), Growth::default());
    }
}
