use heapsoak_driver::Expect;
use heapsoak_record::{End, Outcome};
use heapsoak_verdict::{Judgement, RunVerdict};

use crate::exit::Exit;
use crate::expectation;

/// What a scenario's own `expect` says about a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expectation {
    /// The scenario expects nothing, or what it expects was overridden.
    None,
    /// Everything expected is so.
    Met,
    /// What is not so, one sentence each.
    Unmet(Vec<String>),
}

impl Expectation {
    /// Compares what a scenario expects with what was found.
    pub(crate) fn compare(expect: &Expect, judgement: &Judgement) -> Expectation {
        let unmet = expectation::unmet(expect, judgement);
        if unmet.is_empty() { Expectation::Met } else { Expectation::Unmet(unmet) }
    }

    /// What is not so, if anything was expected.
    pub(crate) fn unmet(&self) -> Option<Vec<String>> {
        match self {
            Expectation::None => None,
            Expectation::Met => Some(Vec::new()),
            Expectation::Unmet(unmet) => Some(unmet.clone()),
        }
    }
}

/// The exit code of one run.
///
/// A run that did not go to its end decides by how it ended. An invalid or inconclusive run is that, unless exactly
/// this was expected. Otherwise the expectation decides; without one, the verdict.
#[must_use]
pub(crate) fn decide(end: Option<&End>, verdict: RunVerdict, expectation: &Expectation) -> Exit {
    match end.map(|end| &end.outcome) {
        Some(Outcome::TargetDied { .. }) => return Exit::TargetDied,
        Some(Outcome::Interrupted) | None => return Exit::Invalid,
        Some(Outcome::Failed { .. }) => return Exit::Internal,
        Some(Outcome::Completed) => {}
    }
    match (expectation, verdict) {
        (Expectation::Met, _) | (Expectation::None, RunVerdict::Clean) => Exit::Clean,
        (_, RunVerdict::Invalid) => Exit::Invalid,
        (_, RunVerdict::Inconclusive) => Exit::Inconclusive,
        (Expectation::Unmet(_), RunVerdict::Leak | RunVerdict::Clean)
        | (Expectation::None, RunVerdict::Leak) => Exit::Leak,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(outcome: Outcome) -> End {
        End { outcome, elapsed_ms: 0, requests: 0 }
    }

    fn unmet() -> Expectation {
        Expectation::Unmet(vec!["component cache: expected stable, got leak".to_owned()])
    }

    #[test]
    fn without_an_expectation_the_verdict_decides() {
        let end = ended(Outcome::Completed);
        let decide = |verdict| decide(Some(&end), verdict, &Expectation::None);
        assert_eq!(decide(RunVerdict::Clean), Exit::Clean);
        assert_eq!(decide(RunVerdict::Leak), Exit::Leak);
        assert_eq!(decide(RunVerdict::Inconclusive), Exit::Inconclusive);
        assert_eq!(decide(RunVerdict::Invalid), Exit::Invalid);
    }

    #[test]
    fn a_leak_that_was_expected_is_no_failure() {
        let end = ended(Outcome::Completed);
        assert_eq!(decide(Some(&end), RunVerdict::Leak, &Expectation::Met), Exit::Clean);
    }

    #[test]
    fn an_unmet_expectation_fails_even_when_nothing_leaks() {
        let end = ended(Outcome::Completed);
        assert_eq!(decide(Some(&end), RunVerdict::Clean, &unmet()), Exit::Leak);
        assert_eq!(decide(Some(&end), RunVerdict::Inconclusive, &unmet()), Exit::Inconclusive);
        assert_eq!(decide(Some(&end), RunVerdict::Invalid, &unmet()), Exit::Invalid);
    }

    #[test]
    fn no_expectation_excuses_a_run_that_did_not_end() {
        let died = ended(Outcome::TargetDied { status: "signal 9".to_owned(), stderr: String::new() });
        assert_eq!(decide(Some(&died), RunVerdict::Clean, &Expectation::Met), Exit::TargetDied);
        assert_eq!(
            decide(Some(&ended(Outcome::Interrupted)), RunVerdict::Clean, &Expectation::Met),
            Exit::Invalid
        );
        assert_eq!(decide(None, RunVerdict::Clean, &Expectation::Met), Exit::Invalid);
    }
}
