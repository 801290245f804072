//! First evidence: what old cohorts keep.
//!
//! Memory that is in use dies with its use, memory in a bounded cache dies when it is replaced, and only memory that
//! leaks stays: so the rest of old cohorts is what tells a leak. Judged are cohorts past warm-up and not among the
//! youngest; where the scenario advances the server's clock, only those that have been through an advance.

use crate::judgement::Growth;
use crate::policy::Policy;
use crate::statistics::{
    MeanRate, chance_of_count, clip_exceptions, counted_rate, mann_kendall, mean_rate, median,
    median_absolute_deviation, warm_up_length,
};
use crate::timeline::Timeline;
use crate::unit::Unit;

/// A group that holds more than so many times the bytes of the others, without holding more blocks, has a step of a
/// container in it, and not growth of its own.
const STEP: f64 = 3.0;

/// So has a group whose bytes lie by so many deviations above those of the others.
const DEVIATIONS: f64 = 6.0;

/// Groups are made larger, up to twice, while there are fewer of them than this: a group that is empty by chance then
/// becomes rare, and it takes no more groups to see whether the rest is steady.
const ENOUGH_GROUPS: f64 = 5.0;

/// The spread of fewer groups says less about the error than the number of events does.
const FEW_GROUPS: usize = 10;

/// A cohort with so many times the blocks of the others, and of a few blocks that are nothing special, is an exception.
const FAR_MORE: f64 = 10.0;
const FEW_BLOCKS: f64 = 3.0;

/// A fall of the rate that chance brings about more often than this is none.
const FALLING: f64 = 0.05;

/// Memory turns over when the oldest cohorts have lost this share of what they held.
pub(crate) const TURNED_OVER: f64 = 0.9;

/// What a unit's old cohorts keep.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    /// Spans judged, oldest first.
    pub(crate) judged: Vec<usize>,
    /// Warm-up, in spans after start-up.
    pub(crate) warm_up: usize,
    /// Whether the judged cohorts have stopped dying, be they ever so few.
    pub(crate) stopped: bool,
    /// Whether those that have stopped dying are enough to be judged by.
    pub(crate) settled: bool,
    /// Share of their blocks that the judged cohorts lost in the last third of their lives.
    pub(crate) lost: f64,
    /// Groups the judged cohorts were pooled into.
    pub(crate) groups: usize,
    /// Share of the groups that keep something.
    pub(crate) keeping: f64,
    /// Whether the oldest group has lost all that it held when it was as old as the youngest judged cohort is now.
    pub(crate) oldest_died: bool,
    /// Whether younger groups keep less and less per request: a container that fills up.
    pub(crate) thins_out: bool,
    /// Requests the judged cohorts were made by.
    pub(crate) exposure: f64,
    /// Blocks they keep.
    pub(crate) blocks: f64,
    /// Whether the younger half of the requests left survivors, too.
    pub(crate) goes_on: bool,
    /// How many events they come from: blocks that come several at a time are one.
    pub(crate) events: f64,
    /// Bytes they keep, steps of containers and all.
    pub(crate) bytes: f64,
    /// Bytes kept per request, steps of containers taken out.
    pub(crate) kept: MeanRate,
    /// Bytes taken out as steps of containers.
    pub(crate) step_bytes: f64,
    /// Age in cycles at which whole cohorts were seen to die, if they were.
    pub(crate) lifetime: Option<usize>,
    /// How many cohorts died without leaving anything.
    pub(crate) died: usize,
    /// Share of its blocks that the oldest third of the cohorts past warm-up has lost since it was made.
    pub(crate) turned_over: f64,
}

impl Rest {
    /// Whether the rest has the shape of a leak, whatever its size.
    pub(crate) fn is_steady(&self, policy: &Policy) -> bool {
        self.settled
            && self.groups >= policy.least_groups
            && self.keeping >= policy.least_keeping
            && !self.oldest_died
            && !self.thins_out
    }
}

