//! From judged units to judged components.

use std::collections::BTreeMap;

use heapsoak_record::Moment;

use crate::cohorts::warm_up;
use crate::evidence::{Judged, judge_units, sum};
use crate::explain::explain;
use crate::judgement::{
    CohortSurvivors, ComponentJudgement, ComponentVerdict, Growth, KindJudgement, Live, Point,
};
use crate::policy::Policy;
use crate::timeline::Timeline;
use crate::unit::{Scope, Unit, units};
use crate::words::bytes;

/// A component with its parts.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) verdict: ComponentVerdict,
    /// Growth in bytes per 1,000 requests of the run.
    pub(crate) growth: Growth,
    /// All of it.
    pub(crate) whole: Judged,
    /// One per request kind, and the background.
    pub(crate) parts: Vec<Judged>,
    pub(crate) wanted: Option<f64>,
}

impl Component {
    /// The parts that leak.
    pub(crate) fn leaking(&self) -> impl Iterator<Item = &Judged> + '_ {
        self.parts.iter().filter(|part| part.leaks())
    }
}

/// Judges every component of a run.
pub(crate) fn components(timeline: &Timeline<'_>, policy: &Policy) -> Vec<Component> {
    let mut warm_ups: BTreeMap<String, usize> = BTreeMap::new();
    let units: Vec<(Unit, usize)> = units(timeline)
        .into_iter()
        .map(|unit| {
            if unit.scope == Scope::Whole {
                warm_ups.insert(unit.component.clone(), warm_up(timeline, &unit, policy));
            }
            let length = warm_ups.get(&unit.component).copied().unwrap_or(0);
            (unit, length)
        })
        .collect();
    let mut components: Vec<(Judged, Vec<Judged>)> = Vec::new();
    for judged in judge_units(timeline, units, policy) {
        match components.last_mut() {
            Some((_, parts)) if judged.unit.scope != Scope::Whole => parts.push(judged),
            _ => components.push((judged, Vec::new())),
        }
    }
    components.into_iter().map(|(whole, parts)| combine(whole, parts)).collect()
}

/// A component leaks if a part of it does, or it does as a whole. It is undecided if it is as a whole, or a part of
/// it may grow by more than the policy lets pass.
fn combine(whole: Judged, parts: Vec<Judged>) -> Component {
    let name = whole.unit.component.clone();
    let leaking: Vec<Growth> =
        parts.iter().filter(|part| part.leaks()).map(Judged::growth_per_1000).collect();
    if !leaking.is_empty() || whole.leaks() {
        let growth = if leaking.is_empty() { whole.growth_per_1000() } else { sum(&leaking) };
        return Component { name, verdict: ComponentVerdict::Leak, growth, whole, parts, wanted: None };
    }
    let growth = whole.growth_per_1000();
    let wanted = whole.wanted.filter(|_| whole.verdict == ComponentVerdict::Inconclusive);
    let verdict = match (wanted, whole.verdict) {
        (Some(_), _) => ComponentVerdict::Inconclusive,
        (None, ComponentVerdict::Inconclusive) => ComponentVerdict::Bounded,
        (None, verdict) => verdict,
    };
    Component { name, verdict, growth, whole, parts, wanted }
}

/// The greater of two, where there is one.
pub(crate) fn most(a: Option<f64>, b: f64) -> Option<f64> {
    Some(a.map_or(b, |a| a.max(b)))
}

/// Puts a component into its published form.
pub(crate) fn publish(timeline: &Timeline<'_>, component: &Component) -> ComponentJudgement {
    let whole = &component.whole;
    let level = &whole.evidence.level;
    let (bytes_made, blocks_made) = made_per_request(timeline, whole);
    let bounded = component.verdict == ComponentVerdict::Bounded;
    ComponentJudgement {
        name: component.name.clone(),
        verdict: component.verdict,
        growth_bytes_per_1000_requests: component.growth,
        minimum_detectable_bytes_per_1000_requests: whole.evidence.least_detectable,
        bound_bytes: bounded.then_some(level.peak as u64),
        lifetime_ms: whole.evidence.time.map(|time| time.lifetime_ms as u64).filter(|_| bounded),
        live_bytes: Live { start: level.start as u64, end: level.end as u64, peak: level.peak as u64 },
        allocated_bytes_per_request: bytes_made.unwrap_or(0.0),
        allocations_per_request: blocks_made.unwrap_or(0.0),
        series: series(timeline, component),
        survivors: survivors(timeline, component),
        kinds: component.parts.iter().map(|part| publish_kind(timeline, part)).collect(),
        evidence: evidence(timeline, component),
    }
}

