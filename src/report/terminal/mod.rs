//! The report for a terminal of eighty columns.

mod ink;
mod layout;
mod scenarios;

use heapsoak_record::Unit;
use heapsoak_verdict::{ComponentVerdict, Finding};

use crate::answer_times::AnswerTimes;
use crate::json::values;
use crate::own_heap::OwnHeap;
use crate::phases::PhaseSummary;
use crate::units::{Bytes, Count};
use crate::{Forecast, RenderError, Rendered, Renderer, Run, phrases};
pub(crate) use ink::{Ink, finish, tame};
pub(crate) use layout::{paragraph, table};

pub use scenarios::scenario_table;

/// The report as text, in colour when asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal {
    /// Whether to use colour.
    pub colour: bool,
}

impl Renderer for Terminal {
    fn name(&self) -> &'static str {
        "terminal"
    }

    fn render(&self, run: &Run<'_>) -> Result<Vec<Rendered>, RenderError> {
        Ok(vec![Rendered::new("report.txt", self.text(run))])
    }
}

impl Terminal {
    /// The report as text.
    #[must_use]
    pub fn text(&self, run: &Run<'_>) -> String {
        let parts = [
            head(run),
            components(run),
            resources(run),
            findings(run),
            claims(run),
            impact(run),
            not_analysed(run),
            foot(run),
        ];
        let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n");
        finish(&text, self.colour)
    }
}

fn head(run: &Run<'_>) -> String {
    let header = &run.recording.header;
    let title = format!("{} · seed {} · {}", tame(&header.scenario), header.seed, tame(&header.target.name));
    let mut text = paragraph(&title, "", "");
    let verdict = run.judgement.verdict;
    let word = Ink::from(verdict).on(&verdict.word().to_uppercase());
    text.push('\n');
    text.push_str(&paragraph(&format!("{word}  {}", tame(&phrases::headline(run))), "", ""));
    for failure in run.judgement.quality.failures.iter().skip(1) {
        text.push_str(&paragraph(&tame(failure), "  · ", "    "));
    }
    text
}