/// Looks at what a unit's old cohorts keep. `warm_up` is measured on the whole component.
pub(crate) fn rest(timeline: &Timeline<'_>, unit: &Unit, warm_up: usize, policy: &Policy) -> Rest {
    let mut candidates = candidates(timeline, warm_up, policy);
    let one_off = one_off(timeline, unit, &candidates);
    candidates.retain(|&span| Some(span) != one_off);
    let turned_over = turned_over(timeline, unit, &candidates);
    let mut judged = candidates.clone();
    let (mut stopped, mut settled) = (false, false);
    let (mut lifetime, mut died) = (None, 0);
    let mut count = candidates.len();
    while count > 0 {
        let oldest = &candidates[..count];
        let deaths = deaths_of_whole_cohorts(timeline, unit, oldest);
        let died_at = deaths.iter().map(|death| death.age).max();
        lifetime = lifetime.max(died_at);
        died = died.max(deaths.iter().filter(|death| death.left_nothing).count());
        let youngest_age = oldest.last().map_or(0, |&span| age(timeline, span));
        let outlived = died_at.is_none_or(|died| youngest_age > died);
        if outlived && stopped_dying(timeline, unit, oldest, policy) {
            let groups = pool(timeline, unit, oldest, policy);
            judged = oldest.to_vec();
            stopped = true;
            settled = groups.len() >= policy.least_groups || count == candidates.len();
            break;
        }
        // One less at a time, in long runs a few.
        count -= (count / 32).max(1);
    }
    if !stopped && turned_over >= TURNED_OVER {
        // They have not all stopped dying, but those that have show what is left.
        judged.truncate(candidates.len().div_ceil(3));
    }
    summarise(
        timeline,
        unit,
        &judged,
        policy,
        Summary { warm_up, stopped, settled, lifetime, died, turned_over },
    )
}

/// Warm-up of a component in spans: measured on what its cohorts keep per request, at least the policy's share.
pub(crate) fn warm_up(timeline: &Timeline<'_>, whole: &Unit, policy: &Policy) -> usize {
    let now = &whole.states[timeline.verdict_instant()];
    let spans: Vec<usize> = candidates(timeline, 0, policy);
    let rates: Vec<f64> =
        spans.iter().map(|&span| now.held(span).blocks / whole.exposure(timeline, span).max(1.0)).collect();
    let blocks: f64 = spans.iter().map(|&span| now.held(span).blocks).sum();
    // Of fewer events no change can be told from chance.
    let enough = 2.0 * policy.least_groups as f64 * policy.survivors_per_group;
    let few = blocks / clumping(timeline, whole, &spans) < enough;
    let measured = if few { 0 } else { warm_up_length(&rates) };
    measured.max(least_warm_up(timeline, policy))
}

/// The least warm-up of every component, in spans: the policy's share of the run.
pub(crate) fn least_warm_up(timeline: &Timeline<'_>, policy: &Policy) -> usize {
    (timeline.cycles.len() as f64 * policy.least_warm_up).ceil() as usize
}

/// Spans past warm-up, not among the youngest, and through an advance of the clock where there are any.
fn candidates(timeline: &Timeline<'_>, warm_up: usize, policy: &Policy) -> Vec<usize> {
    let verdict = timeline.verdict_instant();
    let count = timeline.spans.len();
    let youngest = (count as f64 * policy.youngest).ceil() as usize;
    (1 + warm_up..count.saturating_sub(youngest))
        .filter(|&span| timeline.seasoned(span).is_some_and(|instant| instant <= verdict))
        .collect()
}

/// The one cohort that holds far more than all others, as when a configuration is read anew: it would drown whatever the
/// others keep. Only one may be left out: what comes again is no exception.
fn one_off(timeline: &Timeline<'_>, unit: &Unit, candidates: &[usize]) -> Option<usize> {
    let now = &unit.states[timeline.verdict_instant()];
    let blocks = |span: &usize| now.held(*span).blocks;
    let &most = candidates.iter().max_by(|a, b| blocks(a).total_cmp(&blocks(b)))?;
    let others: f64 = candidates.iter().map(blocks).sum::<f64>() - blocks(&most);
    let exposure: f64 = candidates.iter().map(|&span| unit.exposure(timeline, span)).sum();
    let own = unit.exposure(timeline, most);
    let typical = others / (exposure - own).max(1.0) * own;
    (candidates.len() > 2 && blocks(&most) > FAR_MORE * (typical + FEW_BLOCKS)).then_some(most)
}

