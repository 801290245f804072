//! The words of a report: the same in every format that people read.

use heapsoak_record::{Outcome, Unit};
use heapsoak_verdict::{
    ClaimJudgement, ComponentVerdict, Finding, Growth, Judgement, Pattern, ResourceJudgement, RunVerdict,
    Severity,
};

use crate::units::{Bytes, Count, signed};
use crate::{Forecast, Run, Site};

/// The memory that was judged where no heap was counted: what a garbage collector left, or else the process's own.
fn from_outside(judgement: &Judgement) -> Option<&ResourceJudgement> {
    let named = |start: &str| {
        judgement.resources.iter().find(|one| one.unit == Unit::Bytes && one.name.starts_with(start))
    };
    named("heap.").or_else(|| named("private")).or_else(|| named("rss"))
}

/// The answer of a run as one or two sentences.
pub(crate) fn headline(run: &Run<'_>) -> String {
    let judgement = run.judgement;
    match judgement.verdict {
        RunVerdict::Leak => leak_headline(judgement, &Forecast::of(run)),
        RunVerdict::Clean if judgement.components.is_empty() => match from_outside(judgement) {
            Some(seen) => format!(
                "No leak found, seen from outside. Growth of {} or more per 1,000 requests would have been seen in {}.",
                Bytes(seen.minimum_detectable_per_1000_requests),
                seen.name
            ),
            None => "No leak found, seen from outside.".to_owned(),
        },
        RunVerdict::Clean => {
            let limit = judgement
                .components
                .iter()
                .map(|component| component.minimum_detectable_bytes_per_1000_requests)
                .filter(|limit| limit.is_finite())
                .fold(0.0, f64::max);
            format!(
                "No leak found. Growth of {} or more per 1,000 requests would have been seen in every component.",
                Bytes(limit)
            )
        }
        RunVerdict::Inconclusive => match judgement.wanted_requests {
            Some(more) => {
                format!(
                    "Undecided: the run was too short. About {} more requests would probably decide it.",
                    Count(more as f64).rounded()
                )
            }
            None => "Undecided: the run was too short to tell a leak from a healthy server.".to_owned(),
        },
        RunVerdict::Invalid => {
            let why = judgement.quality.failures.first().or(judgement.reasons.first());
            match why {
                Some(why) => format!("This run can't carry a verdict: {}", ended(why)),
                None => "This run can't carry a verdict.".to_owned(),
            }
        }
    }
}

fn leak_headline(judgement: &Judgement, forecast: &Forecast) -> String {
    let leaking = leaking(judgement);
    let impact = judgement.combined_impact_at_10000_requests_bytes;
    let who = if leaking.is_empty() { "The server".to_owned() } else { list(&leaking) };
    let verb = if leaking.len() > 1 { "keep" } else { "keeps" };
    if impact < 1.0 {
        return format!("{who} {verb} growing: not in bytes, but in what the system lends to a process.");
    }
    let cost = format!("{who} {verb} growing: {} after 10,000 requests", Bytes(impact));
    match forecast.seconds {
        Some(seconds) => {
            format!("{cost}, out of memory after {} at this run's rate.", crate::Seconds(seconds))
        }
        None => format!("{cost}."),
    }
}

/// Names of what leaks: components first, resources if no component does.
fn leaking(judgement: &Judgement) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for finding in judgement.findings.iter().filter(|finding| keeps_growing(finding)) {
        if !names.contains(&finding.component.as_str()) {
            names.push(&finding.component);
        }
    }
    if names.is_empty() {
        let resources = judgement.resources.iter();
        names = resources.filter(|r| r.verdict == ComponentVerdict::Leak).map(|r| r.name.as_str()).collect();
    }
    names
}

/// Whether a finding is a leak, of bytes or of a resource.
pub(crate) fn keeps_growing(finding: &Finding) -> bool {
    finding.growth_bytes_per_1000_requests.estimate > 0.0 || !finding.resources.is_empty()
}

/// A sentence with its full stop.
pub(crate) fn ended(sentence: &str) -> String {
    let sentence = sentence.trim_end();
    if sentence.ends_with(['.', '!', '?', '…']) { sentence.to_owned() } else { format!("{sentence}.") }
}

