//! Sites of two runs side by side.

use std::path::Path;

use heapsoak_record::Stacks;
use heapsoak_symbols::{Series, counted_requests, pass, series};
use heapsoak_verdict::Growth;
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{Comparison, difference, leaks};
use crate::Run;

/// Sites of less than this share of their component's growth, in both runs, are left out.
const SMALL: f64 = 0.02;

/// Sites that are shown of a component at most.
const MOST: usize = 8;

/// What no sample was taken of is, 19 times in 20, less than so many intervals between samples.
const UNSEEN_INTERVALS: f64 = 3.0;

/// Half of a 95 % interval, in standard errors.
const NORMAL: f64 = 1.96;

/// A function that allocates, in both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SiteRow {
    /// The component it allocates for.
    pub component: String,
    /// The function, with its module path.
    pub function: String,
    /// The source file, as the later run names it, or the earlier one where it is gone; none without debug info.
    pub file: Option<String>,
    /// The line that has most of it.
    pub line: Option<u32>,
    /// Its growth per 1,000 requests in the earlier run; none when no stacks were captured there.
    pub before: Option<Growth>,
    /// The same in the later run.
    pub after: Option<Growth>,
    /// The later growth less the earlier one; none when one of them is not known.
    pub difference: Option<Growth>,
}

impl SiteRow {
    /// `file:line`, as much of it as is known.
    #[must_use]
    pub fn place(&self) -> String {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (Some(file), None) => file.clone(),
            _ => String::new(),
        }
    }
}

impl Comparison<'_> {
    /// The functions that allocate for the components that leak in either run, component by component as in
    /// [`components`](Comparison::components); of each what changed most first.
    #[must_use]
    pub fn sites(&self) -> Vec<SiteRow> {
        let leaking = self.components().into_iter();
        leaking
            .filter(|row| leaks(row.before.as_ref()) || leaks(row.after.as_ref()))
            .flat_map(|row| self.sites_of(&row.name))
            .collect()
    }

    fn sites_of(&self, component: &str) -> Vec<SiteRow> {
        let (before, after) = (Sites::of(&self.before, component), Sites::of(&self.after, component));
        let mut functions: Vec<&str> = [&before, &after]
            .into_iter()
            .flatten()
            .flat_map(|sites| sites.series.iter().map(|one| one.function.as_str()))
            .collect();
        functions.sort_unstable();
        functions.dedup();
        let mut rows: Vec<SiteRow> = functions
            .into_iter()
            .map(|function| {
                let found = |sites: &Option<Sites<'_>>| Some(sites.as_ref()?.growth(function));
                let place = |sites: &Option<Sites<'_>>| sites.as_ref()?.place(function);
                let (growth_before, growth_after) = (found(&before), found(&after));
                let (file, line) = place(&after).or_else(|| place(&before)).unwrap_or_default();
                SiteRow {
                    component: component.to_owned(),
                    function: function.to_owned(),
                    file,
                    line,
                    before: growth_before,
                    after: growth_after,
                    difference: growth_before
                        .zip(growth_after)
                        .map(|(before, after)| difference(after, before)),
                }
            })
            .collect();
        let size = |growth: Option<Growth>| growth.map_or(0.0, |growth| growth.estimate.abs());
        let most = |row: &SiteRow| size(row.before).max(size(row.after));
        let all: f64 = rows.iter().map(most).sum();
        rows.retain(|row| most(row) > SMALL * all);
        let weight = |row: &SiteRow| row.difference.map_or_else(|| most(row), |change| change.estimate.abs());
        rows.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| a.function.cmp(&b.function)));
        rows.truncate(MOST);
        rows
    }
}

/// The sites of a component in one run.
struct Sites<'a> {
    stacks: &'a Stacks,
    series: Vec<Series>,
    root: Option<&'a Path>,
}

