//! Rows of the page's tables.

use heapsoak_record::{Kind, KindCount, Unit};
use heapsoak_verdict::{
    Answer, ClaimJudgement, ComponentJudgement, ComponentVerdict, ResourceJudgement, RunVerdict,
};

use crate::json::values;
use crate::phrases::{self, amount};
use crate::units::{Bytes, Count};
use crate::{Check, CheckOutcome, Footprint};

/// A verdict and the class it is set in.
pub(crate) struct Word {
    pub(crate) word: &'static str,
    pub(crate) tone: &'static str,
}

impl From<RunVerdict> for Word {
    fn from(verdict: RunVerdict) -> Word {
        let tone = match verdict {
            RunVerdict::Leak | RunVerdict::Invalid => "bad",
            RunVerdict::Inconclusive => "warn",
            RunVerdict::Clean => "good",
        };
        Word { word: verdict.word(), tone }
    }
}

impl From<ComponentVerdict> for Word {
    fn from(verdict: ComponentVerdict) -> Word {
        let tone = match verdict {
            ComponentVerdict::Leak => "bad",
            ComponentVerdict::Inconclusive => "warn",
            ComponentVerdict::Bounded | ComponentVerdict::Stable => "",
        };
        Word { word: verdict.word(), tone }
    }
}

pub(crate) struct ComponentRow<'a> {
    pub(crate) name: &'a str,
    pub(crate) verdict: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) growth: String,
    pub(crate) interval: String,
    pub(crate) detects: String,
    pub(crate) start: String,
    pub(crate) end: String,
    pub(crate) peak: String,
    pub(crate) bound: String,
    pub(crate) allocated: String,
    pub(crate) allocations: String,
}

impl<'a> ComponentRow<'a> {
    pub(crate) fn of(component: &'a ComponentJudgement) -> ComponentRow<'a> {
        let Word { word, tone } = component.verdict.into();
        ComponentRow {
            name: &component.name,
            verdict: word,
            tone,
            growth: phrases::estimate(component.growth_bytes_per_1000_requests, Unit::Bytes),
            interval: phrases::interval(component.growth_bytes_per_1000_requests, Unit::Bytes),
            detects: Bytes(component.minimum_detectable_bytes_per_1000_requests).to_string(),
            start: amount(component.live_bytes.start, Unit::Bytes),
            end: amount(component.live_bytes.end, Unit::Bytes),
            peak: amount(component.live_bytes.peak, Unit::Bytes),
            bound: component.bound_bytes.map_or_else(String::new, |bound| amount(bound, Unit::Bytes)),
            allocated: Bytes(component.allocated_bytes_per_request).to_string(),
            allocations: Count(component.allocations_per_request).to_string(),
        }
    }
}

pub(crate) struct ResourceRow<'a> {
    pub(crate) name: &'a str,
    pub(crate) verdict: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) growth: String,
    pub(crate) interval: String,
    pub(crate) detects: String,
    pub(crate) start: String,
    pub(crate) end: String,
    pub(crate) peak: String,
    pub(crate) triggered_by: String,
}

impl<'a> ResourceRow<'a> {
    pub(crate) fn of(resource: &'a ResourceJudgement) -> ResourceRow<'a> {
        let tone = if resource.unit == Unit::Bytes { "dim" } else { Word::from(resource.verdict).tone };
        let value = values(resource);
        let least = resource.minimum_detectable_per_1000_requests;
        ResourceRow {
            name: &resource.name,
            verdict: phrases::resource_verdict(resource),
            tone,
            growth: phrases::estimate(resource.growth_per_1000_requests, resource.unit),
            interval: phrases::interval(resource.growth_per_1000_requests, resource.unit),
            detects: match resource.unit {
                Unit::Bytes => Bytes(least).to_string(),
                Unit::Count => Count(least).to_string(),
            },
            start: amount(value.start, resource.unit),
            end: amount(value.end, resource.unit),
            peak: amount(value.peak, resource.unit),
            triggered_by: phrases::list(&resource.triggered_by),
        }
    }
}

pub(crate) struct MemoryRow {
    pub(crate) name: &'static str,
    pub(crate) bytes: String,
    pub(crate) share: String,
    pub(crate) note: &'static str,
}

impl MemoryRow {
    /// The parts, in their order.
    pub(crate) fn of(footprint: &Footprint) -> impl Iterator<Item = MemoryRow> + '_ {
        footprint.parts.iter().map(|part| MemoryRow {
            name: part.name,
            bytes: part.size(),
            share: part.percent(footprint.resident_bytes),
            note: part.note,
        })
    }
}

pub(crate) struct ClaimRow<'a> {
    pub(crate) component: &'a str,
    pub(crate) says: &'a str,
    pub(crate) claimed: String,
    pub(crate) measured: String,
    pub(crate) answer: &'static str,
    pub(crate) because: String,
}

impl<'a> ClaimRow<'a> {
    pub(crate) fn of(judged: &'a ClaimJudgement) -> ClaimRow<'a> {
        ClaimRow {
            component: &judged.claim.component,
            says: &judged.claim.says,
            claimed: phrases::claimed(judged),
            measured: phrases::measured(judged),
            answer: Answer::word(judged.answer),
            because: phrases::sentence(&judged.because),
        }
    }
}

pub(crate) struct CheckRow<'a> {
    pub(crate) name: &'a str,
    pub(crate) outcome: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) says: &'a str,
}

impl<'a> CheckRow<'a> {
    pub(crate) fn of(check: &'a Check) -> CheckRow<'a> {
        let tone = match check.outcome {
            CheckOutcome::Passed => "good",
            CheckOutcome::Failed => "bad",
            CheckOutcome::Undecided => "warn",
        };
        CheckRow { name: &check.name, outcome: check.outcome.word(), tone, says: &check.says }
    }
}

pub(crate) struct KindRow<'a> {
    pub(crate) name: &'a str,
    pub(crate) weight: String,
    pub(crate) sent: String,
    pub(crate) ok: String,
    pub(crate) expected_errors: String,
    pub(crate) failed: String,
    pub(crate) tone: &'static str,
}

impl<'a> KindRow<'a> {
    pub(crate) fn of(kind: &'a Kind, count: KindCount) -> KindRow<'a> {
        let written = |count: u64| amount(count, Unit::Count);
        KindRow {
            name: &kind.name,
            weight: Count(kind.weight).to_string(),
            sent: written(count.sent),
            ok: written(count.ok),
            expected_errors: written(count.expected_errors),
            failed: written(count.failed),
            tone: if count.failed > 0 { "bad" } else { "" },
        }
    }
}
