//! From what trials found to the figures.

use std::collections::BTreeMap;

use heapsoak_verdict::{Subject, difference};

use crate::naive::METHODS;
use crate::order::Order;
use crate::trial::Found;

/// A trial with what it found.
pub(crate) type Tried<'a> = (&'a Order, &'a Found);

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Share {
    pub(crate) of: usize,
    pub(crate) all: usize,
}

impl Share {
    pub(crate) fn count(answers: impl IntoIterator<Item = bool>) -> Share {
        let mut share = Share::default();
        for yes in answers {
            share.all += 1;
            share.of += usize::from(yes);
        }
        share
    }

    /// From 0 to 1; zero of nothing.
    pub(crate) fn rate(self) -> f64 {
        self.of as f64 / self.all.max(1) as f64
    }
}

/// Every figure of the table.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    pub(crate) trials: usize,
    pub(crate) found: Share,
    /// Those below the stated limit, too.
    pub(crate) found_of_all: Share,
    pub(crate) false_alarms: Share,
    pub(crate) twin_false: Share,
    pub(crate) inconclusive: Share,
    pub(crate) covered: Share,
    pub(crate) covered_above: usize,
    pub(crate) covered_below: usize,
    pub(crate) at_limit: Share,
    pub(crate) requests: Vec<u64>,
    pub(crate) never_found: usize,
    pub(crate) flips: Share,
    pub(crate) sawtooth: Sawtooth,
    pub(crate) time_driven: Share,
    /// Found and false alarms of each simpler method.
    pub(crate) naive: Vec<(&'static str, Share, Share)>,
    /// Per case and amount.
    pub(crate) rows: Vec<Row>,
    /// The smallest leak found in each component of the mixed replay, in bytes per request.
    pub(crate) mixed: Vec<(String, Option<f64>)>,
    /// Pairs of runs that differ in being called a leak or not, the detection limits left aside.
    pub(crate) different: Share,
}

/// The leak under the sawtooth of 30 MB.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sawtooth {
    pub(crate) found: Share,
    pub(crate) naive: Vec<Share>,
}

/// One case at one amount.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) case: String,
    pub(crate) amount: String,
    pub(crate) faulty: bool,
    /// Verdicts and how often.
    pub(crate) verdicts: BTreeMap<String, usize>,
    pub(crate) covered: Share,
    /// Mean of the estimates over the truth.
    pub(crate) bias: Option<f64>,
    pub(crate) naive: Vec<Share>,
}

fn leaks(found: &Found) -> bool {
    found.verdict == "leak"
}

/// Whether a leak is at or above the limit its run stated; what has no rate of its own counts by what it rose by.
fn is_detectable(found: &Found) -> bool {
    found.truth.unwrap_or(found.risen) >= found.limit
}

fn covers(found: &Found) -> Option<bool> {
    let (_, low, high) = found.growth;
    let slack = 1e-9 * found.growth.0.abs();
    // Where only a resource was found to leak, nothing is said of bytes.
    found
        .truth
        .filter(|_| leaks(found) && found.growth.0 > 0.0)
        .map(|truth| low - slack <= truth && truth <= high + slack)
}

