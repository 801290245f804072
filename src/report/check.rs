/// Something a gate asked of a run beside the verdict: a budget, a baseline, a positive control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was asked, in a few words: `budget of session`.
    pub name: String,
    /// Whether it was so.
    pub outcome: CheckOutcome,
    /// What was allowed and what was found, in a sentence.
    pub says: String,
}

/// Whether what a gate asked of a run was so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckOutcome {
    /// It was.
    Passed,
    /// It was not.
    Failed,
    /// The run can't tell.
    Undecided,
}

impl CheckOutcome {
    /// In a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            CheckOutcome::Passed => "passed",
            CheckOutcome::Failed => "failed",
            CheckOutcome::Undecided => "undecided",
        }
    }
}
