//! All that is said of a recording, in lines for people to compare.

use std::collections::BTreeSet;

use heapsoak_record::Recording;
use heapsoak_verdict::{
    ClaimJudgement, ComponentJudgement, Control, Explanation, Finding, Growth, Judgement, KindJudgement,
    Piece, Point, Quality, ResourceJudgement, ResourcePoint, explain, judge,
};

/// What has been said once is cut to so many characters when it is said again.
const SHORT: usize = 12;

/// What has been said of other figures is cut to so many characters, and the figures.
const SHORTER: usize = 14;

/// Units behind figures.
const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "%", "ms"];

/// The judgements of several recordings.
#[derive(Default)]
pub(crate) struct Digest {
    lines: Vec<String>,
    /// Sentences told in full, and what is left of them without their figures.
    said: BTreeSet<String>,
    /// What the recording before had, which is not told again.
    before: Before,
}

#[derive(Default)]
struct Before {
    counts: String,
    not_analysed: Vec<String>,
    pieces: Vec<Piece>,
}

impl Digest {
    /// Judges a recording and tells everything about it, and how it weighed.
    pub(crate) fn add(&mut self, name: &str, recording: &Recording) {
        self.lines.push(format!("== {name}"));
        self.judgement(&judge(recording));
        let explanations = explain(recording, None);
        for one in explanations.chunk_by(|one, next| one.component == next.component) {
            // A component of one part is the same again.
            let told = if one.len() == 2 { &one[..1] } else { one };
            told.iter().for_each(|explanation| self.explanation(explanation));
        }
        self.lines.push(String::new());
    }

    /// Judges a recording and tells everything about it.
    pub(crate) fn add_judgement(&mut self, name: &str, recording: &Recording) {
        self.lines.push(format!("== {name}"));
        self.judgement(&judge(recording));
        self.lines.push(String::new());
    }

    /// Judges a recording and tells of its resources and findings.
    pub(crate) fn add_resources(&mut self, name: &str, recording: &Recording) {
        let judgement = judge(recording);
        self.lines.push(format!("== {name}: {}", judgement.verdict.word()));
        judgement.resources.iter().for_each(|resource| self.resource(resource));
        judgement.findings.iter().for_each(|finding| self.finding(finding));
        self.lines.push(String::new());
    }

    /// All of it.
    pub(crate) fn text(self) -> String {
        self.lines.join("\n")
    }

    fn line(&mut self, line: String) {
        self.lines.push(line);
    }

    /// A sentence: in full when it is new, its beginning when it is not; its beginning and figures when they are all that
    /// is new.
    fn sentence(&mut self, label: &str, sentence: &str) {
        let (frame, figures) = frame(sentence);
        let cut = |length: usize| sentence.chars().take(length).collect::<String>();
        let (new, new_frame) = (self.said.insert(sentence.to_owned()), self.said.insert(frame));
        let told = match (new, new_frame) {
            (true, true) => sentence.to_owned(),
            (true, false) => format!("{}… {}", cut(SHORTER), figures.join(" ")),
            (false, _) => format!("{}…", cut(SHORT)),
        };
        let longer = told.chars().count() > sentence.chars().count();
        self.line(format!("{label}{}", if longer { sentence } else { &told }));
    }

    fn judgement(&mut self, judgement: &Judgement) {
        self.line(format!("{}, wanted {}", judgement.verdict.word(), some(judgement.wanted_requests)));
        judgement.reasons.iter().for_each(|reason| self.sentence("  because ", reason));
        let (requests, quality) = (&judgement.requests, &judgement.quality);
        let counts = format!(
            "sent {} ok {} errors {} failed {} landed {} cycles {} snapshots {} not quiet {} unbalanced {} warm-up {}",
            requests.sent,
            requests.ok,
            requests.expected_errors,
            requests.failed,
            number(quality.landed),
            quality.cycles,
            quality.snapshots,
            quality.not_quiet,
            quality.unbalanced,
            quality.warm_up_requests,
        );
        if self.before.counts != counts {
            self.line(counts.clone());
            self.before.counts = counts;
        }
        self.quality(quality);
        let memory = &judgement.out_of_memory;
        self.line(format!(
            "memory {} at {}/s from {} to {} impact {}",
            growth(memory.growth_bytes_per_1000_requests),
            number(memory.requests_per_second),
            memory.resident_bytes,
            some(memory.limit_bytes),
            number(judgement.combined_impact_at_10000_requests_bytes),
        ));
        judgement.components.iter().for_each(|component| self.component(component));
        judgement.resources.iter().for_each(|resource| self.resource(resource));
        judgement.findings.iter().for_each(|finding| self.finding(finding));
        judgement.claims.iter().for_each(|claim| self.claim(claim));
        let before = std::mem::replace(&mut self.before.not_analysed, judgement.not_analysed.clone());
        for what in judgement.not_analysed.iter().filter(|what| !before.contains(what)) {
            self.sentence("not analysed: ", what);
        }
        for what in before.iter().filter(|what| !judgement.not_analysed.contains(what)) {
            self.sentence("no longer not analysed: ", what);
        }
    }