fn components(run: &Run<'_>) -> String {
    let rows: Vec<Vec<String>> = run
        .judgement
        .components
        .iter()
        .map(|component| {
            vec![
                tame(&component.name),
                Ink::from(component.verdict).on(component.verdict.word()),
                phrases::estimate(component.growth_bytes_per_1000_requests, Unit::Bytes),
                phrases::interval(component.growth_bytes_per_1000_requests, Unit::Bytes),
                Bytes(component.minimum_detectable_bytes_per_1000_requests).to_string(),
                Bytes(component.live_bytes.end as f64).to_string(),
                Bytes(component.allocated_bytes_per_request).to_string(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return "No heap was counted: the target has no probe, or died before the first snapshot.\n"
            .to_owned();
    }
    let head = ["component", "verdict", "per 1,000", "95 % interval", "detects", "alive", "alloc/req"];
    table(&head, &rows, 2..7)
}

fn resources(run: &Run<'_>) -> String {
    let judged = run.judgement.resources.iter().filter(|resource| resource.unit == Unit::Count);
    let (stable, moving): (Vec<_>, Vec<_>) =
        judged.partition(|resource| resource.verdict == ComponentVerdict::Stable);
    let mut text = String::new();
    if !moving.is_empty() {
        let rows: Vec<_> = moving
            .iter()
            .map(|resource| {
                let value = values(resource);
                vec![
                    tame(&resource.name),
                    Ink::from(resource.verdict).on(resource.verdict.word()),
                    phrases::estimate(resource.growth_per_1000_requests, Unit::Count),
                    phrases::interval(resource.growth_per_1000_requests, Unit::Count),
                    Count(value.start as f64).to_string(),
                    Count(value.end as f64).to_string(),
                ]
            })
            .collect();
        text.push_str(&table(
            &["resource", "verdict", "per 1,000", "95 % interval", "start", "end"],
            &rows,
            2..6,
        ));
    }
    if !stable.is_empty() {
        let names: Vec<String> = stable.iter().map(|resource| tame(&resource.name)).collect();
        text.push_str(&paragraph(&format!("stable: {}", names.join(", ")), "", "        "));
    }
    text
}

fn findings(run: &Run<'_>) -> String {
    if run.judgement.findings.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", Ink::Strong.on("Findings"));
    for (number, finding) in run.findings() {
        text.push_str(&one_finding(run, number, finding));
    }
    text
}

fn one_finding(run: &Run<'_>, number: usize, finding: &Finding) -> String {
    let severity = Ink::from(finding.severity).on(finding.severity.word());
    let component = Ink::Strong.on(&tame(&finding.component));
    let mut text = format!("{number:>3}. {severity} · {component} · {}\n", phrases::pattern(finding.pattern));
    text.push_str(&paragraph(&tame(&phrases::ended(&finding.summary)), "     ", "     "));
    let mut facts = Vec::new();
    if finding.growth_bytes_per_1000_requests.estimate > 0.0 {
        facts.push(format!("{} at 10,000 requests.", Bytes(finding.at_10000_requests_bytes)));
    }
    if let Some(bound) = finding.bound_bytes {
        facts.push(format!("Bounded at {}.", Bytes(bound as f64)));
    }
    if !finding.triggered_by.is_empty() {
        facts.push(format!("Triggered by {}.", phrases::list(&finding.triggered_by)));
    }
    if !finding.resources.is_empty() {
        facts.push(format!("Goes with {}.", phrases::list(&finding.resources)));
    }
    if !facts.is_empty() {
        text.push_str(&paragraph(&tame(&facts.join(" ")), "     ", "     "));
    }
    if let Some(site) = run.sites(finding).first() {
        text.push_str(&paragraph(&tame(&phrases::at(site)), "     ", "     "));
    }
    text.push_str(&paragraph(&tame(&finding.action), "     → ", "       "));
    text
}

fn claims(run: &Run<'_>) -> String {
    if run.judgement.claims.is_empty() {
        return String::new();
    }
    let mut text =
        format!("{}\n", Ink::Strong.on("Claimed against measured, per 1,000 requests to the component"));
    let rows = run.judgement.claims.iter().map(|claim| {
        vec![
            tame(&claim.claim.component),
            phrases::claimed(claim),
            phrases::measured(claim),
            Ink::Strong.on(claim.answer.word()),
        ]
    });
    let rows: Vec<_> = rows.collect();
    text.push_str(&table(&["component", "claimed", "measured", "the claim is"], &rows, 0..0));
    text
}

fn impact(run: &Run<'_>) -> String {
    let combined = Bytes(run.judgement.combined_impact_at_10000_requests_bytes);
    let mut text = format!("{} {combined} at 10,000 requests\n", Ink::Strong.on("Combined impact:"));
    text.push_str(&paragraph(&Forecast::of(run).sentence(), "", ""));
    text
}

fn not_analysed(run: &Run<'_>) -> String {
    let mut text = String::new();
    for sentence in &run.judgement.not_analysed {
        text.push_str(&paragraph(&tame(&phrases::sentence(sentence)), "  · ", "    "));
    }
    if text.is_empty() { text } else { format!("{}\n{text}", Ink::Strong.on("Not analysed")) }
}

fn foot(run: &Run<'_>) -> String {
    let requests = run.judgement.requests;
    let went = format!(
        "{} requests: {} ok, {} expected errors, {} failed · {} cycles · {}",
        Count(requests.sent as f64),
        Count(requests.ok as f64),
        Count(requests.expected_errors as f64),
        Count(requests.failed as f64),
        run.judgement.quality.cycles,
        phrases::outcome(run),
    );
    let times = AnswerTimes::of(run).map_or_else(String::new, |times| {
        let due = times.due().map_or_else(String::new, |due| format!("; {due}"));
        paragraph(&tame(&format!("answers: {}{due}", times.sent())), "", "  ")
    });
    let own = OwnHeap::of(run).filter(OwnHeap::grows).map_or_else(String::new, |own| {
        paragraph(&tame(&format!("heapsoak's own heap {}: please report it", own.summary())), "", "  ")
    });
    let again = format!("again with: {}", phrases::reproduce(run));
    let phases: String = PhaseSummary::list(run.recording)
        .iter()
        .map(|phase| paragraph(&tame(&format!("phase {}", phase.sentence())), "", "  "))
        .collect();
    let text =
        paragraph(&tame(&went), "", "  ") + &phases + &times + &own + &paragraph(&tame(&again), "", "  ");
    text.lines().map(|line| format!("{}\n", Ink::Quiet.on(line))).collect()
}
