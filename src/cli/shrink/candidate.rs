use heapsoak_record::Recording;
use heapsoak_verdict::{Finding, Judgement, KindJudgement};

/// Kinds of a minimal scenario at most.
const MOST: usize = 3;

/// Fewer requests of a kind than this show no leak.
const FEWEST_REQUESTS: u64 = 480;

/// Request kinds that may be enough to show a finding.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub(super) kinds: Vec<String>,
    /// Their weights in the whole scenario.
    pub(super) weights: Vec<f64>,
    /// The rate they had in the whole run, in bytes per 1,000 requests of these kinds together.
    pub(super) bytes_per_1000: f64,
    /// Requests to send: as many of each as in the whole run.
    pub(super) requests: u64,
}

/// What to try, the most promising first: each kind that keeps memory by itself; then the two and three that keep most;
/// then one that keeps with others of the scenario, in case it needs what they set up.
pub(super) fn candidates(recording: &Recording, judgement: &Judgement, finding: &Finding) -> Vec<Candidate> {
    let component = judgement.components.iter().find(|one| one.name == finding.component);
    let kinds = component.map(|one| one.kinds.as_slice()).unwrap_or_default();
    let rate = |name: &str| {
        let kind = kinds.iter().find(|one| one.kind.as_deref() == Some(name));
        kind.map_or(0.0, |one| one.growth_bytes_per_1000_requests.estimate.max(0.0))
    };
    let mut leaking: Vec<&str> = finding.triggered_by.iter().map(String::as_str).collect();
    leaking.sort_by(|a, b| rate(b).total_cmp(&rate(a)));
    let mut helpers: Vec<(&str, f64)> = recording
        .header
        .kinds
        .iter()
        .filter(|kind| kind.weight > 0.0 && !finding.triggered_by.contains(&kind.name))
        .map(|kind| (kind.name.as_str(), kind.weight))
        .collect();
    // Kinds of the same component are the likeliest to set something up, then those that are sent most.
    let own = |name: &str| name.split('.').next() == Some(finding.component.as_str());
    helpers.sort_by(|a, b| own(b.0).cmp(&own(a.0)).then(b.1.total_cmp(&a.1)));

    let mut sets: Vec<Vec<&str>> = leaking.iter().take(MOST).map(|kind| vec![*kind]).collect();
    for size in 2..=MOST.min(leaking.len()) {
        sets.push(leaking[..size].to_vec());
    }
    if let Some(first) = leaking.first() {
        sets.extend(helpers.iter().take(2).map(|(helper, _)| vec![*first, *helper]));
        if helpers.len() >= 2 {
            sets.push(vec![first, helpers[0].0, helpers[1].0]);
        }
    }
    sets.into_iter().filter_map(|set| candidate(recording, kinds, &set)).collect()
}

fn candidate(recording: &Recording, judged: &[KindJudgement], set: &[&str]) -> Option<Candidate> {
    let last = recording.snapshots.last()?;
    let (mut weights, mut requests, mut bytes) = (Vec::new(), 0, 0.0);
    for name in set {
        let index = recording.header.kinds.iter().position(|kind| kind.name == *name)?;
        let sent = last.kinds.get(index)?.sent;
        weights.push(recording.header.kinds[index].weight);
        requests += sent;
        let own = judged.iter().find(|kind| kind.kind.as_deref() == Some(name));
        let per_1000 = own.and_then(|kind| kind.growth_bytes_per_1000_triggering_requests);
        bytes += per_1000.map_or(0.0, |growth| growth.estimate.max(0.0)) * sent as f64;
    }
    (requests > 0 && bytes > 0.0).then(|| Candidate {
        kinds: set.iter().map(|name| (*name).to_owned()).collect(),
        weights,
        bytes_per_1000: bytes / requests as f64,
        requests: requests.max(FEWEST_REQUESTS),
    })
}
