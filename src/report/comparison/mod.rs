//! Two runs side by side: what grows less, what grows more, and whether a fix holds.

mod fix;
mod json;
mod markdown;
mod row;
mod sites;
mod terminal;

use heapsoak_record::Unit;
use heapsoak_verdict::{ComponentVerdict, Growth, RunVerdict, Subject};

use crate::{Run, phrases};

pub use fix::{Fix, FixVerdict, Part, Share};
pub use heapsoak_verdict::Arm;
pub use row::{Change, Row};
pub use sites::SiteRow;

/// Two runs, the earlier one first.
#[derive(Debug, Clone, Copy)]
pub struct Comparison<'a> {
    /// The earlier one.
    pub before: Run<'a>,
    /// The later one.
    pub after: Run<'a>,
}

impl<'a> Comparison<'a> {
    /// Compares two runs.
    #[must_use]
    pub fn of(before: Run<'a>, after: Run<'a>) -> Comparison<'a> {
        Comparison { before, after }
    }

    /// Every component of either run, what changed most first.
    #[must_use]
    pub fn components(&self) -> Vec<Row> {
        let subjects = |run: &Run<'_>| {
            let components = run.judgement.components.iter();
            components.map(|one| (one.name.clone(), Subject::component(run.judgement, one))).collect()
        };
        row::pair(subjects(&self.before), subjects(&self.after), Unit::Bytes)
    }

    /// Every counted resource of either run, what changed most first.
    #[must_use]
    pub fn resources(&self) -> Vec<Row> {
        let subjects = |run: &Run<'_>| {
            let counted = run.judgement.resources.iter().filter(|one| one.unit == Unit::Count);
            counted.map(|one| (one.name.clone(), Subject::resource(one))).collect()
        };
        row::pair(subjects(&self.before), subjects(&self.after), Unit::Count)
    }

    /// Whether the fix between the two runs holds: for some components, or, when none are named, for everything that
    /// grew.
    #[must_use]
    pub fn fix(&self, components: &[String]) -> Fix {
        Fix::verify(self, components)
    }

    /// What makes the two runs hard to compare, in sentences; empty when nothing does.
    #[must_use]
    pub fn cautions(&self) -> Vec<String> {
        let (before, after) = (&self.before.recording.header, &self.after.recording.header);
        let mut cautions = Vec::new();
        if before.scenario != after.scenario {
            cautions
                .push(format!("the runs are of two scenarios, {} and {}", before.scenario, after.scenario));
        } else if before.seed != after.seed {
            cautions.push(format!(
                "the runs drew their requests with two seeds, {} and {}",
                before.seed, after.seed
            ));
        }
        let changed: Vec<String> =
            self.shares().into_iter().filter(Shares::differ).map(|kind| kind.name).collect();
        if !changed.is_empty() {
            cautions.push(format!(
                "{} make up another share of the requests: growth per 1,000 requests of the run is not of the same work",
                phrases::list(&changed)
            ));
        }
        for (run, which) in [(&self.before, "before"), (&self.after, "after")] {
            if run.judgement.verdict == RunVerdict::Invalid {
                cautions.push(format!("the run {which} is invalid: {}", phrases::headline(run)));
            }
        }
        cautions
    }

    /// Every request kind of either run with its share of the requests.
    fn shares(&self) -> Vec<Shares> {
        let share = |run: &Run<'_>, name: &str| {
            let index = run.recording.header.kinds.iter().position(|kind| kind.name == name);
            let snapshot = run.recording.snapshots.last();
            let count = snapshot.zip(index).and_then(|(last, index)| last.kinds.get(index).copied());
            count.map_or(0.0, |count| count.sent as f64 / (run.judgement.requests.sent as f64).max(1.0))
        };
        let mut names: Vec<&str> = Vec::new();
        for run in [&self.before, &self.after] {
            for kind in &run.recording.header.kinds {
                if !names.contains(&kind.name.as_str()) {
                    names.push(&kind.name);
                }
            }
        }
        names
            .into_iter()
            .map(|name| Shares {
                name: name.to_owned(),
                before: share(&self.before, name),
                after: share(&self.after, name),
            })
            .collect()
    }
}

/// The share of a request kind in each run.
struct Shares {
    name: String,
    before: f64,
    after: f64,
}

impl Shares {
    /// By a quarter or more, and by more than chance: kinds that are drawn rarely scatter.
    fn differ(&self) -> bool {
        let most = self.before.max(self.after);
        (self.before - self.after).abs() > 0.25 * most && most > 0.001
    }
}

/// The difference of two independent estimates, to be shown: their half-widths add in squares. Whether two runs differ is
/// the verdict's to say.
fn difference(after: Growth, before: Growth) -> Growth {
    let estimate = after.estimate - before.estimate;
    let below = (after.estimate - after.low).hypot(before.high - before.estimate);
    let above = (after.high - after.estimate).hypot(before.estimate - before.low);
    Growth { estimate, low: estimate - below, high: estimate + above }
}

/// The sum of independent estimates.
fn sum(parts: impl Iterator<Item = Growth>) -> Growth {
    let none = Growth::default();
    parts.fold(none, |sum, part| {
        difference(sum, Growth { estimate: -part.estimate, low: -part.high, high: -part.low })
    })
}

/// Whether a verdict says that something grows and does not stop.
fn leaks(arm: Option<&Arm>) -> bool {
    arm.is_some_and(|arm| arm.verdict == ComponentVerdict::Leak)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_widths_of_independent_estimates_add_in_squares() {
        let growth =
            |estimate: f64, half: f64| Growth { estimate, low: estimate - half, high: estimate + half };
        assert_eq!(difference(growth(10.0, 3.0), growth(4.0, 4.0)), growth(6.0, 5.0));
        assert_eq!(sum([growth(10.0, 3.0), growth(4.0, 4.0)].into_iter()), growth(14.0, 5.0));
    }
}
