//! What a server holds again after each restart: what it keeps on disk and loads when it starts.

use heapsoak_record::{CONTROL_COMPONENT, ContextHeap, Heap, KindCount, OWN_COMPONENT, Recording};

use crate::attribution::attribute_steps;
use crate::judgement::{ComponentVerdict, Finding, Growth, Judgement, Pattern, RunVerdict};
use crate::policy::Policy;
use crate::severity::{Weight, severity};
use crate::statistics::mean_rate;
use crate::words::{bytes, growth, list, plural};

/// Restarts after which a component must hold more each time before that is called growth: three steps between them.
const LEAST_RESTARTS: usize = 4;

/// Steps that are looked at, at even distances in requests: of very many restarts, one in which chance took more away
/// than was added says nothing. It also makes the answer the same when not every restart is recorded.
const MOST_STEPS: usize = 16;

/// Share of the rate of the first step that the last one must have at least: a cache that fills up takes ever smaller ones.
const LEAST_LAST_STEP: f64 = 0.5;

/// By how much the share of some kind among the requests must vary from step to step, as a share of itself, before the
/// steps tell the kinds apart.
const LEAST_VARIATION: f64 = 0.01;

/// What a process held at its first quiet point, before any request, and the requests before it.
struct Start<'a> {
    heap: &'a Heap,
    requests: f64,
    kinds: &'a [KindCount],
}

/// A component that holds more after each restart.
pub(crate) struct LoadedAgain {
    component: String,
    restarts: usize,
    /// What it held after restarts at even distances.
    held: Vec<f64>,
    /// Per 1,000 requests of the run.
    rate: Growth,
    source: Source,
}

/// Which requests it comes from.
enum Source {
    /// These kinds, most first, with the growth per 1,000 requests of them.
    Kinds(Vec<String>, Growth),
    /// The mix was the same all the time.
    SameMix,
    /// No kind explains it, or more than one does as well.
    Unclear,
}

/// What is held at the first quiet points of the processes, before any request: a server holds there what it loaded. The
/// first process had nothing to load.
pub(crate) fn loaded_again(whole: &Recording, policy: &Policy) -> Vec<LoadedAgain> {
    let stretches = whole.stretches();
    let starts: Option<Vec<Start<'_>>> =
        stretches.iter().skip(1).map(|stretch| start(whole, stretch.snapshots.start)).collect();
    let Some(starts) = starts.filter(|starts| starts.len() >= LEAST_RESTARTS) else { return Vec::new() };
    let mut names: Vec<&str> =
        starts.iter().flat_map(|start| &start.heap.contexts).map(ContextHeap::component).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| *name != OWN_COMPONENT && *name != CONTROL_COMPONENT);
    names.into_iter().filter_map(|name| again(whole, &starts, name, policy)).collect()
}

fn start(whole: &Recording, first: usize) -> Option<Start<'_>> {
    let snapshot = &whole.snapshots[first];
    let heap = snapshot.heap.as_ref()?;
    Some(Start { heap, requests: snapshot.requests as f64, kinds: &snapshot.kinds })
}

