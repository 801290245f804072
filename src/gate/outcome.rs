/// How a check, or a whole gate, came out. The greater, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// What was asked is so.
    Passed,
    /// The run can't tell: its interval holds the limit, or its detection limit is above it.
    Undecided,
    /// It is not so.
    Failed,
    /// The data can't carry an answer, whatever they show.
    Invalid,
}

impl Outcome {
    /// In a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Undecided => "undecided",
            Outcome::Failed => "failed",
            Outcome::Invalid => "invalid",
        }
    }
}
