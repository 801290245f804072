//! Runs in which the server was restarted: each process counts for itself, so the longest stretch is judged, and beside it
//! what the server holds again after each restart.

use heapsoak_record::{CONTROL_COMPONENT, ContextHeap, OWN_COMPONENT, Part, Recording};

use crate::judge::judge_stretch;
use crate::judgement::{ComponentVerdict, Finding, Judgement, Pattern, RunVerdict};
use crate::policy::Policy;
use crate::quality::requests;
use crate::severity::{Weight, severity};
use crate::statistics::mean_rate;
use crate::words::{bytes, growth, list, plural};

/// Restarts after which a component must hold more each time before that is called growth: three steps between them.
const LEAST_RESTARTS: usize = 4;

/// Share of the first step that the last one must have at least: a cache that fills up takes ever smaller ones.
const LEAST_LAST_STEP: f64 = 0.5;

/// Judges the longest stretch of a run that has several; of two as long, the later one, which has seen more.
pub(crate) fn judge_longest(whole: &Recording, parts: &[Part], policy: &Policy) -> Option<Judgement> {
    let cycles = |part: &Part| part.recording.header.plan.cycles;
    let judged = &whole.longest_part()?;
    let mut judgement = judge_stretch(&judged.recording, &requests(whole), policy);
    let others: Vec<String> = parts
        .iter()
        .filter(|part| part.cycles_before != judged.cycles_before)
        .map(|part| words(part.cycles_before, cycles(part)))
        .collect();
    judgement.not_analysed.insert(
        0,
        format!(
            "growth in {}: the server was restarted {}, and each process counts for itself; judged is the longest stretch, {}",
            list(&others),
            plural(parts.len() - 1, "time"),
            words(judged.cycles_before, cycles(judged)),
        ),
    );
    place(&mut judgement, judged);
    for again in loaded_again(parts, policy) {
        again.tell(&mut judgement);
    }
    Some(judgement)
}

/// `cycles 1 to 12`.
fn words(before: u32, cycles: u32) -> String {
    match cycles {
        0 => format!("no cycle after cycle {before}"),
        1 => format!("cycle {}", before + 1),
        _ => format!("cycles {} to {}", before + 1, before + cycles),
    }
}

/// Moves what is shown over the requests of the stretch to its place in the whole run.
fn place(judgement: &mut Judgement, part: &Part) {
    let by = part.requests_before;
    let points = judgement.components.iter_mut().flat_map(|component| &mut component.series);
    points.for_each(|point| point.requests += by);
    let points = judgement.resources.iter_mut().flat_map(|resource| &mut resource.series);
    points.for_each(|point| point.requests += by);
}

/// A component that holds more after each restart.
struct LoadedAgain {
    component: String,
    /// What it held at the first quiet point after each restart.
    held: Vec<f64>,
    /// Per 1,000 requests of the run.
    rate: crate::judgement::Growth,
}

/// What is held at the first quiet points of the processes, before any request: a server holds there what it loaded. The
/// first process had nothing to load.
fn loaded_again(parts: &[Part], policy: &Policy) -> Vec<LoadedAgain> {
    let restarted = &parts[1..];
    if restarted.len() < LEAST_RESTARTS {
        return Vec::new();
    }
    let first = |part: &Part| part.recording.snapshots.first().and_then(|snapshot| snapshot.heap.clone());
    let heaps: Option<Vec<_>> = restarted.iter().map(first).collect();
    let Some(heaps) = heaps else { return Vec::new() };
    let mut names: Vec<&str> =
        heaps.iter().flat_map(|heap| &heap.contexts).map(ContextHeap::component).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| *name != OWN_COMPONENT && *name != CONTROL_COMPONENT);
    let exposures: Vec<f64> =
        restarted.windows(2).map(|pair| (pair[1].requests_before - pair[0].requests_before) as f64).collect();
    let again = names.into_iter().filter_map(|name| {
        let held: Vec<f64> = heaps
            .iter()
            .map(|heap| {
                let own = heap.contexts.iter().filter(|context| context.component() == name);
                own.map(|context| context.live_bytes() as f64).sum()
            })
            .collect();
        let steps: Vec<f64> = held.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let rate = mean_rate(&steps, &exposures, 0.0).rate.scaled(1000.0);
        let (least, last) = (steps.iter().copied().fold(f64::INFINITY, f64::min), *steps.last()?);
        let grows = least > 0.0
            && last >= LEAST_LAST_STEP * steps[0]
            && rate.low > 0.0
            && rate.estimate >= policy.least_growth
            && steps.iter().sum::<f64>() >= policy.least_rise;
        grows.then(|| LoadedAgain { component: name.to_owned(), held, rate })
    });
    again.collect()
}

impl LoadedAgain {
    fn evidence(&self) -> String {
        let held: Vec<String> = self.held.iter().map(|held| bytes(*held)).collect();
        format!(
            "after each restart, before any request, it held more than after the one before: {}; that is {} per 1,000 requests \
             of the run which are kept on disk and loaded again",
            list(&held),
            growth(self.rate)
        )
    }

    /// Adds it to what is known of the component. Growth that the stretch shows already is not counted twice.
    fn tell(self, judgement: &mut Judgement) {
        let evidence = self.evidence();
        let LoadedAgain { component: name, held, rate } = self;
        let known = judgement.findings.iter_mut().find(|finding| {
            finding.component == name && finding.growth_bytes_per_1000_requests.estimate > 0.0
        });
        match known {
            Some(finding) => finding.evidence.push(evidence.clone()),
            None => {
                let pattern = Pattern::UnboundedGrowth;
                let weight = Weight { per_1000: rate.estimate, held: 0.0, resources: &[] };
                judgement.findings.push(Finding {
                    severity: severity(pattern, &weight),
                    component: name.clone(),
                    pattern,
                    growth_bytes_per_1000_requests: rate,
                    at_10000_requests_bytes: 10.0 * rate.estimate,
                    triggered_by: Vec::new(),
                    growth_bytes_per_1000_triggering_requests: None,
                    resources: Vec::new(),
                    bound_bytes: None,
                    summary: format!(
                        "{name} loads more after each restart: {} per 1,000 requests, {} restarts",
                        growth(rate),
                        held.len()
                    ),
                    evidence: vec![evidence.clone()],
                    action: format!(
                        "bound what {name} keeps on disk and loads at its start: a number, an age, or load it when it is asked for"
                    ),
                });
                judgement.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
                judgement.combined_impact_at_10000_requests_bytes += 10.0 * rate.estimate;
            }
        }
        let Some(component) = judgement.components.iter_mut().find(|component| component.name == name) else {
            return;
        };
        component.evidence.push(evidence);
        if component.verdict == ComponentVerdict::Leak {
            return;
        }
        component.verdict = ComponentVerdict::Leak;
        component.growth_bytes_per_1000_requests = rate;
        component.bound_bytes = None;
        component.lifetime_ms = None;
        let reason = format!("{name} loads {} per 1,000 requests more after each restart", growth(rate));
        match judgement.verdict {
            RunVerdict::Invalid => {}
            RunVerdict::Leak => judgement.reasons.push(reason),
            RunVerdict::Clean | RunVerdict::Inconclusive => {
                judgement.verdict = RunVerdict::Leak;
                judgement.reasons = vec![reason];
                judgement.wanted_requests = None;
            }
        }
    }
}