/// Age of a span at the verdict, in cycles.
fn age(timeline: &Timeline<'_>, span: usize) -> usize {
    let now = timeline.instants[timeline.verdict_instant()].cycle;
    (now.saturating_sub(timeline.spans[span].last)) as usize
}

/// What spans held when two thirds of their lives had passed, and of that what they lost since, in blocks.
///
/// On the scale of ages this asks the same of young and old cohorts: what lives for a fixed time, dies at random, or
/// is replaced after so many requests is caught dying as long as the judged cohorts are not much older than that.
fn losses(timeline: &Timeline<'_>, unit: &Unit, spans: &[usize]) -> (f64, f64) {
    let verdict = timeline.verdict_instant();
    let (mut then, mut now) = (0.0, 0.0);
    for &span in spans {
        let seasoned = timeline.seasoned(span).unwrap_or(verdict);
        let late = two_thirds(timeline, span).max(seasoned).min(verdict);
        then += unit.states[late].held(span).blocks;
        now += unit.states[verdict].held(span).blocks;
    }
    (then, (then - now).max(0.0))
}

/// Whether spans have stopped dying; a single block more or less says nothing.
fn stopped_dying(timeline: &Timeline<'_>, unit: &Unit, spans: &[usize], policy: &Policy) -> bool {
    let (then, lost) = losses(timeline, unit, spans);
    lost <= (policy.most_decay * then).max(1.0)
}

/// Index of the last instant of the cycle in which two thirds of a span's life had passed.
fn two_thirds(timeline: &Timeline<'_>, span: usize) -> usize {
    at_age(timeline, span, 2 * age(timeline, span) / 3)
}

/// Index of the last instant of the cycle in which a span was so many cycles old.
fn at_age(timeline: &Timeline<'_>, span: usize, age: usize) -> usize {
    let then = timeline.spans[span].last + age as u32;
    timeline
        .cycles
        .iter()
        .find(|cycle| timeline.instants[cycle.end].cycle >= then)
        .map_or(timeline.spans[span].born, |cycle| cycle.last)
}

/// Whether the oldest group of the judged spans has lost all that it held when it was as old as the youngest of them is
/// now: what comes to the young will come to them, too. A group that held nothing at that age either is empty by chance.
fn oldest_died(timeline: &Timeline<'_>, unit: &Unit, oldest: &[usize], youngest: usize) -> bool {
    let verdict = timeline.verdict_instant();
    let young = age(timeline, youngest);
    let holds = |at: &dyn Fn(usize) -> usize| {
        oldest.iter().any(|&span| unit.states[at(span)].held(span).blocks > 0.0)
    };
    !holds(&|_| verdict) && holds(&|span| at_age(timeline, span, young))
}

/// The end of a whole cohort.
struct Death {
    /// Its age in cycles when it still held about as much as the judged cohorts keep.
    age: usize,
    left_nothing: bool,
}

/// Whole cohorts, of warm-up too, that were seen to die: they held about as much as the judged ones keep, and now
/// hold next to nothing. A judged cohort must be older than that for its rest to mean anything.
fn deaths_of_whole_cohorts(timeline: &Timeline<'_>, unit: &Unit, judged: &[usize]) -> Vec<Death> {
    let verdict = timeline.verdict_instant();
    let now = &unit.states[verdict];
    let kept: f64 = judged.iter().map(|&span| now.held(span).blocks).sum();
    let exposure: f64 = judged.iter().map(|&span| unit.exposure(timeline, span)).sum();
    let youngest = judged.last().copied().unwrap_or(0);
    (1..=youngest)
        .filter_map(|span| {
            let typical = kept / exposure.max(1.0) * unit.exposure(timeline, span);
            let left = now.held(span).blocks;
            // With fewer survivors expected, an empty cohort is no surprise.
            if typical < 3.0 || left > 0.1 * typical {
                return None;
            }
            let born = timeline.spans[span].born;
            let alive =
                (born..=verdict).rev().find(|&at| unit.states[at].held(span).blocks >= 0.5 * typical)?;
            let age = (timeline.instants[alive].cycle - timeline.spans[span].last) as usize;
            Some(Death { age, left_nothing: left <= 0.01 * typical })
        })
        .collect()
}

