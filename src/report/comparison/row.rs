use heapsoak_record::Unit;
use heapsoak_verdict::{Arm, Growth, Subject};
use serde::Serialize;

use super::{difference, leaks};

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
    /// Growth of the later run less that of the earlier one, per 1,000 requests of each, with a 95 % interval.
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
    /// It is called a leak in one run alone, and the other can have missed it, or was undecided.
    Unclear,
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
            Change::Unclear => "leaks in one, below the limit of the other",
            Change::Better => "leaks less",
            Change::Gone => "gone",
            Change::None => "–",
        }
    }

    /// What the verdict says of both, in a word.
    fn of(before: &Subject, after: &Subject) -> Change {
        let difference = heapsoak_verdict::difference(before, after);
        let rises = difference.map(|difference| difference.estimate > 0.0);
        match (leaks(Some(&before.arm)), leaks(Some(&after.arm)), rises) {
            (false, false, _) => Change::None,
            (false, true, Some(_)) => Change::New,
            (true, false, Some(_)) => Change::Gone,
            (true, true, Some(true)) => Change::Worse,
            (true, true, Some(false)) => Change::Better,
            (true, true, None) => Change::Same,
            (_, _, None) => Change::Unclear,
        }
    }
}

/// Pairs what two runs say by its name; what leaks now first, then by the size of the change.
pub(super) fn pair(
    before: Vec<(String, Subject)>,
    mut after: Vec<(String, Subject)>,
    unit: Unit,
) -> Vec<Row> {
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
    fn of(name: String, unit: Unit, before: Option<Subject>, after: Option<Subject>) -> Row {
        let growth = |one: &Option<Subject>| one.as_ref().map_or(Growth::default(), |one| one.arm.growth);
        let difference = difference(growth(&after), growth(&before));
        let arm = |one: &Option<Subject>| one.as_ref().map(|one| one.arm);
        let (arm_before, arm_after) = (arm(&before), arm(&after));
        let or_absent = |one: Option<Subject>| one.unwrap_or_else(Subject::absent);
        let change = Change::of(&or_absent(before), &or_absent(after));
        Row { name, unit, before: arm_before, after: arm_after, difference, change }
    }
}
