//! What the page says in words: key figures, facts of a finding, the plan, how the run went.

use heapsoak_record::{Event, Outcome, Unit};
use heapsoak_verdict::{ComponentVerdict, Finding, Growth, Pattern};

use crate::answer_times::AnswerTimes;
use crate::own_heap::OwnHeap;
use crate::phases::PhaseSummary;
use crate::phrases::{self, amount};
use crate::units::{Bytes, Count, Seconds};
use crate::{Forecast, Run};

/// Events listed in the page at most.
const EVENTS: usize = 20;

/// A name, a value and what is to be known about it.
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) note: String,
}

impl Fact {
    fn new(name: &'static str, value: impl Into<String>, note: impl Into<String>) -> Fact {
        Fact { name, value: value.into(), note: note.into() }
    }
}

/// The figures below the verdict.
pub(crate) fn figures(run: &Run<'_>) -> Vec<Fact> {
    let judgement = run.judgement;
    let forecast = Forecast::of(run);
    let lasts = forecast.seconds.map_or_else(|| "no end found".to_owned(), |s| Seconds(s).to_string());
    let limit = Bytes(forecast.limit_bytes as f64);
    let against =
        if forecast.assumed { format!("assumed limit of {limit}") } else { format!("limit of {limit}") };
    let severities = judgement.findings.iter().map(|finding| finding.severity);
    vec![
        Fact::new(
            "Kept after 10,000 requests",
            Bytes(judgement.combined_impact_at_10000_requests_bytes).to_string(),
            "all leaks together",
        ),
        Fact::new(
            "Time to out-of-memory",
            lasts,
            format!("{against}, {} requests per second", Count(forecast.requests_per_second.round())),
        ),
        Fact::new("Findings", judgement.findings.len().to_string(), phrases::severities(severities)),
        Fact::new(
            "Requests",
            amount(judgement.requests.sent, Unit::Count),
            format!("{} cycles, {} components", judgement.quality.cycles, judgement.components.len()),
        ),
    ]
}

/// What is to be known about a finding at one glance.
pub(crate) fn facts(finding: &Finding) -> Vec<Fact> {
    let grows = finding.growth_bytes_per_1000_requests.estimate > 0.0;
    let mut facts = Vec::new();
    let mut rate = |name: &'static str, growth: Growth| {
        let interval = format!("({})", phrases::interval(growth, Unit::Bytes));
        facts.push(Fact::new(name, phrases::estimate(growth, Unit::Bytes), interval));
    };
    if grows {
        rate("Per 1,000 requests of the run", finding.growth_bytes_per_1000_requests);
        if let Some(growth) = finding.growth_bytes_per_1000_triggering_requests {
            rate("Per 1,000 triggering requests", growth);
        }
        facts.push(Fact::new("At 10,000 requests", Bytes(finding.at_10000_requests_bytes).to_string(), ""));
    } else if finding.pattern == Pattern::Churn {
        facts.push(Fact::new("Kept", "nothing", "(all is freed again)"));
    }
    if let Some(bound) = finding.bound_bytes {
        facts.push(Fact::new("Bounded at", amount(bound, Unit::Bytes), ""));
    }
    let triggers = match finding.triggered_by.as_slice() {
        [] => Fact::new("Triggered by", "no request kind", "in the background"),
        kinds => Fact::new("Triggered by", phrases::list(kinds), ""),
    };
    facts.push(triggers);
    if !finding.resources.is_empty() {
        facts.push(Fact::new("Goes with", phrases::list(&finding.resources), ""));
    }
    facts
}

/// What all leaks together cost.
pub(crate) fn impact(run: &Run<'_>) -> String {
    let combined = run.judgement.combined_impact_at_10000_requests_bytes;
    if combined < 1.0 {
        return "No component keeps bytes for good.".to_owned();
    }
    format!("With this run's mix of requests, the leaks keep {} after 10,000 requests.", Bytes(combined))
}

/// What to do, in order of priority.
pub(crate) fn plan(run: &Run<'_>) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    for (index, finding) in run.judgement.findings.iter().enumerate() {
        let step = format!(
            "{} ({}, finding {}): {}",
            finding.component,
            finding.severity.word(),
            index + 1,
            phrases::ended(&finding.action)
        );
        steps.push(step);
    }
    if let Some(more) = run.judgement.wanted_requests {
        steps.push(format!(
            "Run longer: about {} more requests would probably decide what is undecided.",
            Count(more as f64).rounded()
        ));
    }
    if !run.judgement.quality.failures.is_empty() {
        steps.push(format!(
            "Repair the run and repeat it: {}",
            phrases::ended(&run.judgement.quality.failures.join("; "))
        ));
    }
    steps.push(if steps.is_empty() {
        "Nothing to do now. Soak again before the next release.".to_owned()
    } else {
        "Soak again with the same seed and compare.".to_owned()
    });
    steps
}