    fn quality(&mut self, quality: &Quality) {
        quality.failures.iter().for_each(|failure| self.sentence("  failure ", failure));
        if let Some(Control {
            planted_bytes_per_1000_requests,
            growth_bytes_per_1000_requests,
            verdict,
            missed,
        }) = &quality.control
        {
            self.line(format!(
                "  control {} of {} is {}: {}",
                growth(*growth_bytes_per_1000_requests),
                number(*planted_bytes_per_1000_requests),
                verdict.word(),
                missed.as_deref().unwrap_or("found"),
            ));
        }
    }

    fn component(&mut self, component: &ComponentJudgement) {
        let live = &component.live_bytes;
        self.line(format!(
            "component {}: {} {} limit {} bound {} lifetime {} live {} {} {} made {} in {}",
            component.name,
            component.verdict.word(),
            growth(component.growth_bytes_per_1000_requests),
            number(component.minimum_detectable_bytes_per_1000_requests),
            some(component.bound_bytes),
            some(component.lifetime_ms),
            live.start,
            live.end,
            live.peak,
            number(component.allocated_bytes_per_request),
            number(component.allocations_per_request),
        ));
        component.evidence.iter().for_each(|sentence| self.sentence("  ", sentence));
        let points = picked(&component.series, point);
        self.line(format!("  {} points {points}", component.series.len()));
        let survivors = &component.survivors;
        let judged: Vec<u32> = survivors.iter().filter(|one| one.judged).map(|one| one.cohort).collect();
        let cohorts = picked(survivors, |one| {
            format!("{}:{}/{}/{}", one.cohort, one.requests, one.live_bytes, one.live_blocks)
        });
        self.line(format!("  {} cohorts {cohorts} judged {}", survivors.len(), ranges(&judged)));
        component.kinds.iter().for_each(|kind| self.kind(kind));
    }

    fn kind(&mut self, kind: &KindJudgement) {
        self.line(format!(
            "  kind {}: {} of {} {} own {} limit {} bound {} live {} made {}",
            kind.kind.as_deref().unwrap_or("-"),
            kind.verdict.word(),
            kind.requests,
            growth(kind.growth_bytes_per_1000_requests),
            kind.growth_bytes_per_1000_triggering_requests.map_or_else(|| "-".to_owned(), growth),
            number(kind.minimum_detectable_bytes_per_1000_requests),
            some(kind.bound_bytes),
            kind.live_bytes,
            kind.allocated_bytes_per_request.map_or_else(|| "-".to_owned(), number),
        ));
        kind.evidence.iter().for_each(|sentence| self.sentence("    ", sentence));
    }

    fn resource(&mut self, resource: &ResourceJudgement) {
        self.line(format!(
            "resource {} ({:?}): {} {} limit {} bound {} by {:?}",
            resource.name,
            resource.unit,
            resource.verdict.word(),
            growth(resource.growth_per_1000_requests),
            number(resource.minimum_detectable_per_1000_requests),
            some(resource.bound),
            resource.triggered_by,
        ));
        resource.evidence.iter().for_each(|sentence| self.sentence("  ", sentence));
        let points = picked(&resource.series, |one: &ResourcePoint| {
            format!("{}{}/{}", one.requests, advanced(one.after_advance), one.value)
        });
        self.line(format!("  {} points {points}", resource.series.len()));
    }

