use heapsoak_verdict::Finding;
use jiff::civil::Date;

use crate::{Check, Outcome};

/// A known leak that may pass for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Component it is in.
    pub component: String,
    /// Pattern it must have; any if none is given.
    pub pattern: Option<String>,
    /// Request kinds that must be among its triggers.
    pub triggered_by: Vec<String>,
    /// Scenarios it is known in; all if none is given.
    pub scenarios: Vec<String>,
    /// Why it may pass.
    pub reason: String,
    /// The last day it may.
    pub until: Date,
}

impl Suppression {
    fn fits(&self, scenario: &str, finding: &Finding) -> bool {
        self.component == finding.component
            && self.pattern.as_ref().is_none_or(|pattern| pattern == finding.pattern.word())
            && self.triggered_by.iter().all(|kind| finding.triggered_by.contains(kind))
            && (self.scenarios.is_empty() || self.scenarios.iter().any(|own| own == scenario))
    }

    fn name(&self) -> String {
        let mut name = format!("suppression of {}", self.component);
        if let Some(pattern) = &self.pattern {
            name += &format!(", {pattern}");
        }
        if !self.triggered_by.is_empty() {
            name += &format!(", on {}", self.triggered_by.join(" and "));
        }
        name
    }
}

/// All suppressions of a gate, with what they matched.
#[derive(Debug, Clone)]
pub struct Suppressions {
    today: Date,
    counted: Vec<(Suppression, u64)>,
}

impl Suppressions {
    /// Suppressions as of a day.
    #[must_use]
    pub fn new(suppressions: &[Suppression], today: Date) -> Suppressions {
        Suppressions { today, counted: suppressions.iter().map(|one| (one.clone(), 0)).collect() }
    }

    /// No suppressions at all.
    #[must_use]
    pub fn none() -> Suppressions {
        Suppressions { today: Date::MIN, counted: Vec::new() }
    }

    /// Counts a finding against all it fits; true if one of them is in force.
    pub(crate) fn excuse(&mut self, scenario: &str, finding: &Finding) -> bool {
        let mut excused = false;
        for (suppression, matches) in &mut self.counted {
            if suppression.fits(scenario, finding) {
                *matches += 1;
                excused |= suppression.until >= self.today;
            }
        }
        excused
    }

    /// What became of the suppressions in a gate of these scenarios. One that has run out fails, and so does one that
    /// matched nothing although its scenarios ran: `all` says that every scenario did.
    #[must_use]
    pub fn checks(&self, scenarios: &[&str], all: bool) -> Vec<Check> {
        let check = |(suppression, matches): &(Suppression, u64)| {
            let Suppression { reason, until, .. } = suppression;
            let matched = match matches {
                1 => "matches 1 finding".to_owned(),
                number => format!("matches {number} findings"),
            };
            let ran = if suppression.scenarios.is_empty() {
                all
            } else {
                suppression.scenarios.iter().all(|scenario| scenarios.contains(&scenario.as_str()))
            };
            let (outcome, says) = if *until < self.today {
                let says = format!(
                    "ran out on {until} ({reason}), {matched}: fix the leak, or say anew until when it may pass"
                );
                (Outcome::Failed, says)
            } else if *matches == 0 && ran {
                (
                    Outcome::Failed,
                    format!("matches nothing ({reason}): take it out, so that it can't hide a new leak"),
                )
            } else if *matches == 0 {
                (Outcome::Passed, format!("matches nothing; not all of its scenarios ran ({reason})"))
            } else {
                (Outcome::Passed, format!("{matched} until {until}: {reason}"))
            };
            Check::new(suppression.name(), outcome, says)
        };
        self.counted.iter().map(check).collect()
    }
}
