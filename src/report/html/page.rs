//! The page, ready to be filled in.

use askama::Template;
use heapsoak_record::Unit;
use heapsoak_verdict::ComponentVerdict;

use super::rows::{CheckRow, ClaimRow, ComponentRow, KindRow, MemoryRow, ResourceRow, Word};
use super::site::SiteView;
use super::story::{self, Fact};
use crate::charts::{Album, STYLE};
use crate::units::Bytes;
use crate::{Footprint, Forecast, Run, date, phrases};

/// Sites shown per finding at most.
const SITES: usize = 3;

#[derive(Template)]
#[template(path = "report.html")]
pub(crate) struct Page<'a> {
    tool_version: &'a str,
    chart_style: &'static str,
    scenario: &'a str,
    description: &'a str,
    target: &'a str,
    date: String,
    verdict: Word,
    headline: String,
    reasons: &'a [String],
    figures: Vec<Fact>,
    checks: Vec<CheckRow<'a>>,
    findings: Vec<FindingView<'a>>,
    impact: String,
    forecast: String,
    components: Vec<ComponentRow<'a>>,
    component_charts: Vec<&'a str>,
    memory: Vec<MemoryRow>,
    resident: String,
    resources: Vec<ResourceRow<'a>>,
    resource_charts: Vec<&'a str>,
    claims: Vec<ClaimRow<'a>>,
    plan: Vec<String>,
    not_analysed: Vec<String>,
    reproduce: String,
    as_found: String,
    run: Vec<Fact>,
    kinds: Vec<KindRow<'a>>,
    events: Vec<String>,
}

struct FindingView<'a> {
    severity: &'static str,
    component: &'a str,
    pattern: &'static str,
    summary: String,
    facts: Vec<Fact>,
    charts: Vec<&'a str>,
    evidence: Vec<String>,
    action: String,
    sites: Vec<SiteView>,
}

impl<'a> Page<'a> {
    pub(crate) fn of(run: &Run<'a>, album: &'a Album) -> Page<'a> {
        let Run { recording, judgement, .. } = *run;
        let header = &recording.header;
        let counts = recording.snapshots.last().map(|snapshot| snapshot.kinds.as_slice()).unwrap_or_default();
        let kinds = header.kinds.iter().enumerate();
        let footprint = Footprint::of(run);
        let drawings = album.growth.iter().chain(&album.survivors);
        Page {
            tool_version: &header.tool_version,
            chart_style: STYLE,
            scenario: &header.scenario,
            description: &header.description,
            target: &header.target.name,
            date: date::utc(header.started_unix_ms),
            verdict: judgement.verdict.into(),
            headline: phrases::glued(&phrases::headline(run)),
            reasons: &judgement.reasons,
            figures: story::figures(run),
            checks: run.checks.iter().map(CheckRow::of).collect(),
            findings: findings(run, album),
            impact: phrases::glued(&story::impact(run)),
            forecast: phrases::glued(&Forecast::of(run).sentence()),
            components: judgement.components.iter().map(ComponentRow::of).collect(),
            component_charts: drawings.map(|chart| chart.svg.as_str()).collect(),
            resident: footprint
                .as_ref()
                .map_or_else(String::new, |one| Bytes(one.resident_bytes as f64).to_string()),
            memory: footprint.iter().flat_map(MemoryRow::of).collect(),
            resources: judgement.resources.iter().map(ResourceRow::of).collect(),
            resource_charts: resource_charts(run, album),
            claims: judgement.claims.iter().map(ClaimRow::of).collect(),
            plan: story::plan(run),
            not_analysed: judgement.not_analysed.iter().map(|text| phrases::sentence(text)).collect(),
            reproduce: phrases::reproduce(run),
            as_found: phrases::list(&header.target.as_found),
            run: story::run_facts(run),
            kinds: kinds
                .map(|(index, kind)| KindRow::of(kind, counts.get(index).copied().unwrap_or_default()))
                .collect(),
            events: story::events(run),
        }
    }
}

fn findings<'a>(run: &Run<'a>, album: &'a Album) -> Vec<FindingView<'a>> {
    let findings = run.judgement.findings.iter().zip(&album.findings);
    findings
        .map(|(finding, charts)| FindingView {
            sites: run.sites(finding).iter().take(SITES).map(|site| SiteView::of(site, run.root)).collect(),
            severity: finding.severity.word(),
            component: &finding.component,
            pattern: phrases::pattern(finding.pattern),
            summary: phrases::glued(&phrases::ended(&finding.summary)),
            facts: story::facts(finding),
            charts: charts.iter().map(|chart| chart.svg.as_str()).collect(),
            evidence: finding.evidence.iter().map(|text| phrases::glued(text)).collect(),
            action: phrases::ended(&finding.action),
        })
        .collect()
}

/// Resources worth a picture: those that moved, and the resident size.
fn resource_charts<'a>(run: &Run<'a>, album: &'a Album) -> Vec<&'a str> {
    let judged = run.judgement.resources.iter().zip(&album.resources);
    judged
        .filter(|(resource, _)| {
            let moved = resource.unit == Unit::Count && resource.verdict != ComponentVerdict::Stable;
            moved || resource.name == "rss"
        })
        .map(|(_, chart)| chart.svg.as_str())
        .collect()
}