/// Share of its blocks that the oldest third of the spans has lost since it was made.
fn turned_over(timeline: &Timeline<'_>, unit: &Unit, candidates: &[usize]) -> f64 {
    let verdict = timeline.verdict_instant();
    let oldest = &candidates[..candidates.len().div_ceil(3)];
    let sum = |at: &dyn Fn(usize) -> usize| {
        oldest.iter().map(|&span| unit.states[at(span)].held(span).blocks).sum::<f64>()
    };
    let (then, now) = (sum(&|span| timeline.spans[span].born), sum(&|_| verdict));
    if then > 0.0 { 1.0 - now / then } else { 0.0 }
}

/// How many blocks come at a time: the variance of the spans' survivors over their mean, never below one. Taken from
/// the differences of neighbours (von Neumann, 1941), which a slow change of the rate does not touch.
fn clumping(timeline: &Timeline<'_>, unit: &Unit, spans: &[usize]) -> f64 {
    let now = &unit.states[timeline.verdict_instant()];
    let exposure: f64 = spans.iter().map(|&span| unit.exposure(timeline, span)).sum();
    let blocks: f64 = spans.iter().map(|&span| now.held(span).blocks).sum();
    let rest: Vec<f64> = spans
        .iter()
        .map(|&span| now.held(span).blocks - blocks / exposure * unit.exposure(timeline, span))
        .collect();
    let squares: f64 = rest.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    let variance = squares / (2.0 * (rest.len() as f64 - 1.0));
    // One span has no variance, and no block no mean: what is no number is no more than one.
    (variance / (blocks / rest.len() as f64)).max(1.0)
}

/// Pools neighbouring spans into groups of about the same number of requests, as many as may be expected to hold the
/// survivors of enough events each; of more than enough while that leaves enough groups.
fn pool(timeline: &Timeline<'_>, unit: &Unit, spans: &[usize], policy: &Policy) -> Vec<Vec<usize>> {
    let now = &unit.states[timeline.verdict_instant()];
    let exposed: Vec<f64> = spans.iter().map(|&span| unit.exposure(timeline, span)).collect();
    let exposure: f64 = exposed.iter().sum();
    let blocks: f64 = spans.iter().map(|&span| now.held(span).blocks).sum();
    let busy = exposed.iter().filter(|&&exposed| exposed >= 1.0).count();
    let number = if blocks > 0.0 {
        let possible = blocks / clumping(timeline, unit, spans) / policy.survivors_per_group;
        let larger = (possible / ENOUGH_GROUPS).clamp(1.0, 2.0);
        let least = possible.min(policy.least_groups as f64);
        ((possible / larger).max(least) as usize).clamp(1, busy.max(1))
    } else {
        busy.max(1)
    };
    let mut groups = vec![Vec::new(); number];
    let mut before = 0.0;
    for (&span, exposed) in spans.iter().zip(exposed) {
        let share = (before + exposed / 2.0) / exposure.max(f64::MIN_POSITIVE);
        groups[((share * number as f64) as usize).min(number - 1)].push(span);
        before += exposed;
    }
    let holds = |group: &Vec<usize>| group.iter().any(|&span| unit.exposure(timeline, span) >= 1.0);
    groups.retain(holds);
    groups
}

/// How often chance would have rates fall from group to group as these do.
fn chance_to_fall(rates: &[f64]) -> f64 {
    let reversed: Vec<f64> = rates.iter().rev().copied().collect();
    mann_kendall(&reversed).p
}