/// A sentence with its capital letter and its full stop; not for one that begins with the name of a component.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.trim_start().chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    ended(&format!("{first}{}", letters.as_str()))
}

/// Ties numbers to their units by blanks at which no line is broken.
pub(crate) fn glued(text: &str) -> String {
    const UNITS: [&str; 15] = [
        "B", "KiB", "MiB", "GiB", "TiB", "PiB", "ms", "s", "min", "h", "days", "years", "%", "minutes",
        "seconds",
    ];
    let mut tied = String::with_capacity(text.len());
    for word in text.split(' ') {
        let unit = word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '%');
        let after_number = tied.ends_with(|c: char| c.is_ascii_digit());
        if !tied.is_empty() {
            tied.push(if after_number && UNITS.contains(&unit) { '\u{A0}' } else { ' ' });
        }
        tied.push_str(word);
    }
    tied
}

/// What a resource does, in a word: sizes in bytes are shown for orientation and not judged.
pub(crate) fn resource_verdict(resource: &ResourceJudgement) -> &'static str {
    match resource.unit {
        Unit::Bytes => "not judged",
        Unit::Count => resource.verdict.word(),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list<S: AsRef<str>>(names: &[S]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// An interval without its estimate: `440 to 452 KiB`, `900 B to 1.1 KiB`.
pub(crate) fn interval(growth: Growth, unit: Unit) -> String {
    if !growth.low.is_finite() || !growth.high.is_finite() {
        return "interval unknown".to_owned();
    }
    let (low, high) = match unit {
        Unit::Bytes => (Bytes(growth.low).to_string(), Bytes(growth.high).to_string()),
        Unit::Count => (Count(growth.low).to_string(), Count(growth.high).to_string()),
    };
    match (low.split_once(' '), high.split_once(' ')) {
        (Some((number, same)), Some((_, unit))) if same == unit => format!("{number} to {high}"),
        _ => format!("{low} to {high}"),
    }
}

/// An estimate with a plus when it is one.
pub(crate) fn estimate(growth: Growth, unit: Unit) -> String {
    match unit {
        Unit::Bytes => signed(growth.estimate),
        Unit::Count => {
            let text = Count(growth.estimate).to_string();
            if growth.estimate > 0.0 && text != "0" { format!("+{text}") } else { text }
        }
    }
}

/// A growth in words: its estimate and its interval, as every format writes them.
#[must_use]
pub fn format_growth(growth: Growth, unit: Unit) -> (String, String) {
    (estimate(growth, unit), interval(growth, unit))
}

/// A value of a resource.
pub(crate) fn amount(value: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => Bytes(value as f64).to_string(),
        Unit::Count => Count(value as f64).to_string(),
    }
}

/// The pattern as a title.
pub(crate) fn pattern(pattern: Pattern) -> &'static str {
    match pattern {
        Pattern::UnboundedGrowth => "unbounded growth",
        Pattern::CleanupGap => "cleanup gap on an error path",
        Pattern::ResourceLifecycle => "resource lifecycle",
        Pattern::Churn => "churn",
        Pattern::TimeDriven => "time-driven",
    }
}

/// The pattern in a sentence, for those who meet it for the first time.
pub(crate) fn pattern_explained(pattern: Pattern) -> &'static str {
    match pattern {
        Pattern::UnboundedGrowth => "A container only grows: nothing that is put in is ever taken out.",
        Pattern::CleanupGap => "Memory that the ordinary paths free is kept by an error path.",
        Pattern::ResourceLifecycle => {
            "Descriptors, processes, threads or tasks are never released, and keep memory with them."
        }
        Pattern::Churn => {
            "Memory is allocated and freed again, out of proportion to the work: it costs time, not space."
        }
        Pattern::TimeDriven => "Memory is freed, or grows, by the clock and not by requests.",
    }
}

/// Where it is allocated: `Allocated in session::keep, src/session.rs:12 (97 %).`
pub(crate) fn at(site: &Site) -> String {
    let place = if site.place().is_empty() { "no debug info".to_owned() } else { site.place() };
    format!("Allocated in {}, {place} ({:.0} %).", site.function, (site.share * 100.0).floor())
}

/// What was claimed of a component.
pub(crate) fn claimed(judged: &ClaimJudgement) -> String {
    let bytes = Bytes(judged.claim.bytes_per_1000_requests as f64);
    if judged.claim.unbounded { format!("{bytes}, unbounded") } else { bytes.to_string() }
}

