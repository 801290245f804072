//! Suppressions: a reason, a day, and what they matched.

use heapsoak_gate::{Check, Outcome, Rules, Suppressions};
use heapsoak_record::Recording;

use crate::asked::{TODAY, run, with};
use crate::server::{Step, soak};

fn leaking() -> Recording {
    let mut kept = Vec::new();
    run(&soak(&[("a.b", 1), ("a.c", 1)]), |server, step| match step {
        Step::Request("a.b", _) => kept.push(server.alloc("a", 100)),
        Step::Request(..) => server.churn("c", 10),
        _ => {}
    })
}

/// The gate's outcome with suppressions, and theirs.
fn gated(recording: &Recording, suppressions: &str) -> (Outcome, Vec<Check>) {
    let rules = Rules::parse(&format!("version = 1\n{suppressions}")).unwrap();
    let mut suppressions = Suppressions::new(&rules.suppressions, TODAY);
    let gated = with(recording, &rules, None, &mut suppressions);
    (gated.outcome, suppressions.checks(&["test"], true))
}

fn suppression(more: &str, until: &str) -> String {
    format!("[[suppression]]\ncomponent = \"a\"\nreason = \"issue 12\"\nuntil = {until}\n{more}\n")
}

#[test]
fn a_suppressed_leak_passes_and_is_counted_with_its_reason() {
    let (outcome, checks) = gated(&leaking(), &suppression("triggered-by = [\"a.b\"]", "2026-11-25"));
    assert_eq!(outcome, Outcome::Passed);
    assert_eq!(checks[0].outcome, Outcome::Passed);
    assert_eq!(checks[0].says, "matches 1 finding until 2026-11-25: issue 12");
}

#[test]
fn a_suppression_that_ran_out_yesterday_fails_and_so_does_its_leak() {
    let (outcome, checks) = gated(&leaking(), &suppression("", "2026-11-24"));
    assert_eq!(outcome, Outcome::Failed);
    assert_eq!(checks[0].outcome, Outcome::Failed);
    assert!(checks[0].says.contains("ran out on 2026-11-24"), "{}", checks[0].says);
}

#[test]
fn a_suppression_that_matches_nothing_fails() {
    for more in [
        "triggered-by = [\"a.c\"]",
        "pattern = \"cleanup-gap\"",
        "scenarios = [\"test\"]\npattern = \"churn\"",
    ] {
        let (outcome, checks) = gated(&leaking(), &suppression(more, "2027-01-01"));
        assert_eq!(outcome, Outcome::Failed, "the leak is not excused by {more}");
        assert_eq!(checks[0].outcome, Outcome::Failed);
        assert!(checks[0].says.contains("matches nothing"), "{}", checks[0].says);
    }
}

#[test]
fn a_suppression_of_a_scenario_that_did_not_run_is_not_called_stale() {
    let rules =
        Rules::parse(&format!("version = 1\n{}", suppression("scenarios = [\"other\"]", "2027-01-01")))
            .unwrap();
    let suppressions = Suppressions::new(&rules.suppressions, TODAY);
    assert_eq!(suppressions.checks(&["test"], false)[0].outcome, Outcome::Passed);
    assert_eq!(suppressions.checks(&["test", "other"], true)[0].outcome, Outcome::Failed);
}