/// A rate that falls is no one number: its interval reaches from what the young keep, if they keep anything, to what the
/// old do.
fn spanned(rate: Growth, young: f64, old: f64) -> Growth {
    let low = if young > 0.0 { rate.low.min(young) } else { rate.low };
    Growth { low, high: rate.high.max(old), ..rate }
}

/// Whether groups keep less and less: the youngest third (survivors, requests) clearly less than the oldest third, and
/// either by more than half, or falling from group to group. Blocks come `clumping` at a time.
fn thins_out(rates: &[f64], old: (f64, f64), young: (f64, f64), clumping: f64) -> bool {
    let expected = old.0 / old.1 * young.1;
    // Both are counts, the old one scaled to the young one's requests.
    let error = (clumping * expected * (1.0 + young.1 / old.1)).sqrt();
    let clearly = expected - young.0 > 3.0 * error;
    clearly && (young.0 < 0.5 * expected || (young.0 < 0.85 * expected && chance_to_fall(rates) < 0.01))
}

/// Whether spans of the younger half of the requests keep something.
fn goes_on(timeline: &Timeline<'_>, unit: &Unit, spans: &[usize]) -> bool {
    let now = &unit.states[timeline.verdict_instant()];
    let all: f64 = spans.iter().map(|&span| unit.exposure(timeline, span)).sum();
    let mut exposed = 0.0;
    spans.iter().any(|&span| {
        exposed += unit.exposure(timeline, span);
        exposed > 0.5 * all && now.held(span).blocks > 0.0
    })
}

/// What is known of a unit before its rest is summed up.
#[derive(Clone, Copy)]
struct Summary {
    warm_up: usize,
    stopped: bool,
    settled: bool,
    lifetime: Option<usize>,
    died: usize,
    turned_over: f64,
}