fn again(whole: &Recording, starts: &[Start<'_>], name: &str, policy: &Policy) -> Option<LoadedAgain> {
    let all: Vec<f64> = starts.iter().map(|start| held(start, name)).collect();
    let looked_at = spread(starts);
    let held: Vec<f64> = looked_at.iter().map(|&index| all[index]).collect();
    let steps = differences(&held);
    let exposures = differences(&looked_at.iter().map(|&index| starts[index].requests).collect::<Vec<_>>());
    let rate = mean_rate(&steps, &exposures, 0.0).rate.scaled(1000.0);
    let (first, last) = (steps.first()? / exposures.first()?, steps.last()? / exposures.last()?);
    let grows = steps.iter().all(|step| *step > 0.0)
        && last >= LEAST_LAST_STEP * first
        && rate.low > 0.0
        && rate.estimate >= policy.least_growth
        && steps.iter().sum::<f64>() >= policy.least_rise;
    grows.then(|| LoadedAgain {
        component: name.to_owned(),
        restarts: whole.restarts() as usize,
        held,
        rate,
        source: source(whole, starts, &all),
    })
}

fn held(start: &Start<'_>, name: &str) -> f64 {
    let own = start.heap.contexts.iter().filter(|context| context.component() == name);
    own.map(|context| context.live_bytes() as f64).sum()
}

fn differences(values: &[f64]) -> Vec<f64> {
    values.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// Positions of the starts that are looked at: all of them, or some at about even distances from the first to the last.
fn spread(starts: &[Start<'_>]) -> Vec<usize> {
    if starts.len() <= MOST_STEPS + 1 {
        return (0..starts.len()).collect();
    }
    let (first, last) = (starts[0].requests, starts[starts.len() - 1].requests);
    let place = |start: &Start<'_>| ((start.requests - first) / (last - first) * MOST_STEPS as f64).floor();
    let mut reached = -1.0;
    let new = |&index: &usize| {
        let place = place(&starts[index]);
        let further = place > reached;
        reached = reached.max(place);
        further
    };
    (0..starts.len()).filter(new).collect()
}

/// What is loaded was allocated for no request, so its context does not say for which it was kept. The number of requests
/// of each kind varies from restart to restart, though.
fn source(whole: &Recording, starts: &[Start<'_>], held: &[f64]) -> Source {
    let kinds = &whole.header.kinds;
    let sent = |start: &Start<'_>, kind: usize| start.kinds.get(kind).map_or(0.0, |count| count.sent as f64);
    let requests = differences(&starts.iter().map(|start| start.requests).collect::<Vec<_>>());
    let by_kind: Vec<Vec<f64>> = (0..kinds.len())
        .map(|kind| differences(&starts.iter().map(|start| sent(start, kind)).collect::<Vec<_>>()))
        .collect();
    if by_kind.iter().all(|kind| variation(kind, &requests) < LEAST_VARIATION) {
        return Source::SameMix;
    }
    let steps = differences(held);
    let found = attribute_steps(&steps, &by_kind, &requests);
    if found.is_empty() {
        return Source::Unclear;
    }
    let exposures: Vec<f64> =
        (0..steps.len()).map(|step| found.iter().map(|&kind| by_kind[kind][step]).sum()).collect();
    let rate = mean_rate(&steps, &exposures, 0.0).rate.scaled(1000.0);
    Source::Kinds(found.into_iter().map(|kind| kinds[kind].name.clone()).collect(), rate)
}

/// How much a kind's share of the requests varies: its standard deviation, as a share of the mean.
fn variation(kind: &[f64], requests: &[f64]) -> f64 {
    let shares: Vec<f64> = kind.iter().zip(requests).map(|(sent, all)| sent / all.max(1.0)).collect();
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    let squares: f64 = shares.iter().map(|share| (share - mean).powi(2)).sum();
    if mean > 0.0 { (squares / shares.len() as f64).sqrt() / mean } else { 0.0 }
}

impl LoadedAgain {
    fn evidence(&self) -> String {
        let held: Vec<String> = self.held.iter().map(|held| bytes(*held)).collect();
        let compared = if self.restarts > self.held.len() {
            format!(
                "after {} of {}, at even distances, before any request",
                self.held.len(),
                plural(self.restarts, "restart")
            )
        } else {
            "after each restart, before any request".to_owned()
        };
        format!(
            "{compared}, it held more than after the one before: {}; that is {} per 1,000 requests of the run which are kept \
             on disk and loaded again",
            list(&held),
            growth(self.rate)
        )
    }

    fn attribution(&self) -> String {
        match &self.source {
            Source::Kinds(kinds, rate) => format!(
                "what is loaded grows with the requests of {}, more or fewer of which came between two restarts: {} per 1,000 \
                 of them",
                list(kinds),
                growth(*rate)
            ),
            Source::SameMix => {
                "which requests the loaded data come from can't be told: the mix of the requests was the \
                                same between all restarts"
                    .to_owned()
            }
            Source::Unclear => {
                "which requests the loaded data come from can't be told: what was added between two \
                                restarts does not follow one kind better than all others"
                    .to_owned()
            }
        }
    }

    /// Adds it to what is known of the component. Growth that the stretch shows already is not counted twice.
    pub(crate) fn tell(self, judgement: &mut Judgement) {
        let evidence = [self.evidence(), self.attribution()];
        let told = if matches!(self.source, Source::Kinds(..)) { &evidence[..] } else { &evidence[..1] };
        let LoadedAgain { component: name, restarts, rate, source, .. } = self;
        let known = judgement.findings.iter_mut().find(|finding| {
            finding.component == name && finding.growth_bytes_per_1000_requests.estimate > 0.0
        });
        match known {
            // Its kinds were read off what it keeps: what could not be told beside that is no news.
            Some(finding) => finding.evidence.extend(told.iter().cloned()),
            None => {
                let pattern = Pattern::UnboundedGrowth;
                let weight = Weight { per_1000: rate.estimate, held: 0.0, resources: &[] };
                let (kinds, per_1000) = match source {
                    Source::Kinds(kinds, rate) => (kinds, Some(rate)),
                    Source::SameMix | Source::Unclear => (Vec::new(), None),
                };
                judgement.findings.push(Finding {
                    severity: severity(pattern, &weight),
                    component: name.clone(),
                    pattern,
                    growth_bytes_per_1000_requests: rate,
                    at_10000_requests_bytes: 10.0 * rate.estimate,
                    triggered_by: kinds,
                    growth_bytes_per_1000_triggering_requests: per_1000,
                    resources: Vec::new(),
                    bound_bytes: None,
                    summary: format!(
                        "{name} loads more after each restart: {} per 1,000 requests, {}",
                        growth(rate),
                        plural(restarts, "restart")
                    ),
                    evidence: evidence.to_vec(),
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
        component.evidence.extend(evidence);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_varies_by_its_deviation_as_a_share_of_its_mean() {
        // Shares 0.1 and 0.15; 0.1, 0.2, 0.3 and 0.2.
        assert!((variation(&[10.0, 30.0], &[100.0, 200.0]) - 0.2).abs() < 1e-12);
        let four = variation(&[10.0, 20.0, 30.0, 40.0], &[100.0, 100.0, 100.0, 200.0]);
        assert!((four - 0.005_f64.sqrt() / 0.2).abs() < 1e-12, "{four}");
        assert_eq!(variation(&[5.0, 5.0], &[50.0, 50.0]), 0.0);
        assert_eq!(variation(&[0.0, 0.0], &[50.0, 0.0]), 0.0);
    }
}
