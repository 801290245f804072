//! Sites of two runs side by side.

use std::path::Path;

use heapsoak_record::Stacks;
use heapsoak_symbols::{Rate, Series, below, counted_requests, pass, place, series};
use heapsoak_verdict::{ComponentVerdict, Growth};
use serde::Serialize;

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
        place(self.file.as_deref(), self.line)
    }
}

impl Comparison<'_> {
    /// The functions that allocate for the components that leak in either run, component by component as in
    /// [`components`](Comparison::components); of each what surely changed most first.
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
        // What comes and goes, and by chance was higher at the end, is left out where anything grew for sure.
        let surely =
            |growth: Option<Growth>| growth.map_or(0.0, |growth| growth.low.max(-growth.high).max(0.0));
        let grows = |row: &SiteRow| surely(row.before) > 0.0 || surely(row.after) > 0.0;
        if rows.iter().any(grows) {
            rows.retain(grows);
        }
        rows.sort_by(|a, b| {
            let by = |weight: &dyn Fn(&SiteRow) -> f64| weight(b).total_cmp(&weight(a));
            let change = by(&|row| surely(row.difference)).then_with(|| by(&|row| size(row.difference)));
            change.then_with(|| by(&most)).then_with(|| a.function.cmp(&b.function))
        });
        rows.truncate(MOST);
        rows
    }
}

/// The sites of a component in one run.
struct Sites<'a> {
    stacks: &'a Stacks,
    series: Vec<Series>,
    root: Option<&'a Path>,
    /// What the component as a whole, which is counted exactly, can have grown by at most; none when it leaks.
    most: Option<f64>,
}

impl<'a> Sites<'a> {
    /// None when no stacks were captured, or at too few quiet points.
    fn of(run: &Run<'a>, component: &str) -> Option<Sites<'a>> {
        let stacks = pass(run.recording, component).filter(|stacks| stacks.marks.len() > 1)?;
        let whole = run.judgement.component(component);
        let most = whole.filter(|whole| whole.verdict != ComponentVerdict::Leak).map(|whole| {
            let seen = whole.growth_bytes_per_1000_requests.high;
            seen.max(whole.minimum_detectable_bytes_per_1000_requests)
        });
        Some(Sites { stacks, series: series(stacks, component), root: run.root, most })
    }

    fn find(&self, function: &str) -> Option<&Series> {
        self.series.iter().find(|one| one.function == function)
    }

    fn place(&self, function: &str) -> Option<(Option<String>, Option<u32>)> {
        let found = self.find(function)?;
        Some((found.file.as_deref().map(|file| below(self.root, file)), found.line))
    }

    /// Growth of a function per 1,000 requests. Where every allocation was captured, one that is not there grew by
    /// nothing; where a sample was, the interval is no narrower than what the sample leaves open, which is no more than what
    /// the component as a whole can have grown by.
    fn growth(&self, function: &str) -> Growth {
        let found = self.find(function).map_or_else(Growth::default, growth);
        let sampled = self.stacks.captured.iter().find(|rule| rule.component.is_none());
        let interval =
            sampled.filter(|_| self.stacks.zoom.is_none()).and_then(|rule| rule.rate.interval_bytes());
        let Some(interval) = interval.map(|bytes| bytes as f64) else { return found };
        let per_1000 = 1000.0 / (counted_requests(self.stacks) as f64).max(1.0);
        // So many samples as fit in, and their square root for the standard error.
        let reach = NORMAL * (found.estimate.abs() * interval * per_1000).sqrt();
        let unseen = (UNSEEN_INTERVALS * interval * per_1000).min(self.most.unwrap_or(f64::INFINITY));
        Growth {
            low: found.low.min(found.estimate - reach),
            high: found.high.max(found.estimate + reach.max(unseen)),
            ..found
        }
    }
}

fn growth(series: &Series) -> Growth {
    let Rate { per_request, reach } = Rate::of(&series.held);
    Growth {
        estimate: 1000.0 * per_request,
        low: 1000.0 * (per_request - reach),
        high: 1000.0 * (per_request + reach),
    }
}
