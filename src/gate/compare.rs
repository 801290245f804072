//! A run beside its baseline: what got worse, beyond what chance explains.

use heapsoak_verdict::ComponentVerdict;

use crate::words::{byte_range, bytes, range};
use crate::{Check, ComponentFigures, Figures, Interval, Outcome, ResourceFigures, ScenarioBaseline};

/// Differences of what is held, and of churn, below these mean nothing, in bytes.
const HELD_GRAIN: f64 = 16.0 * 1024.0;
const CHURN_GRAIN: f64 = 64.0;

/// A run that sees so many times less than the baseline's did could hide what that one would have shown.
const COARSER: f64 = 4.0;

/// Detection limits below this are as good as any, in bytes per 1,000 requests.
const FINE_ENOUGH: f64 = 4096.0;

/// One check per component and resource of the run or its baseline.
pub(crate) fn checks(baseline: Option<&ScenarioBaseline>, scenario: &str, run: &Figures) -> Vec<Check> {
    let Some(ScenarioBaseline { figures: baseline }) = baseline else {
        let says = format!("the baseline has no scenario '{scenario}': add it with --update-baseline");
        return vec![Check::new("baseline", Outcome::Invalid, says)];
    };
    let mut checks = Vec::new();
    for (name, before) in &baseline.components {
        let title = format!("baseline of {name}");
        checks.push(match run.components.get(name) {
            Some(now) => component(title, before, now, run.requests),
            None => gone(title, "component", name),
        });
    }
    for (name, before) in &baseline.resources {
        let title = format!("baseline of {name}");
        checks.push(match run.resources.get(name) {
            Some(now) => resource(title, before, now),
            None => gone(title, "resource", name),
        });
    }
    let added = run.components.iter().filter(|(name, _)| !baseline.components.contains_key(*name));
    checks.extend(added.map(|(name, now)| {
        let says = format!("new since the baseline, {}, holds {}", now.verdict.word(), byte_range(now.held));
        Check::new(format!("baseline of {name}"), new(now.verdict), says)
    }));
    let added = run.resources.iter().filter(|(name, _)| !baseline.resources.contains_key(*name));
    checks.extend(added.map(|(name, now)| {
        let says = format!("new since the baseline, {}", now.verdict.word());
        Check::new(format!("baseline of {name}"), new(now.verdict), says)
    }));
    checks
}

fn new(verdict: ComponentVerdict) -> Outcome {
    if verdict == ComponentVerdict::Leak { Outcome::Failed } else { Outcome::Passed }
}

/// What the baseline has and the run does not: the scenario no longer reaches it, or its name changed.
fn gone(title: String, what: &str, name: &str) -> Check {
    let says = format!(
        "{what} '{name}' is in the baseline and not in this run: if that is right, --update-baseline"
    );
    Check::new(title, Outcome::Invalid, says)
}

fn component(title: String, before: &ComponentFigures, now: &ComponentFigures, requests: f64) -> Check {
    let mut worse = Vec::new();
    worse.extend(grown(before.verdict, before.growth, now.verdict, now.growth, now.detectable, " bytes"));
    // What leaks holds ever more: its growth is what counts.
    let leaks = before.verdict == ComponentVerdict::Leak || now.verdict == ComponentVerdict::Leak;
    let mut open = None;
    if !leaks && now.held.exceeds(before.held, HELD_GRAIN) {
        let holds = format!("holds {}, {} before", byte_range(now.held), byte_range(before.held));
        // As long as its level is undecided, so is whether the rest is for good. One that holds no more than before is not
        // worse, whatever its level does.
        if now.verdict == ComponentVerdict::Inconclusive { open = Some(holds) } else { worse.push(holds) }
    }
    if now.churn.exceeds(before.churn, CHURN_GRAIN) {
        worse.push(format!(
            "allocates {} per request, {} before",
            byte_range(now.churn),
            byte_range(before.churn)
        ));
    }
    if !worse.is_empty() {
        return Check::new(title, Outcome::Failed, worse.join("; "));
    }
    if let Some(holds) = open {
        return Check::new(title, Outcome::Undecided, format!("still rises and {holds}"));
    }
    let fine = now.verdict == ComponentVerdict::Leak || now.detectable <= FINE_ENOUGH;
    if !fine && now.detectable > COARSER * before.detectable {
        let says = format!(
            "sees no growth below {} per 1,000 requests, the baseline's run saw {}",
            bytes(now.detectable),
            bytes(before.detectable)
        );
        return Check::wanting(title, says, requests * (now.detectable / before.detectable / COARSER - 1.0));
    }
    Check::new(title, Outcome::Passed, same(before.verdict, now.verdict, &byte_range(now.held)))
}

fn resource(title: String, before: &ResourceFigures, now: &ResourceFigures) -> Check {
    if let Some(worse) = grown(before.verdict, before.growth, now.verdict, now.growth, now.detectable, "") {
        return Check::new(title, Outcome::Failed, worse);
    }
    Check::new(title, Outcome::Passed, same(before.verdict, now.verdict, &range(now.held, "")))
}

/// What got worse about growth, if anything did. `detectable` is the least that means anything.
fn grown(
    verdict_before: ComponentVerdict,
    before: Interval,
    verdict: ComponentVerdict,
    now: Interval,
    detectable: f64,
    unit: &str,
) -> Option<String> {
    if verdict != ComponentVerdict::Leak {
        return None;
    }
    let grows = format!("grows by {} per 1,000 requests", range(now, unit));
    match verdict_before {
        ComponentVerdict::Leak => {
            now.exceeds(before, detectable).then(|| format!("{grows}, by {} before", range(before, unit)))
        }
        other => Some(format!("{grows}, was {} before", other.word())),
    }
}

fn same(before: ComponentVerdict, now: ComponentVerdict, held: &str) -> String {
    match (before, now) {
        (ComponentVerdict::Leak, ComponentVerdict::Leak) => "grows no faster than before".to_owned(),
        (ComponentVerdict::Leak, better) => {
            format!("{} now, leaked before: --update-baseline holds it to that", better.word())
        }
        _ => format!("{}, holds {held}", now.word()),
    }
}