fn evidence(timeline: &Timeline<'_>, component: &Component) -> Vec<String> {
    let mut sentences = Vec::new();
    for part in component.leaking() {
        let on = part.kind().map_or_else(|| "in the background".to_owned(), |kind| format!("on {kind}"));
        sentences.extend(explain(timeline, part).into_iter().map(|sentence| format!("{on}: {sentence}")));
    }
    sentences
        .extend(explain(timeline, &component.whole).into_iter().skip(usize::from(!sentences.is_empty())));
    if component.verdict == ComponentVerdict::Bounded
        && component.whole.verdict == ComponentVerdict::Inconclusive
    {
        let rise = bytes(component.whole.evidence.level.rise);
        sentences.push(format!("its rise of {rise} in the whole run is too small to wait for"));
    }
    sentences
}

fn publish_kind(timeline: &Timeline<'_>, part: &Judged) -> KindJudgement {
    let requests = timeline.requests_of(part.unit.kind);
    let own = part.kind().is_some() && requests > 0.0;
    let bounded = part.verdict == ComponentVerdict::Bounded;
    KindJudgement {
        kind: part.kind().map(str::to_owned),
        verdict: part.verdict,
        requests: if part.kind().is_some() { requests as u64 } else { 0 },
        growth_bytes_per_1000_requests: part.growth_per_1000(),
        growth_bytes_per_1000_triggering_requests: own.then(|| part.growth.scaled(1000.0)),
        minimum_detectable_bytes_per_1000_requests: part.evidence.least_detectable,
        bound_bytes: bounded.then_some(part.evidence.level.peak as u64),
        live_bytes: part.evidence.level.end as u64,
        allocated_bytes_per_request: made_per_request(timeline, part).0.filter(|_| own),
        evidence: explain(timeline, part),
    }
}

/// Bytes and blocks allocated per request after warm-up.
fn made_per_request(timeline: &Timeline<'_>, judged: &Judged) -> (Option<f64>, Option<f64>) {
    let verdict = timeline.verdict_instant();
    let from = timeline.spans.get(judged.evidence.rest.warm_up).map_or(0, |span| span.born);
    let sent = |index: usize| {
        let instant = &timeline.instants[index];
        judged.unit.kind.map_or(instant.requests, |kind| instant.by_kind[kind])
    };
    let exposed = sent(verdict) - sent(from);
    let states = &judged.unit.states;
    let per = |now: f64, then: f64| (exposed > 0.0).then(|| (now - then) / exposed);
    (
        per(states[verdict].allocated_bytes, states[from].allocated_bytes),
        per(states[verdict].allocated_blocks, states[from].allocated_blocks),
    )
}

fn series(timeline: &Timeline<'_>, component: &Component) -> Vec<Point> {
    let mut own: Vec<usize> = component.parts.iter().filter_map(|part| part.unit.kind).collect();
    own.sort_unstable();
    own.dedup();
    let sent = |index: usize| -> f64 { own.iter().map(|&kind| timeline.instants[index].by_kind[kind]).sum() };
    let mut before: Option<(f64, f64)> = None;
    let states = &component.whole.unit.states;
    timeline
        .instants
        .iter()
        .enumerate()
        .map(|(index, instant)| {
            let now = (states[index].allocated_bytes, sent(index));
            let rate = before.filter(|then| now.1 > then.1).map(|then| (now.0 - then.0) / (now.1 - then.1));
            if before.is_none() || rate.is_some() {
                before = Some(now);
            }
            Point {
                requests: instant.requests as u64,
                elapsed_ms: instant.elapsed_ms as u64,
                clock_ms: instant.clock_ms as u64,
                after_advance: instant.moment == Moment::AfterAdvance,
                live_bytes: states[index].live.bytes as u64,
                allocated_bytes_per_request: rate,
            }
        })
        .collect()
}

fn survivors(timeline: &Timeline<'_>, component: &Component) -> Vec<CohortSurvivors> {
    let now = &component.whole.unit.states[timeline.verdict_instant()];
    let judged = |span: usize| {
        let mut leaking = component.leaking().peekable();
        if leaking.peek().is_none() {
            return component.whole.evidence.rest.judged.contains(&span);
        }
        leaking.any(|part| part.evidence.rest.judged.contains(&span))
    };
    timeline
        .spans
        .iter()
        .enumerate()
        .map(|(index, span)| CohortSurvivors {
            cohort: span.last,
            requests: span.requests as u64,
            live_bytes: now.held(index).bytes as u64,
            live_blocks: now.held(index).blocks as u64,
            judged: judged(index),
        })
        .collect()
}
