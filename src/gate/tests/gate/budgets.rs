//! Budgets: held, exceeded, or not to be told by this run.

use heapsoak_gate::Outcome;
use heapsoak_record::Recording;

use crate::asked::{assert_outcome, by_rules, check, run};
use crate::server::{Step, soak};

/// Keeps 100 bytes of every request: 100,000 per 1,000; makes 250 more. The suppression lets the leak itself pass.
fn leaking() -> Recording {
    let mut kept = Vec::new();
    run(&soak(&[("a.b", 1)]), |server, step| {
        if let Step::Request(..) = step {
            kept.push(server.alloc("a", 100));
            server.churn("a", 250);
        }
    })
}

fn budget(figures: &str) -> String {
    format!("[budget.component.a]\n{figures}")
}

const KNOWN: &str = "\n[[suppression]]\ncomponent = \"a\"\nreason = \"known\"\nuntil = 2026-12-31\n";

#[test]
fn each_figure_of_a_component_has_its_budget() {
    let recording = leaking();
    let cases = [
        ("growth-per-1000 = 110_000", "growth", Outcome::Passed),
        ("growth-per-1000 = 90_000", "growth", Outcome::Failed),
        ("peak = 2_000_000", "peak", Outcome::Passed),
        ("peak = 1_000_000", "peak", Outcome::Failed),
        ("churn = 400", "churn", Outcome::Passed),
        ("churn = 300", "churn", Outcome::Failed),
    ];
    for (figures, name, outcome) in cases {
        let gated = by_rules(&recording, &(budget(figures) + KNOWN));
        assert_eq!(check(&gated, &format!("budget of a: {name}")).outcome, outcome, "{figures}");
        assert_outcome(&gated, outcome);
    }
}

#[test]
fn a_budget_below_the_detection_limit_is_undecided_and_says_how_many_requests_it_takes() {
    // Now and then it keeps a block of 40 KB for good, too seldom to be called a leak.
    let mut held = Vec::new();
    let recording = run(&soak(&[("a.b", 1)]), |server, step| match step {
        Step::Start => held.push(server.alloc("a", 40_000)),
        Step::Request(..) => server.churn("a", 250),
        _ => {}
    });
    let gated = by_rules(&recording, &budget("growth-per-1000 = 10"));
    assert_outcome(&gated, Outcome::Undecided);
    let growth = check(&gated, "budget of a: growth");
    assert!(growth.says.contains("more requests would tell"), "{}", growth.says);
    let wanted = growth.wanted_requests.unwrap();
    assert!((100_000..10_000_000).contains(&wanted), "{wanted}");
    assert_outcome(&by_rules(&recording, &budget("growth-per-1000 = 100_000")), Outcome::Passed);
}

#[test]
fn a_detection_limit_that_was_asked_for_and_not_reached_closes_the_gate() {
    let mut held = Vec::new();
    let recording = run(&soak(&[("a.b", 1)]), |server, step| match step {
        Step::Start => held.push(server.alloc("a", 40_000)),
        Step::Request(..) => server.churn("a", 250),
        _ => {}
    });
    let gated = by_rules(&recording, "[gate]\ndetection-limit = 64");
    assert_outcome(&gated, Outcome::Invalid);
    assert!(check(&gated, "detection limit").says.contains("more requests"), "{:#?}", gated.checks);
    assert_outcome(&by_rules(&recording, "[gate]\ndetection-limit = 100_000"), Outcome::Passed);
}

#[test]
fn resources_have_budgets_of_growth_and_peak() {
    let recording = run(&soak(&[("a.b", 1)]), |server, step| match step {
        Step::Request(_, number) if number % 100 == 0 => {
            *server.resources.entry("fds.socket").or_default() += 1;
        }
        Step::Start => {
            server.resources.insert("fds.socket", 3);
            server.resources.insert("zombies", 0);
            server.churn("a", 1);
        }
        _ => {}
    });
    let sockets =
        |figures: &str| by_rules(&recording, &format!("[budget.resource.\"fds.socket\"]\n{figures}"));
    let outcome = |gated, name: &str| check(&gated, &format!("budget of fds.socket: {name}")).outcome;
    assert_eq!(outcome(sockets("growth-per-1000 = 8"), "growth"), Outcome::Failed);
    assert_eq!(outcome(sockets("growth-per-1000 = 12"), "growth"), Outcome::Passed);
    assert_eq!(outcome(sockets("peak = 20"), "peak"), Outcome::Failed);
    let zombies = by_rules(&recording, "[budget.resource.zombies]\npeak = 0");
    assert_eq!(check(&zombies, "budget of zombies: peak").outcome, Outcome::Passed);
}
