//! All evidence about a unit, and the answer it gives.

use crate::churn::{Churn, churn};
use crate::cohorts::{Rest, TURNED_OVER, rest};
use crate::in_place::{InPlace, in_place};
use crate::judgement::{ComponentVerdict, Growth};
use crate::levels::{Level, level};
use crate::policy::Policy;
use crate::statistics::holm;
use crate::time::{HeldByTime, grows_with_time, held_by_time};
use crate::timeline::Timeline;
use crate::unit::{Scope, Unit};

/// So many whole cohorts that died without leaving anything show a turnover, too.
const DEATHS: usize = 3;

/// Everything measured about a unit.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) rest: Rest,
    pub(crate) in_place: InPlace,
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
    /// Growth in bytes per request of the unit.
    pub(crate) growth: Growth,
    /// How many requests of the run one of its requests stands for.
    pub(crate) share: f64,
    /// How many more requests of the run would probably decide it.
    pub(crate) wanted: Option<f64>,
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
            let survivors = if evidence.rest.blocks > 0.0 { evidence.rest.kept.p } else { 1.0 };
            let growth = if evidence.in_place.steps > 0 { evidence.in_place.grown.p } else { 1.0 };
            [survivors, growth]
        })
        .collect();
    let holds = holm(&chances, policy.alpha);
    weighed
        .into_iter()
        .enumerate()
        .map(|(index, (unit, evidence))| {
            let tests = Tests { survivors: holds[2 * index], in_place: holds[2 * index + 1] };
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
        level: level(timeline, unit, warm_up),
        time: held_by_time(timeline, unit, policy),
        churn: churn(timeline, unit, policy),
        per_second,
        least_detectable: least_detectable(timeline, unit, &rest, policy),
        rest,
    }
}

/// The greatest of: the noise of the rest, the survivors it takes to fill the groups, and the policy's floor.
fn least_detectable(timeline: &Timeline<'_>, unit: &Unit, rest: &Rest, policy: &Policy) -> f64 {
    let noise = rest.kept.quantile * rest.kept.standard_error;
    let blocks = policy.least_groups as f64 * policy.survivors_per_group;
    let grain = blocks * unit.block_bytes(timeline.verdict_instant()) / rest.exposure.max(1.0);
    (noise.max(grain) * 1000.0 * unit.share(timeline)).max(policy.least_growth)
}

/// Which tests hold after correction for their number.
#[derive(Clone, Copy)]
struct Tests {
    survivors: bool,
    in_place: bool,
}

fn decide(timeline: &Timeline<'_>, unit: Unit, evidence: Evidence, tests: Tests, policy: &Policy) -> Judged {
    let share = unit.share(timeline);
    let by_survivors =
        tests.survivors && evidence.rest.is_steady(policy) && evidence.rest.kept.rate.low > 0.0;
    let by_growth = tests.in_place && evidence.in_place.steady && evidence.in_place.grown.rate.low > 0.0;
    let mut growth = evidence.rest.kept.rate;
    if by_growth {
        let more = evidence.in_place.grown.rate;
        growth = if by_survivors { sum(&[growth, more]) } else { more };
    }
    let material = growth.estimate * share * 1000.0 >= policy.least_growth;
    let enough = timeline.cycles.len() >= policy.least_cycles;
    let (verdict, wanted) = if enough && material && (by_survivors || by_growth) {
        (ComponentVerdict::Leak, None)
    } else {
        without_leak(timeline, &evidence, enough, policy)
    };
    if verdict == ComponentVerdict::Bounded
        && !evidence.rest.settled
        && evidence.rest.turned_over < TURNED_OVER
    {
        // Its cohorts are still dying: what counts is that the level no longer rises.
        growth = evidence.level.since.scaled(0.001 / share.max(f64::MIN_POSITIVE));
    }
    Judged { unit, evidence, verdict, growth, share, wanted }
}

/// The answer for a unit that was not found to leak, and how many more requests it wants.
fn without_leak(
    timeline: &Timeline<'_>,
    evidence: &Evidence,
    enough: bool,
    policy: &Policy,
) -> (ComponentVerdict, Option<f64>) {
    let level = &evidence.level;
    if !level.grew(policy) {
        return (ComponentVerdict::Stable, None);
    }
    if !enough {
        let cycles = timeline.cycles.len().max(1) as f64;
        return (
            ComponentVerdict::Inconclusive,
            Some(level.requests / cycles * (policy.least_cycles as f64)),
        );
    }
    let rest = &evidence.rest;
    let turns_over =
        rest.turned_over >= TURNED_OVER || rest.died >= DEATHS || (rest.settled && rest.blocks == 0.0);
    if level.held() || level.fluctuates() || (!level.larger_blocks && (turns_over || evidence.time.is_some()))
    {
        return (ComponentVerdict::Bounded, None);
    }
    // The next doubling, were there one, comes at the latest after as many requests as the last rise came after.
    let wanted = (2.0 * level.reached - level.requests).max(0.1 * level.requests);
    (ComponentVerdict::Inconclusive, Some(wanted))
}

/// Sum of independent estimates: their half-widths add in squares.
pub(crate) fn sum(parts: &[Growth]) -> Growth {
    let estimate: f64 = parts.iter().map(|part| part.estimate).sum();
    let below = parts.iter().map(|part| (part.estimate - part.low).powi(2)).sum::<f64>().sqrt();
    let above = parts.iter().map(|part| (part.high - part.estimate).powi(2)).sum::<f64>().sqrt();
    Growth { estimate, low: estimate - below, high: estimate + above }
}