/// How the run went.
pub(crate) fn run_facts(run: &Run<'_>) -> Vec<Fact> {
    let Run { recording, judgement, .. } = *run;
    let plan = &recording.header.plan;
    let quality = &judgement.quality;
    let quiet = quality.snapshots.saturating_sub(quality.not_quiet);
    let elapsed =
        recording.end.as_ref().map(|end| end.elapsed_ms).or(recording.snapshots.last().map(|s| s.elapsed_ms));
    let mut facts = vec![
        Fact::new("Ended", phrases::outcome(run), ""),
        Fact::new("Took", Seconds(elapsed.unwrap_or_default() as f64 / 1000.0).to_string(), ""),
        Fact::new("Cycles", cycles_done(run), ""),
        Fact::new(
            "Requests",
            format!("{} a cycle, {} at once", amount(plan.requests_per_cycle, Unit::Count), plan.concurrency),
            "",
        ),
        Fact::new("Answered as expected", format!("{} %", percent(quality.landed)), ""),
        Fact::new("Quiet snapshots", format!("{quiet} of {}", quality.snapshots), ""),
        Fact::new("Warm-up", format!("{} requests", amount(quality.warm_up_requests, Unit::Count)), ""),
        Fact::new("Heap adds up", adds_up(run), ""),
    ];
    if let Some(times) = AnswerTimes::of(run) {
        facts.push(Fact::new("Answers", times.sent(), ""));
        facts.extend(times.due().map(|due| Fact::new("Answers", due, "")));
    }
    facts.extend(OwnHeap::of(run).map(|own| Fact::new("The tool's own heap", own.summary(), "")));
    facts.extend(quality.control.as_ref().map(|control| {
        let planted = Bytes(control.planted_bytes_per_1000_requests);
        let found = if control.verdict == ComponentVerdict::Leak { "found" } else { "not found" };
        Fact::new("Positive control", format!("{planted} per 1,000 requests planted, {found}"), "")
    }));
    if let Some(Outcome::TargetDied { stderr, .. }) = recording.end.as_ref().map(|end| &end.outcome)
        && !stderr.is_empty()
    {
        facts.push(Fact::new("Last words of the target", stderr.as_str(), ""));
    }
    facts
}

/// How many cycles were done, and how the recording keeps those of a long run.
fn cycles_done(run: &Run<'_>) -> String {
    let planned = run.recording.header.plan.cycles;
    let cycles = run.judgement.quality.cycles;
    let each = run.recording.cycles_each();
    let done = match run.recording.longest() {
        // Of its last ones there may be too few for a whole one.
        Some(longest) if run.recording.has_restarts() => longest.cycles.min(cycles * each),
        _ => cycles * each,
    };
    match each {
        1 => format!("{done} of {planned} planned"),
        _ => format!("{done} of {planned} planned, kept {each} as one"),
    }
}

/// Whether the contexts' live bytes were the whole process's, to the byte.
fn adds_up(run: &Run<'_>) -> &'static str {
    let counted = run.recording.snapshots.iter().any(|snapshot| snapshot.heap.is_some());
    match (counted, run.judgement.quality.unbalanced) {
        (false, _) => "not counted",
        (true, 0) => "to the byte, at every quiet snapshot",
        (true, _) => "not at every quiet snapshot",
    }
}

/// A share in percent that says 100 only if it is.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if (99.9..100.0).contains(&percent) {
        format!("{:.2}", (percent * 100.0).floor() / 100.0)
    } else {
        Count(percent).to_string()
    }
}

/// What happened between snapshots, the first few; advances of the clock are counted, not listed.
pub(crate) fn events(run: &Run<'_>) -> Vec<String> {
    let mut said = Vec::new();
    let (mut advances, mut advanced_ms) = (0_u64, 0_u64);
    for event in &run.recording.events {
        match event {
            Event::ClockAdvanced { by_ms, .. } => {
                advances += 1;
                advanced_ms += by_ms;
            }
            Event::RequestFailed { cycle, kind, got, expected } => {
                said.push(format!("Cycle {cycle}: {kind} was answered with {got}, expected was {expected}."));
            }
            Event::NotQuiet { cycle, busy } => {
                said.push(format!("Cycle {cycle}: the server did not come to rest ({busy})."));
            }
            Event::Extended { cycle, cycles, why } => {
                said.push(format!("After cycle {cycle}: extended to {cycles} cycles, because {why}."));
            }
            Event::ControlMissing { cycle, why } => {
                said.push(format!("Cycle {cycle}: the control could not be planted: {why}."));
            }
            Event::ClockFaked { library, .. } => {
                said.push(format!("The server took its time from {library}."));
            }
            Event::Restarted { cycle, killed, took_ms, times, .. } => {
                let how = if *killed { "killed" } else { "ended" };
                let took = Seconds(*took_ms as f64 / 1000.0);
                let before = if *times > 1 {
                    format!(" So it was {} more times since the restart before this in the list.", times - 1)
                } else {
                    String::new()
                };
                said.push(format!(
                    "After cycle {cycle}: the server was {how} and started again, in {took}.{before}"
                ));
            }
            Event::Resumed { cycle, gone_ms } => {
                let gone = Seconds(*gone_ms as f64 / 1000.0);
                said.push(format!(
                    "After cycle {cycle}: resumed, after no driver was there for {gone}. Requests sent after that cycle \
                     and before are not counted, what they left is."
                ));
            }
            // Facts of the run, not happenings.
            Event::ControlPlanted { .. }
            | Event::PhaseDone { .. }
            | Event::AnswerTimes { .. }
            | Event::OwnHeap { .. }
            | Event::Folded { .. }
            | Event::Attached { .. } => {}
        }
    }
    if said.len() > EVENTS {
        let more = said.len() - EVENTS;
        said.truncate(EVENTS);
        said.push(format!("… and {more} more, in the recording."));
    }
    if advances > 0 {
        let times = if advances == 1 { "once".to_owned() } else { format!("{advances} times") };
        said.insert(
            0,
            format!(
                "The server's clock was advanced {times}, by {} in all.",
                Seconds(advanced_ms as f64 / 1000.0)
            ),
        );
    }
    let phases = PhaseSummary::list(run.recording);
    said.splice(0..0, phases.iter().map(|phase| format!("Phase {}.", phase.sentence())));
    said
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_share_is_a_hundred_percent_only_when_nothing_is_missing() {
        assert_eq!(percent(1.0), "100");
        assert_eq!(percent(0.99996), "99.99");
        assert_eq!(percent(0.98), "98");
    }
}
