use heapsoak_record::Unit;
use heapsoak_verdict::{ComponentVerdict, Growth};
use serde::Serialize;

use super::{difference, leaks};

/// What one run says of a component, a resource or a site.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Arm {
    /// Its verdict.
    pub verdict: ComponentVerdict,
    /// Its growth per 1,000 requests of the run.
    pub growth: Growth,
    /// The smallest growth that would have been called a leak.
    pub minimum_detectable: f64,
}

impl Arm {
    /// The growth that goes on. What is bounded has levelled: it may have grown on the way there, but what goes on
    /// unseen is less than what would have been called a leak.
    pub(super) fn lasting(self) -> Growth {
        if self.verdict == ComponentVerdict::Bounded && self.growth.high > self.minimum_detectable {
            return Growth { estimate: 0.0, low: 0.0, high: self.minimum_detectable };
        }
        self.growth
    }
}

/// Something of either run, in both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What it is called.
    pub name: String,
    /// What its growth counts.
    pub unit: Unit,
    /// In the earlier run; none when it was not there.
    pub before: Option<Arm>,
    /// In the later run; none when it is not there.
    pub after: Option<Arm>,
    /// Growth of the later run less that of the earlier one, per 1,000 requests.
    pub difference: Growth,
    /// What that means.
    pub change: Change,
}

/// What became of the growth of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It did not leak, and does now.
    New,
    /// It leaks more than it did.
    Worse,
    /// It leaks as it did: no difference is shown.
    Same,
    /// It still leaks, less than it did.
    Better,
    /// It leaked, and leaks no more.
    Gone,
    /// It leaks in neither run.
    None,
}

impl Change {
    /// In words.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Change::New => "new leak",
            Change::Worse => "leaks more",
            Change::Same => "leaks as before",
            Change::Better => "leaks less",
            Change::Gone => "gone",
            Change::None => "–",
        }
    }

    fn of(before: Option<&Arm>, after: Option<&Arm>, difference: Growth) -> Change {
        match (leaks(before), leaks(after)) {
            (false, false) => Change::None,
            (false, true) => Change::New,
            (true, false) => Change::Gone,
            (true, true) if difference.low > 0.0 => Change::Worse,
            (true, true) if difference.high < 0.0 => Change::Better,
            (true, true) => Change::Same,
        }
    }
}

/// Pairs what two runs say by its name; what leaks now first, then by the size of the change.
pub(super) fn pair(before: Vec<(String, Arm)>, mut after: Vec<(String, Arm)>, unit: Unit) -> Vec<Row> {
    let mut rows: Vec<Row> = before
        .into_iter()
        .map(|(name, before)| {
            let found = after.iter().position(|(other, _)| *other == name);
            let after = found.map(|index| after.swap_remove(index).1);
            Row::of(name, unit, Some(before), after)
        })
        .collect();
    rows.extend(after.into_iter().map(|(name, after)| Row::of(name, unit, None, Some(after))));
    rows.sort_by(|a, b| {
        let size = |row: &Row| row.difference.estimate.abs();
        a.change.cmp(&b.change).then(size(b).total_cmp(&size(a))).then(a.name.cmp(&b.name))
    });
    rows
}

impl Row {
    fn of(name: String, unit: Unit, before: Option<Arm>, after: Option<Arm>) -> Row {
        let growth = |arm: Option<Arm>| arm.map_or(Growth::default(), |arm| arm.growth);
        let difference = difference(growth(after), growth(before));
        let change = Change::of(before.as_ref(), after.as_ref(), difference);
        Row { name, unit, before, after, difference, change }
    }
}