    fn finding(&mut self, finding: &Finding) {
        self.line(format!(
            "finding {} {} in {}: {} impact {} by {:?} own {} with {:?} bound {}",
            finding.severity.word(),
            finding.pattern.word(),
            finding.component,
            growth(finding.growth_bytes_per_1000_requests),
            number(finding.at_10000_requests_bytes),
            finding.triggered_by,
            finding.growth_bytes_per_1000_triggering_requests.map_or_else(|| "-".to_owned(), growth),
            finding.resources,
            some(finding.bound_bytes),
        ));
        self.sentence("  ", &finding.summary);
        finding.evidence.iter().for_each(|sentence| self.sentence("  ", sentence));
        self.sentence("  do: ", &finding.action);
    }

    fn claim(&mut self, claim: &ClaimJudgement) {
        let told = format!(
            "claim {} {}{}: {} {} bound {} {}: ",
            claim.claim.component,
            claim.claim.bytes_per_1000_requests,
            if claim.claim.unbounded { " for ever" } else { "" },
            claim.verdict.map_or("-", |verdict| verdict.word()),
            claim.measured_bytes_per_1000_requests.map_or_else(|| "-".to_owned(), growth),
            some(claim.bound_bytes),
            claim.answer.word(),
        );
        self.sentence(&told, &claim.because);
    }

    fn explanation(&mut self, explanation: &Explanation) {
        self.line(format!(
            "explained {}: {}: {} {}",
            explanation.component,
            explanation.about,
            explanation.verdict.word(),
            growth(explanation.growth_bytes_per_1000_requests),
        ));
        for (at, piece) in explanation.pieces.iter().enumerate() {
            if self.before.pieces.get(at) != Some(piece) {
                self.sentence(&format!("  {} {}: ", piece.rule, piece.weighs.word()), &piece.found);
            }
        }
        self.before.pieces.clone_from(&explanation.pieces);
    }
}

/// A sentence without its figures, and the figures with their units.
fn frame(sentence: &str) -> (String, Vec<&str>) {
    let mut frame = String::new();
    let mut figures = Vec::new();
    for word in sentence.split(' ') {
        let bare = word.trim_matches([',', ';', ':', '(', ')', '.']);
        if UNITS.contains(&bare) || bare.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
            figures.push(bare);
        } else {
            frame.push_str(word);
            frame.push(' ');
        }
    }
    (frame, figures)
}

fn point(point: &Point) -> String {
    format!(
        "{}{}/{}/{}/{}/{}",
        point.requests,
        advanced(point.after_advance),
        point.elapsed_ms,
        point.clock_ms,
        point.live_bytes,
        point.allocated_bytes_per_request.map_or_else(|| "-".to_owned(), number),
    )
}

fn advanced(yes: bool) -> &'static str {
    if yes { "*" } else { "" }
}

/// The first, the middle and the last.
fn picked<T>(all: &[T], tell: impl Fn(&T) -> String) -> String {
    let mut at: Vec<usize> = (0..3).map(|half| half * all.len().saturating_sub(1) / 2).collect();
    at.dedup();
    at.into_iter().filter_map(|at| all.get(at)).map(tell).collect::<Vec<_>>().join(" ")
}

/// `4-25 27`.
fn ranges(numbers: &[u32]) -> String {
    let runs = numbers.chunk_by(|one, next| one + 1 == *next);
    let told = runs.map(|run| match run {
        [first, .., last] => format!("{first}-{last}"),
        one => one.iter().map(u32::to_string).collect(),
    });
    told.collect::<Vec<_>>().join(" ")
}

fn some(value: Option<u64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// `12 (10..14)`.
fn growth(growth: Growth) -> String {
    let Growth { estimate, low, high } = growth;
    let told = [estimate, low, high].map(number);
    if told.iter().all(|told| told == "0") {
        return "0".to_owned();
    }
    format!("{} ({}..{})", told[0], told[1], told[2])
}

/// Five significant digits; less than a millionth is rounding.
fn number(value: f64) -> String {
    if value.abs() < 1e-6 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    let unit = 10.0_f64.powi(magnitude - 4);
    let decimals = (4 - magnitude).max(0) as usize;
    let text = format!("{:.decimals$}", (value / unit).round() * unit);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
