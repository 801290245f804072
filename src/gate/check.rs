use crate::Outcome;

/// One thing that was asked of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What was asked, in a few words: `budget of session: growth`.
    pub name: String,
    /// How it came out.
    pub outcome: Outcome,
    /// What was allowed and what was found, in a sentence.
    pub says: String,
    /// How many more requests would probably decide it; none when it is decided.
    pub wanted_requests: Option<u64>,
}

impl Check {
    pub(crate) fn new(name: impl Into<String>, outcome: Outcome, says: impl Into<String>) -> Check {
        Check { name: name.into(), outcome, says: says.into(), wanted_requests: None }
    }

    /// An undecided check that says how many more requests it wants.
    pub(crate) fn wanting(name: impl Into<String>, says: impl Into<String>, wanted: f64) -> Check {
        let wanted = wanted.max(1.0).ceil() as u64;
        let says =
            format!("{}: about {} more requests would tell", says.into(), crate::words::count(wanted as f64));
        Check { wanted_requests: Some(wanted), ..Check::new(name, Outcome::Undecided, says) }
    }
}
