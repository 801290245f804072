use heapsoak_record::{Outcome, Unit};
use heapsoak_verdict::{
    ClaimJudgement, ComponentJudgement, Finding, Growth, Judgement, KindJudgement, Live, Quality, Requests,
    ResourceJudgement,
};
use serde::Serialize;

use crate::answer_times::AnswerTimes;
use crate::own_heap::OwnHeap;
use crate::phases::PhaseSummary;
use crate::{Footprint, Forecast, RenderError, Rendered, Renderer, Run, Site};

/// Version of `report.json`; raised when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// JSON Schema of `report.json`.
pub const REPORT_SCHEMA: &str = include_str!("schema/report.schema.json");

/// The report as JSON, for programs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json;

impl Renderer for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn render(&self, run: &Run<'_>) -> Result<Vec<Rendered>, RenderError> {
        let mut contents = serde_json::to_string_pretty(&Document::of(run))?;
        contents.push('\n');
        Ok(vec![Rendered::new("report.json", contents)])
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    tool_version: &'a str,
    verdict: &'static str,
    reasons: &'a [String],
    scenario: &'a str,
    description: &'a str,
    seed: u64,
    target: &'a str,
    as_found: &'a [String],
    started_unix_ms: u64,
    requests: Requests,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_times: Option<AnswerTimes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    own_heap: Option<OwnHeap<'a>>,
    kinds: Vec<KindDocument<'a>>,
    components: Vec<ComponentDocument<'a>>,
    resources: Vec<ResourceDocument<'a>>,
    process_memory: Vec<MemoryDocument<'a>>,
    findings: Vec<FindingDocument<'a>>,
    combined_impact_at_10000_requests_bytes: i64,
    out_of_memory: OutOfMemoryDocument,
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_memory: Option<FootprintDocument>,
    claims: Vec<ClaimDocument<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phases: Vec<PhaseSummary<'a>>,
    wanted_requests: Option<u64>,
    quality: &'a Quality,
    end: Option<&'a Outcome>,
    not_analysed: &'a [String],
}

#[derive(Serialize)]
struct KindDocument<'a> {
    name: &'a str,
    weight: f64,
    sent: u64,
    ok: u64,
    expected_errors: u64,
    failed: u64,
}

#[derive(Serialize)]
struct ComponentDocument<'a> {
    name: &'a str,
    verdict: &'static str,
    growth_bytes_per_1000_requests: Growth,
    minimum_detectable_bytes_per_1000_requests: f64,
    bound_bytes: Option<u64>,
    lifetime_ms: Option<u64>,
    live_bytes: Live,
    allocated_bytes_per_request: f64,
    allocations_per_request: f64,
    kinds: &'a [KindJudgement],
    evidence: &'a [String],
}

#[derive(Serialize)]
struct ResourceDocument<'a> {
    name: &'a str,
    verdict: &'static str,
    growth_per_1000_requests: Growth,
    minimum_detectable_per_1000_requests: f64,
    bound: Option<u64>,
    value: Live,
    triggered_by: &'a [String],
    evidence: &'a [String],
}

/// What the system and the allocator say of the process's memory: shown beside the components, not judged.
#[derive(Serialize)]
struct MemoryDocument<'a> {
    name: &'a str,
    bytes: Live,
    growth_bytes_per_1000_requests: Growth,
}

#[derive(Serialize)]
struct FindingDocument<'a> {
    severity: &'static str,
    component: &'a str,
    pattern: &'static str,
    summary: &'a str,
    growth_bytes_per_1000_requests: Growth,
    growth_bytes_per_1000_triggering_requests: Option<Growth>,
    at_10000_requests_bytes: i64,
    bound_bytes: Option<u64>,
    triggered_by: &'a [String],
    resources: &'a [String],
    /// The line that allocates; null where no stacks were captured, or the build has no debug info.
    site: Option<SiteDocument>,
    evidence: &'a [String],
    action: &'a str,
}

#[derive(Serialize)]
struct SiteDocument {
    function: String,
    file: String,
    line: u32,
    share: f64,
}