impl<'a> Sites<'a> {
    /// None when no stacks were captured, or at too few quiet points.
    fn of(run: &Run<'a>, component: &str) -> Option<Sites<'a>> {
        let stacks = pass(run.recording, component).filter(|stacks| stacks.marks.len() > 1)?;
        Some(Sites { stacks, series: series(stacks, component), root: run.root })
    }

    fn find(&self, function: &str) -> Option<&Series> {
        self.series.iter().find(|one| one.function == function)
    }

    fn place(&self, function: &str) -> Option<(Option<String>, Option<u32>)> {
        let found = self.find(function)?;
        let below = |file: &String| {
            let inner = self.root.and_then(|root| Path::new(file).strip_prefix(root).ok());
            inner.map_or_else(|| file.clone(), |inner| inner.to_string_lossy().into_owned())
        };
        Some((found.file.as_ref().map(below), found.line))
    }

    /// Growth of a function per 1,000 requests. Where every allocation was captured, one that is not there grew by
    /// nothing; where a sample was, the interval is no narrower than what the sample leaves open.
    fn growth(&self, function: &str) -> Growth {
        let found = self.find(function).map_or_else(Growth::default, |one| growth(&one.held));
        let sampled = self.stacks.captured.iter().find(|rule| rule.component.is_none());
        let interval =
            sampled.filter(|_| self.stacks.zoom.is_none()).and_then(|rule| rule.rate.interval_bytes());
        let Some(interval) = interval.map(|bytes| bytes as f64) else { return found };
        let per_1000 = 1000.0 / (counted_requests(self.stacks) as f64).max(1.0);
        // So many samples as fit in, and their square root for the standard error.
        let reach = NORMAL * (found.estimate.abs() * interval * per_1000).sqrt();
        let unseen = UNSEEN_INTERVALS * interval * per_1000;
        Growth {
            low: found.low.min(found.estimate - reach),
            high: found.high.max(found.estimate + reach.max(unseen)),
            ..found
        }
    }
}

/// Growth per 1,000 requests from mark to mark, with the 95 % interval of a ratio of sums: what one stretch of requests
/// adds is independent of what another does, and scatters in proportion to its length.
fn growth(held: &[(u64, u64)]) -> Growth {
    let steps: Vec<(f64, f64)> = held
        .windows(2)
        .map(|pair| (pair[1].0.saturating_sub(pair[0].0) as f64, pair[1].1 as f64 - pair[0].1 as f64))
        .filter(|(requests, _)| *requests > 0.0)
        .collect();
    let requests: f64 = steps.iter().map(|step| step.0).sum();
    if steps.is_empty() {
        return Growth { estimate: 0.0, low: f64::NEG_INFINITY, high: f64::INFINITY };
    }
    let rate = steps.iter().map(|step| step.1).sum::<f64>() / requests;
    let freedom = steps.len() - 1;
    let reach = if freedom == 0 {
        f64::INFINITY
    } else {
        let scatter: f64 =
            steps.iter().map(|(requests, bytes)| (bytes - rate * requests).powi(2) / requests).sum();
        let student = StudentsT::new(0.0, 1.0, freedom as f64).expect("there is one degree of freedom");
        student.inverse_cdf(0.975) * (scatter / freedom as f64 / requests).sqrt()
    };
    Growth { estimate: 1000.0 * rate, low: 1000.0 * (rate - reach), high: 1000.0 * (rate + reach) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_equal_growth_leave_no_doubt_and_uneven_ones_do() {
        let even = growth(&[(100, 1_000), (200, 2_000), (400, 4_000)]);
        assert!((even.estimate - 10_000.0).abs() < 1e-6 && (even.high - even.low) < 1e-6, "{even:?}");
        let uneven = growth(&[(100, 1_000), (200, 1_500), (300, 3_000)]);
        assert!((uneven.estimate - 10_000.0).abs() < 1e-6);
        assert!(uneven.low < 0.0 && uneven.high > 20_000.0, "two steps say little: {uneven:?}");
        assert!(growth(&[(100, 0), (200, 50)]).high.is_infinite(), "one step says nothing of its scatter");
    }

    /// Blocks of 1,000 bytes that come at random, about one in ten requests.
    #[test]
    fn the_interval_covers_the_truth_about_nineteen_times_in_twenty() {
        let mut state = 7_u64;
        let mut unit = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut covered = 0;
        for _ in 0..1_000 {
            let mut held = vec![(0, 0)];
            for step in 1..7_u64 {
                let before = held[held.len() - 1].1;
                let blocks = (0..400).filter(|_| unit() < 0.1).count() as u64;
                held.push((400 * step, before + 1_000 * blocks));
            }
            let found = growth(&held);
            covered += u32::from(found.low <= 100_000.0 && 100_000.0 <= found.high);
        }
        assert!((925..=975).contains(&covered), "{covered} of 1,000");
    }
}
