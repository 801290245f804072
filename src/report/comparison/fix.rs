use heapsoak_record::Unit;
use heapsoak_verdict::{ComponentVerdict, Growth, RunVerdict};
use serde::Serialize;

use super::{Comparison, Row, leaks, sum};
use crate::phrases;

/// Share of the growth that has to be gone for a fix to hold.
const ENOUGH: f64 = 0.9;

/// A trigger that is sent at less than this share of its former rate is not the same work.
const SAME_WORK: f64 = 0.5;

/// Whether a fix holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fix {
    /// The answer.
    pub verdict: FixVerdict,
    /// Why, in sentences.
    pub reasons: Vec<String>,
    /// What was asked about; empty when it was everything.
    pub components: Vec<String>,
    /// The bytes, and each resource that leaked: what it grew by, and how much of that is gone.
    pub parts: Vec<Part>,
    /// What still grows in the later run, asked about or not; the largest growth first.
    pub still_grows: Vec<Row>,
}

/// The answer about a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FixVerdict {
    /// The growth was real, and at least 90 % of it is gone.
    Fixed,
    /// The runs can't tell: nothing grew before, or what grows now is not known well enough.
    Inconclusive,
    /// More than 10 % of the growth is still there.
    NotFixed,
    /// A run can't carry a verdict.
    Invalid,
}

impl FixVerdict {
    /// In words.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            FixVerdict::Fixed => "fixed",
            FixVerdict::NotFixed => "not fixed",
            FixVerdict::Inconclusive => "inconclusive",
            FixVerdict::Invalid => "invalid",
        }
    }
}

/// A growth before and after, per 1,000 requests.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// `heap`, or the name of a resource.
    pub name: String,
    /// What it counts.
    pub unit: Unit,
    /// Growth in the earlier run.
    pub before: Growth,
    /// Growth in the later run.
    pub after: Growth,
    /// How much of it is gone.
    pub gone: Share,
    /// What that says of this part.
    pub verdict: FixVerdict,
}

/// A share with its 95 % interval; more than 1 where the later run shrinks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// Best estimate.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Share {
    /// Of a growth whose interval lies above zero. The ends are those of the ratio of the intervals' ends: wider than
    /// they would have to be, never narrower.
    fn gone(before: Growth, after: Growth) -> Share {
        let least = if after.high > 0.0 { before.low } else { before.high };
        let most = if after.low > 0.0 { before.high } else { before.low };
        Share {
            estimate: 1.0 - after.estimate / before.estimate,
            low: 1.0 - after.high / least,
            high: 1.0 - after.low / most,
        }
    }

    fn verdict(self) -> FixVerdict {
        if self.low >= ENOUGH {
            FixVerdict::Fixed
        } else if self.high < ENOUGH {
            FixVerdict::NotFixed
        } else {
            FixVerdict::Inconclusive
        }
    }
}

impl Fix {
    pub(super) fn verify(comparison: &Comparison<'_>, components: &[String]) -> Fix {
        let rows = comparison.components();
        let resources = comparison.resources();
        let mut still_grows: Vec<Row> =
            rows.iter().chain(&resources).filter(|row| leaks(row.after.as_ref())).cloned().collect();
        still_grows.sort_by(|a, b| {
            let size = |row: &Row| row.after.map_or(0.0, |arm| arm.growth.estimate);
            let bytes = |row: &Row| row.unit == Unit::Bytes;
            bytes(b).cmp(&bytes(a)).then(size(b).total_cmp(&size(a)))
        });
        let mut fix = Fix {
            verdict: FixVerdict::Inconclusive,
            reasons: Vec::new(),
            components: components.to_vec(),
            parts: parts(comparison, components, &rows, &resources),
            still_grows,
        };
        (fix.verdict, fix.reasons) = fix.answer(comparison, &rows);
        fix
    }

    fn answer(&self, comparison: &Comparison<'_>, rows: &[Row]) -> (FixVerdict, Vec<String>) {
        for (run, which) in [(&comparison.before, "before"), (&comparison.after, "after")] {
            if run.judgement.verdict == RunVerdict::Invalid {
                return (FixVerdict::Invalid, vec![format!("The run {which}: {}", phrases::headline(run))]);
            }
        }
        for asked in &self.components {
            if !rows.iter().any(|row| row.name == *asked) {
                let known: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
                let why = format!("{asked} is in neither run: there are {}.", phrases::list(&known));
                return (FixVerdict::Inconclusive, vec![why]);
            }
        }
        if self.parts.is_empty() {
            let what = if self.components.is_empty() {
                "Nothing".to_owned()
            } else {
                format!("Of {} nothing", phrases::list(&self.components))
            };
            let why = format!("{what} grew before: there is no growth whose end could be shown.");
            return (FixVerdict::Inconclusive, vec![why]);
        }
        let missing = self.missing_triggers(comparison);
        if !missing.is_empty() {
            let why = format!(
                "The run after sent {} far more rarely, or never: what does not happen can't leak.",
                phrases::list(&missing)
            );
            return (FixVerdict::Inconclusive, vec![why]);
        }
        let verdict = self.parts.iter().map(|part| part.verdict).max().unwrap_or(FixVerdict::Inconclusive);
        (verdict, self.parts.iter().map(Part::sentence).chain(self.hidden()).collect())
    }

