//! A component's memory narrowed down to the request kinds that trigger a finding.

use heapsoak_record::{Cohort, ContextHeap, Moment, Snapshot, Unit};
use heapsoak_verdict::{CohortSurvivors, ComponentJudgement, Finding};

use super::plot::Plot;
use super::{churn, growth, survivors};
use crate::Run;

/// Where a finding looks: a component, and the request kinds that trigger it.
pub(crate) struct Focus<'a> {
    run: &'a Run<'a>,
    finding: &'a Finding,
    component: Option<&'a ComponentJudgement>,
}

impl<'a> Focus<'a> {
    pub(crate) fn on(run: &'a Run<'a>, finding: &'a Finding) -> Focus<'a> {
        Focus { run, finding, component: run.judgement.component(&finding.component) }
    }

    /// Live bytes over requests; none without heap counts.
    pub(crate) fn live(&self) -> Option<Plot> {
        let points: Vec<(f64, f64, bool)> = self
            .run
            .recording
            .longest_stretch()
            .iter()
            .filter_map(|snapshot| {
                let live: u64 = self.contexts(snapshot)?.map(ContextHeap::live_bytes).sum();
                let after_advance = snapshot.moment == Moment::AfterAdvance;
                Some((snapshot.requests as f64, live as f64, after_advance))
            })
            .collect();
        if points.iter().all(|(_, live, _)| *live == 0.0) {
            return None;
        }
        let per_request = self.finding.growth_bytes_per_1000_requests.estimate / 1000.0;
        let mut marks = growth::lines(points, per_request > 0.0);
        if per_request > 0.0 {
            let begin = self.run.recording.longest_stretch().first();
            let begin =
                begin.filter(|first| first.moment == Moment::Baseline).map_or(0, |first| first.requests);
            let warm_up = (begin + self.run.judgement.quality.warm_up_requests) as f64;
            marks.extend(growth::trend(&marks, per_request, warm_up));
        }
        Some(Plot { title: self.title(), shows: "live bytes", across: "requests", unit: Unit::Bytes, marks })
    }

    /// What is alive of each cohort at the end; none without heap counts.
    pub(crate) fn survivors(&self) -> Option<Plot> {
        let component = self.component?;
        let last = self.last()?;
        let mut cohorts: Vec<CohortSurvivors> = component.survivors.clone();
        for cohort in &mut cohorts {
            let cells = self.contexts(last)?.flat_map(|context| &context.survivors);
            let cells = cells.filter(|cell| cell.cohort == Cohort(cohort.cohort));
            (cohort.live_bytes, cohort.live_blocks) = cells
                .fold((0, 0), |(bytes, blocks), cell| (bytes + cell.live_bytes, blocks + cell.live_blocks));
        }
        let shown = cohorts.iter().any(|cohort| cohort.cohort > 0 && cohort.live_bytes > 0);
        shown.then(|| survivors::plot(&self.title(), &cohorts))
    }

    /// Bytes allocated per request of the kinds in each cycle; none without heap counts.
    pub(crate) fn churn(&self) -> Option<Plot> {
        let ends = self
            .run
            .recording
            .longest_stretch()
            .iter()
            .filter(|snapshot| snapshot.moment != Moment::AfterAdvance);
        let totals: Vec<(u64, u64, u64)> = ends
            .filter_map(|snapshot| {
                let allocated = self.contexts(snapshot)?.map(|context| context.allocated_bytes).sum();
                Some((snapshot.requests, self.requests(snapshot), allocated))
            })
            .collect();
        let points: Vec<(f64, f64)> = totals
            .windows(2)
            .filter(|pair| pair[1].1 > pair[0].1)
            .map(|pair| {
                let bytes = pair[1].2.saturating_sub(pair[0].2) as f64;
                (pair[1].0 as f64, bytes / (pair[1].1 - pair[0].1) as f64)
            })
            .collect();
        (!points.is_empty()).then(|| churn::plot(&self.title(), points))
    }

    /// The last quiet point: when the clock is advanced at all, one after an advance.
    fn last(&self) -> Option<&'a Snapshot> {
        let snapshots = self.run.recording.longest_stretch();
        let advanced = snapshots.iter().rfind(|snapshot| snapshot.moment == Moment::AfterAdvance);
        advanced.or(snapshots.last())
    }

    /// Contexts of the component and the kinds; all of the component's when no kind triggers the finding.
    fn contexts(&self, snapshot: &'a Snapshot) -> Option<impl Iterator<Item = &'a ContextHeap>> {
        let heap = snapshot.heap.as_ref()?;
        let Finding { component, triggered_by, .. } = self.finding;
        Some(heap.contexts.iter().filter(move |context| {
            context.component() == component
                && (triggered_by.is_empty()
                    || context.kind.as_ref().is_some_and(|kind| triggered_by.contains(kind)))
        }))
    }

    /// Requests of the kinds so far; all requests when no kind triggers the finding.
    fn requests(&self, snapshot: &Snapshot) -> u64 {
        if self.finding.triggered_by.is_empty() {
            return snapshot.requests;
        }
        let kinds = self.run.recording.header.kinds.iter().zip(&snapshot.kinds);
        kinds
            .filter(|(kind, _)| self.finding.triggered_by.contains(&kind.name))
            .map(|(_, count)| count.sent)
            .sum()
    }

    /// The component and the kinds; a kind that has the component in its name says both.
    fn title(&self) -> String {
        let component = &self.finding.component;
        let kinds = match self.finding.triggered_by.as_slice() {
            [] => return component.clone(),
            [only] => only.clone(),
            [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        };
        if kinds.starts_with(&format!("{component}.")) { kinds } else { format!("{component} for {kinds}") }
    }
}