/// What the resident memory is made of at the end: the parts add up to it.
#[derive(Serialize)]
struct FootprintDocument {
    resident_bytes: u64,
    parts: Vec<PartDocument>,
}

#[derive(Serialize)]
struct PartDocument {
    name: &'static str,
    bytes: i64,
}

#[derive(Serialize)]
struct OutOfMemoryDocument {
    limit_bytes: u64,
    limit_assumed: bool,
    resident_bytes: u64,
    requests_per_second: f64,
    requests_until: Option<f64>,
    seconds_until: Option<f64>,
}

/// A claim beside what was measured; the same in the summary of several scenarios.
#[derive(Serialize)]
pub(crate) struct ClaimDocument<'a> {
    component: &'a str,
    says: &'a str,
    claimed_bytes_per_1000_requests: u64,
    claimed_unbounded: bool,
    verdict: Option<&'static str>,
    measured_bytes_per_1000_requests: Option<Growth>,
    bound_bytes: Option<u64>,
    answer: &'static str,
    because: &'a str,
}

impl<'a> Document<'a> {
    fn of(run: &Run<'a>) -> Document<'a> {
        let Run { recording, judgement, .. } = *run;
        let header = &recording.header;
        Document {
            schema_version: SCHEMA_VERSION,
            tool_version: &header.tool_version,
            verdict: judgement.verdict.word(),
            reasons: &judgement.reasons,
            scenario: &header.scenario,
            description: &header.description,
            seed: header.seed,
            target: &header.target.name,
            as_found: &header.target.as_found,
            started_unix_ms: header.started_unix_ms,
            requests: judgement.requests,
            answer_times: AnswerTimes::of(run),
            own_heap: OwnHeap::of(run),
            kinds: kinds(run),
            components: judgement.components.iter().map(ComponentDocument::of).collect(),
            resources: resources_in(judgement, Unit::Count).map(ResourceDocument::of).collect(),
            process_memory: resources_in(judgement, Unit::Bytes).map(MemoryDocument::of).collect(),
            findings: judgement.findings.iter().map(|finding| FindingDocument::of(run, finding)).collect(),
            combined_impact_at_10000_requests_bytes: whole(judgement.combined_impact_at_10000_requests_bytes),
            out_of_memory: OutOfMemoryDocument::of(run),
            resident_memory: FootprintDocument::of(run),
            claims: judgement.claims.iter().map(ClaimDocument::of).collect(),
            phases: PhaseSummary::list(recording),
            wanted_requests: judgement.wanted_requests,
            quality: &judgement.quality,
            end: recording.end.as_ref().map(|end| &end.outcome),
            not_analysed: &judgement.not_analysed,
        }
    }
}

fn kinds<'a>(run: &Run<'a>) -> Vec<KindDocument<'a>> {
    let counts = run.recording.snapshots.last().map(|snapshot| snapshot.kinds.as_slice()).unwrap_or_default();
    let kinds = run.recording.header.kinds.iter().enumerate();
    kinds
        .map(|(index, kind)| {
            let count = counts.get(index).copied().unwrap_or_default();
            KindDocument {
                name: &kind.name,
                weight: kind.weight,
                sent: count.sent,
                ok: count.ok,
                expected_errors: count.expected_errors,
                failed: count.failed,
            }
        })
        .collect()
}