/// What was measured of it.
pub(crate) fn measured(judged: &ClaimJudgement) -> String {
    let Some(growth) = judged.measured_bytes_per_1000_requests else {
        return "not in this run".to_owned();
    };
    match (judged.verdict, judged.bound_bytes) {
        (Some(ComponentVerdict::Bounded), Some(bound)) => format!("bounded at {}", Bytes(bound as f64)),
        (Some(ComponentVerdict::Leak), _) => format!("{}, unbounded", Bytes(growth.estimate)),
        (Some(ComponentVerdict::Stable), _) => "no growth".to_owned(),
        (Some(verdict), _) => format!("{}, {}", Bytes(growth.estimate), verdict.word()),
        (None, _) => Bytes(growth.estimate).to_string(),
    }
}

/// Counts by severity, worst first: `2 critical, 1 medium`.
pub(crate) fn severities(severities: impl Iterator<Item = Severity>) -> String {
    let severities: Vec<Severity> = severities.collect();
    let counted: Vec<String> = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low]
        .into_iter()
        .filter_map(|severity| {
            let count = severities.iter().filter(|other| **other == severity).count();
            (count > 0).then(|| format!("{count} {}", severity.word()))
        })
        .collect();
    if counted.is_empty() { "none".to_owned() } else { counted.join(", ") }
}

/// How the run ended.
pub(crate) fn outcome(run: &Run<'_>) -> String {
    match run.recording.end.as_ref().map(|end| &end.outcome) {
        Some(Outcome::Completed) => "completed".to_owned(),
        Some(Outcome::TargetDied { status, .. }) => format!("the target died ({status})"),
        Some(Outcome::Interrupted) => "interrupted by the user".to_owned(),
        Some(Outcome::Failed { why }) => format!("failed: {why}"),
        None => "the recorder was stopped before the run ended".to_owned(),
    }
}

/// The command that repeats the run.
pub(crate) fn reproduce(run: &Run<'_>) -> String {
    let header = &run.recording.header;
    format!("heapsoak soak {} --seed {}", quote(&header.scenario), header.seed)
}

/// Quotes an argument for a POSIX shell when it needs it.
fn quote(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if !argument.is_empty() && !argument.starts_with('-') && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_people_list_them() {
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b"]), "a and b");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn a_scenario_name_cannot_break_out_of_the_command() {
        assert_eq!(quote("claims"), "claims");
        assert_eq!(quote("x; rm -rf '~'"), r"'x; rm -rf '\''~'\'''");
        assert_eq!(quote("--help"), "'--help'");
    }

    #[test]
    fn a_sentence_gets_its_capital_and_its_stop_once() {
        assert_eq!(sentence("it levels"), "It levels.");
        assert_eq!(sentence("It levels."), "It levels.");
        assert_eq!(ended("what now?"), "what now?");
    }

    #[test]
    fn a_number_is_tied_to_its_unit_and_to_nothing_else() {
        assert_eq!(glued("keeps 7.4 h, 100 % of 3 KiB."), "keeps 7.4\u{A0}h, 100\u{A0}% of 3\u{A0}KiB.");
        assert_eq!(glued("10,000 requests"), "10,000 requests");
        assert_eq!(glued("verifier 2 and B"), "verifier 2 and B");
    }

    #[test]
    fn severities_are_counted_worst_first() {
        use Severity::{Critical, Low};
        assert_eq!(severities([Low, Critical, Low].into_iter()), "1 critical, 2 low");
        assert_eq!(severities([].into_iter()), "none");
    }

    #[test]
    fn the_ends_of_an_interval_share_their_unit_when_it_is_the_same() {
        let text = |low, high| interval(Growth { estimate: low, low, high }, Unit::Bytes);
        assert_eq!(text(2048.0, 4096.0), "2 to 4 KiB");
        assert_eq!(text(-512.0, 4096.0), "−512 B to 4 KiB");
    }

    #[test]
    fn an_unknown_interval_is_said_to_be_unknown() {
        let growth = Growth { estimate: 1.0, low: f64::NEG_INFINITY, high: f64::INFINITY };
        assert_eq!(interval(growth, Unit::Bytes), "interval unknown");
    }
}