/// Computes every figure.
pub(crate) fn figures(
    tried: &[Tried<'_>],
    stepwise: &[Tried<'_>],
    limited: &[Tried<'_>],
    paired: &dyn Fn(&str) -> bool,
) -> Figures {
    let (faulty, healthy): (Vec<&Tried<'_>>, Vec<&Tried<'_>>) =
        tried.iter().partition(|(order, _)| order.faulty);
    let detectable: Vec<&&Tried<'_>> = faulty.iter().filter(|(_, found)| is_detectable(found)).collect();
    let mut requests: Vec<u64> = stepwise.iter().filter_map(|(_, found)| found.found_after).collect();
    requests.sort_unstable();
    let missed = |of: &dyn Fn(&Found, f64) -> bool| {
        faulty
            .iter()
            .filter(|(_, found)| {
                covers(found) == Some(false) && found.truth.is_some_and(|truth| of(found, truth))
            })
            .count()
    };
    let teeth: Vec<&&Tried<'_>> = faulty.iter().filter(|(order, _)| order.case.contains("30 MB")).collect();
    let by_time: Vec<&&Tried<'_>> =
        faulty.iter().filter(|(order, found)| order.case.contains("per second") && leaks(found)).collect();
    Figures {
        trials: tried.len() + stepwise.len() + limited.len(),
        found: Share::count(detectable.iter().map(|(_, found)| leaks(found))),
        found_of_all: Share::count(faulty.iter().map(|(_, found)| leaks(found))),
        false_alarms: Share::count(healthy.iter().map(|(_, found)| leaks(found))),
        twin_false: Share::count(
            healthy.iter().filter(|(order, _)| paired(&order.case)).map(|(_, found)| leaks(found)),
        ),
        inconclusive: Share::count(tried.iter().map(|(_, found)| found.verdict == "inconclusive")),
        covered: Share::count(faulty.iter().filter_map(|(_, found)| covers(found))),
        covered_above: missed(&|found, truth| found.growth.1 > truth),
        covered_below: missed(&|found, truth| found.growth.2 < truth),
        at_limit: Share::count(limited.iter().map(|(_, found)| leaks(found))),
        never_found: stepwise.len() - requests.len(),
        requests,
        flips: pairs(tried, &differ),
        sawtooth: Sawtooth {
            found: Share::count(teeth.iter().map(|(_, found)| leaks(found))),
            naive: by_method(&|at| Share::count(teeth.iter().map(|(_, found)| found.naive[at]))),
        },
        time_driven: Share::count(by_time.iter().map(|(_, found)| found.by_time)),
        naive: METHODS
            .iter()
            .enumerate()
            .map(|(at, (name, _))| {
                let found = Share::count(detectable.iter().map(|(_, found)| found.naive[at]));
                (*name, found, Share::count(healthy.iter().map(|(_, found)| found.naive[at])))
            })
            .collect(),
        rows: rows(tried),
        mixed: Vec::new(),
        different: pairs(tried, &|a, b| leaks(a) != leaks(b)),
    }
}

fn by_method(share: &dyn Fn(usize) -> Share) -> Vec<Share> {
    (0..METHODS.len()).map(share).collect()
}

/// Neighbouring seeds of the same program, compared.
fn pairs(tried: &[Tried<'_>], differ: &dyn Fn(&Found, &Found) -> bool) -> Share {
    let same = |a: &Order, b: &Order| Order { seed: b.seed, ..a.clone() } == *b;
    Share::count(
        tried.windows(2).filter(|pair| same(pair[0].0, pair[1].0)).map(|pair| differ(pair[0].1, pair[1].1)),
    )
}

/// Whether two runs say different things of any component or resource of either.
fn differ(a: &Found, b: &Found) -> bool {
    let of = |found: &Found, name: &str| {
        let own = found.subjects.iter().find(|(own, _)| own == name);
        own.map_or_else(Subject::absent, |(_, subject)| subject.clone())
    };
    let names = a.subjects.iter().chain(&b.subjects).map(|(name, _)| name);
    names.into_iter().any(|name| difference(&of(a, name), &of(b, name)).is_some())
}

impl Figures {
    /// The smallest leak found in every component of the mixed replay; none when it was not replayed, or missed.
    pub(crate) fn smallest(&self) -> Option<f64> {
        self.mixed
            .iter()
            .map(|(_, smallest)| *smallest)
            .collect::<Option<Vec<f64>>>()?
            .into_iter()
            .reduce(f64::max)
    }
}

fn rows(tried: &[Tried<'_>]) -> Vec<Row> {
    let same = |a: &Tried<'_>, b: &Tried<'_>| Order { seed: b.0.seed, ..a.0.clone() } == *b.0;
    tried
        .chunk_by(same)
        .map(|group| {
            let order = group[0].0;
            let mut verdicts = BTreeMap::new();
            for (_, found) in group {
                *verdicts.entry(found.verdict.clone()).or_default() += 1;
            }
            let ratios: Vec<f64> = group
                .iter()
                .filter(|(_, found)| leaks(found))
                .filter_map(|(_, found)| Some(found.growth.0 / found.truth?))
                .collect();
            Row {
                case: order.case.clone(),
                amount: order.amount().name(),
                faulty: order.faulty,
                verdicts,
                covered: Share::count(group.iter().filter_map(|(_, found)| covers(found))),
                bias: (!ratios.is_empty()).then(|| ratios.iter().sum::<f64>() / ratios.len() as f64),
                naive: by_method(&|at| Share::count(group.iter().map(|(_, found)| found.naive[at]))),
            }
        })
        .collect()
}