fn summarise(
    timeline: &Timeline<'_>,
    unit: &Unit,
    judged: &[usize],
    policy: &Policy,
    known: Summary,
) -> Rest {
    let now = &unit.states[timeline.verdict_instant()];
    let groups = pool(timeline, unit, judged, policy);
    let sum = |of: &dyn Fn(usize) -> f64| -> Vec<f64> {
        groups.iter().map(|group| group.iter().map(|&span| of(span)).sum()).collect()
    };
    let exposures = sum(&|span| unit.exposure(timeline, span));
    let blocks = sum(&|span| now.held(span).blocks);
    let mut bytes = sum(&|span| now.held(span).bytes);
    let rates = |amounts: &[f64]| -> Vec<f64> {
        amounts.iter().zip(&exposures).map(|(amount, exposed)| amount / exposed).collect()
    };
    let (byte_rates, block_rates) = (rates(&bytes), rates(&blocks));
    let (usual_bytes, usual_blocks) = (median(&byte_rates), median(&block_rates));
    let spread = median_absolute_deviation(&byte_rates);
    let young_end = groups.len() - groups.len() / 4;
    let mut step_bytes = clip_exceptions(&mut bytes, &exposures, |index, rate| {
        // Without more blocks it is a container that grew; at the young end, memory that has yet to die.
        let explained = block_rates[index] < 2.0 * usual_blocks || index >= young_end;
        let step = rate > STEP * usual_bytes || rate > usual_bytes + DEVIATIONS * spread;
        usual_blocks > 0.0 && step && explained
    });
    let exposure: f64 = exposures.iter().sum();
    let total_blocks: f64 = blocks.iter().sum();
    // The grain: one survivor more or less.
    let grain = bytes.iter().sum::<f64>() / total_blocks.max(1.0) / exposure.max(1.0);
    let mut kept = mean_rate(&bytes, &exposures, grain);
    let events = total_blocks / clumping(timeline, unit, judged);
    if groups.len() < FEW_GROUPS {
        kept = counted_rate(bytes.iter().sum(), exposure, events);
    }
    // Survivors are counts: with the clumping measured, their number is as certain as a Poisson number's.
    kept.p = kept.p.min(chance_of_count(events));
    if total_blocks < policy.least_groups as f64 {
        // A block or two in all are containers, not what requests leave.
        step_bytes += std::mem::take(&mut kept.rate).estimate * exposure;
        (kept.standard_error, kept.p) = (0.0, 1.0);
    }
    let (then, lost) = losses(timeline, unit, judged);
    let third = groups.len().div_ceil(3);
    let ends = |range: std::ops::Range<usize>| {
        (blocks[range.clone()].iter().sum::<f64>(), exposures[range].iter().sum::<f64>().max(1.0))
    };
    let (old, young) = (ends(0..third), ends(groups.len() - third..groups.len()));
    if chance_to_fall(&block_rates) < FALLING {
        let per_block = bytes.iter().sum::<f64>() / total_blocks.max(1.0);
        kept.rate = spanned(kept.rate, young.0 / young.1 * per_block, old.0 / old.1 * per_block);
    }
    Rest {
        judged: judged.to_vec(),
        warm_up: known.warm_up,
        stopped: known.stopped,
        settled: known.settled,
        lost: if then > 0.0 { lost / then } else { 0.0 },
        groups: groups.len(),
        keeping: blocks.iter().filter(|&&blocks| blocks > 0.0).count() as f64 / groups.len().max(1) as f64,
        oldest_died: groups
            .first()
            .zip(judged.last())
            .is_some_and(|(oldest, &youngest)| oldest_died(timeline, unit, oldest, youngest)),
        thins_out: thins_out(&block_rates, old, young, clumping(timeline, unit, judged)),
        exposure,
        blocks: total_blocks,
        goes_on: goes_on(timeline, unit, judged),
        events,
        bytes: judged.iter().map(|&span| now.held(span).bytes).sum(),
        kept,
        step_bytes,
        lifetime: known.lifetime,
        died: known.died,
        turned_over: known.turned_over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FALLING_RATES: [f64; 7] = [7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0];
    const LEVEL_RATES: [f64; 7] = [4.0, 5.0, 3.0, 4.5, 3.5, 5.5, 4.2];

    #[test]
    fn a_rest_thins_out_when_the_young_keep_clearly_less_than_half_of_what_the_old_do() {
        let of = |old, young, clumping| thins_out(&LEVEL_RATES, (old, 1000.0), (young, 1000.0), clumping);
        // 100 expected: √200 = 14.1 and 42.4; of two at a time √400 = 20 and 60.
        assert!(of(100.0, 49.0, 1.0) && !of(100.0, 50.0, 1.0));
        assert!(of(100.0, 39.0, 2.0) && !of(100.0, 49.0, 2.0));
        // 50 expected: √100 = 10, and 30 is not more than 30.
        assert!(of(50.0, 19.0, 1.0) && !of(50.0, 20.0, 1.0));
        // Of four times the requests, 400 are expected: √(400 * 5) = 44.7 and 134.
        assert!(thins_out(&LEVEL_RATES, (100.0, 250.0), (199.0, 1000.0), 1.0));
        assert!(!thins_out(&LEVEL_RATES, (100.0, 250.0), (201.0, 1000.0), 1.0));
        assert!(
            !thins_out(&LEVEL_RATES, (10.0, 250.0), (19.0, 1000.0), 1.0),
            "21 of 40 are no more than 42.4"
        );
    }

    #[test]
    fn or_by_less_when_it_falls_from_group_to_group() {
        let of = |rates: &[f64], young| thins_out(rates, (100_000.0, 1000.0), (young, 1000.0), 1.0);
        assert!(of(&FALLING_RATES, 84_000.0) && !of(&FALLING_RATES, 85_000.0));
        assert!(of(&LEVEL_RATES, 49_000.0) && !of(&LEVEL_RATES, 84_000.0));
    }

    #[test]
    fn a_rate_that_falls_reaches_from_what_the_young_keep_to_what_the_old_did() {
        let rate = Growth { estimate: 5.0, low: 4.0, high: 6.0 };
        assert_eq!(spanned(rate, 2.0, 9.0), Growth { estimate: 5.0, low: 2.0, high: 9.0 });
        assert_eq!(spanned(rate, 4.5, 5.5), rate);
        assert_eq!(spanned(rate, 0.0, 9.0).low, 4.0);
    }
}