    /// Request kinds that triggered what leaked before and are missing, or rare, in the later run.
    fn missing_triggers(&self, comparison: &Comparison<'_>) -> Vec<String> {
        let findings = comparison.before.judgement.findings.iter();
        let asked = |name: &String| self.components.is_empty() || self.components.contains(name);
        let triggers: Vec<&String> = findings
            .filter(|finding| phrases::keeps_growing(finding) && asked(&finding.component))
            .flat_map(|finding| &finding.triggered_by)
            .collect();
        comparison
            .shares()
            .into_iter()
            .filter(|kind| triggers.contains(&&kind.name) && kind.after < SAME_WORK * kind.before)
            .map(|kind| kind.name)
            .collect()
    }

    /// What leaks now, and did not, or was not seen to, before.
    fn hidden(&self) -> Vec<String> {
        let new: Vec<&str> = self
            .still_grows
            .iter()
            .filter(|row| !leaks(row.before.as_ref()))
            .map(|row| row.name.as_str())
            .collect();
        if new.is_empty() {
            return Vec::new();
        }
        let verb = if new.len() == 1 { "grows" } else { "grow" };
        vec![format!(
            "{} {verb} now, and was not seen to before: a leak hidden behind the first.",
            phrases::list(&new)
        )]
    }
}

/// The growth that goes on. What is bounded has levelled: it may have grown on the way there, but what goes on unseen is
/// less than what would have been called a leak.
fn lasting(arm: super::Arm) -> Growth {
    if arm.verdict == ComponentVerdict::Bounded && arm.growth.high > arm.minimum_detectable {
        return Growth { estimate: 0.0, low: 0.0, high: arm.minimum_detectable };
    }
    arm.growth
}

/// The bytes and each resource that leaked before, within what was asked about.
fn parts(comparison: &Comparison<'_>, asked: &[String], rows: &[Row], resources: &[Row]) -> Vec<Part> {
    let in_scope = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    let leaked = |row: &&Row| leaks(row.before.as_ref());
    let growth = |arm: Option<super::Arm>| arm.map_or(Growth::default(), lasting);
    let mut parts = Vec::new();
    let scope = || rows.iter().filter(|row| in_scope(&row.name));
    if scope().any(|row| leaked(&row)) {
        let before = sum(scope().filter(leaked).map(|row| growth(row.before)));
        // A component that leaks only now belongs to what is left: otherwise a leak that moved would be a fix.
        let now = scope().filter(|row| leaked(row) || leaks(row.after.as_ref()));
        parts.push(Part::of("heap", Unit::Bytes, before, sum(now.map(|row| growth(row.after)))));
    }
    let goes_along = |resource: &str| {
        asked.is_empty()
            || comparison.before.judgement.findings.iter().any(|finding| {
                in_scope(&finding.component) && finding.resources.iter().any(|name| name == resource)
            })
    };
    for row in resources.iter().filter(leaked).filter(|row| goes_along(&row.name)) {
        parts.push(Part::of(&row.name, Unit::Count, growth(row.before), growth(row.after)));
    }
    parts
}

impl Part {
    fn of(name: &str, unit: Unit, before: Growth, after: Growth) -> Part {
        let gone = Share::gone(before, after);
        let verdict = if before.low > 0.0 { gone.verdict() } else { FixVerdict::Inconclusive };
        Part { name: name.to_owned(), unit, before, after, gone, verdict }
    }

    /// What became of it.
    fn sentence(&self) -> String {
        let (before, after) = (
            phrases::estimate(self.before, self.unit).replace('+', ""),
            phrases::estimate(self.after, self.unit).replace('+', ""),
        );
        let gone = self.gone_in_words();
        let needs = match self.verdict {
            FixVerdict::Inconclusive => ": too uncertain to say that 90 % is, a longer run after would tell",
            _ => "",
        };
        format!(
            "{} grew by {before} per 1,000 requests and grows by {after} now ({}): {gone} of it is gone{needs}.",
            self.name,
            phrases::interval(self.after, self.unit)
        )
    }

    /// The share that is gone, with its interval, in percent; nothing is more than all.
    #[must_use]
    pub fn gone_in_words(&self) -> String {
        let percent = |share: f64| format!("{:.0}", (share.clamp(-9.99, 1.0) * 100.0).floor());
        let Share { estimate, low, high } = self.gone;
        if !(low.is_finite() && high.is_finite()) {
            return format!("{} %", percent(estimate));
        }
        format!("{} % ({} to {} %)", percent(estimate), percent(low), percent(high))
    }
}

/// The row's verdict in the later run, for the tables.
pub(super) fn word(arm: Option<super::Arm>) -> &'static str {
    arm.map_or("–", |arm| ComponentVerdict::word(arm.verdict))
}