impl<'a> ComponentDocument<'a> {
    fn of(component: &'a ComponentJudgement) -> ComponentDocument<'a> {
        ComponentDocument {
            name: &component.name,
            verdict: component.verdict.word(),
            growth_bytes_per_1000_requests: component.growth_bytes_per_1000_requests,
            minimum_detectable_bytes_per_1000_requests: component.minimum_detectable_bytes_per_1000_requests,
            bound_bytes: component.bound_bytes,
            lifetime_ms: component.lifetime_ms,
            live_bytes: component.live_bytes,
            allocated_bytes_per_request: component.allocated_bytes_per_request,
            allocations_per_request: component.allocations_per_request,
            kinds: &component.kinds,
            evidence: &component.evidence,
        }
    }
}

fn resources_in(judgement: &Judgement, unit: Unit) -> impl Iterator<Item = &ResourceJudgement> {
    judgement.resources.iter().filter(move |resource| resource.unit == unit)
}

impl<'a> MemoryDocument<'a> {
    fn of(memory: &'a ResourceJudgement) -> MemoryDocument<'a> {
        MemoryDocument {
            name: &memory.name,
            bytes: values(memory),
            growth_bytes_per_1000_requests: memory.growth_per_1000_requests,
        }
    }
}

impl<'a> ResourceDocument<'a> {
    fn of(resource: &'a ResourceJudgement) -> ResourceDocument<'a> {
        ResourceDocument {
            name: &resource.name,
            verdict: resource.verdict.word(),
            growth_per_1000_requests: resource.growth_per_1000_requests,
            minimum_detectable_per_1000_requests: resource.minimum_detectable_per_1000_requests,
            bound: resource.bound,
            value: values(resource),
            triggered_by: &resource.triggered_by,
            evidence: &resource.evidence,
        }
    }
}

/// First, last and highest value of a resource.
pub(crate) fn values(resource: &ResourceJudgement) -> Live {
    let values = resource.series.iter().map(|point| point.value);
    Live {
        start: values.clone().next().unwrap_or_default(),
        end: values.clone().next_back().unwrap_or_default(),
        peak: values.max().unwrap_or_default(),
    }
}

impl SiteDocument {
    /// A site as the contract has it: with file and line, or none.
    fn of(site: Site) -> Option<SiteDocument> {
        let Site { function, file, line, share, .. } = site;
        Some(SiteDocument { function, file: file?, line: line?, share })
    }
}

impl FootprintDocument {
    fn of(run: &Run<'_>) -> Option<FootprintDocument> {
        let footprint = Footprint::of(run)?;
        let parts = footprint.parts.iter().map(|part| PartDocument { name: part.name, bytes: part.bytes });
        Some(FootprintDocument { resident_bytes: footprint.resident_bytes, parts: parts.collect() })
    }
}

impl<'a> FindingDocument<'a> {
    fn of(run: &Run<'a>, finding: &'a Finding) -> FindingDocument<'a> {
        FindingDocument {
            severity: finding.severity.word(),
            component: &finding.component,
            pattern: finding.pattern.word(),
            summary: &finding.summary,
            growth_bytes_per_1000_requests: finding.growth_bytes_per_1000_requests,
            growth_bytes_per_1000_triggering_requests: finding.growth_bytes_per_1000_triggering_requests,
            at_10000_requests_bytes: whole(finding.at_10000_requests_bytes),
            bound_bytes: finding.bound_bytes,
            triggered_by: &finding.triggered_by,
            resources: &finding.resources,
            site: run.sites(finding).into_iter().next().and_then(SiteDocument::of),
            evidence: &finding.evidence,
            action: &finding.action,
        }
    }
}

impl OutOfMemoryDocument {
    fn of(run: &Run<'_>) -> OutOfMemoryDocument {
        let forecast = Forecast::of(run);
        OutOfMemoryDocument {
            limit_bytes: forecast.limit_bytes,
            limit_assumed: forecast.assumed,
            resident_bytes: forecast.resident_bytes,
            requests_per_second: forecast.requests_per_second,
            requests_until: forecast.requests,
            seconds_until: forecast.seconds,
        }
    }
}

impl<'a> ClaimDocument<'a> {
    pub(crate) fn of(judged: &'a ClaimJudgement) -> ClaimDocument<'a> {
        ClaimDocument {
            component: &judged.claim.component,
            says: &judged.claim.says,
            claimed_bytes_per_1000_requests: judged.claim.bytes_per_1000_requests,
            claimed_unbounded: judged.claim.unbounded,
            verdict: judged.verdict.map(heapsoak_verdict::ComponentVerdict::word),
            measured_bytes_per_1000_requests: judged.measured_bytes_per_1000_requests,
            bound_bytes: judged.bound_bytes,
            answer: judged.answer.word(),
            because: &judged.because,
        }
    }
}

/// Whole bytes.
pub(crate) fn whole(bytes: f64) -> i64 {
    bytes.round() as i64
}
