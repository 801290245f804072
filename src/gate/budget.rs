//! Budgets: what a component or a resource may cost, at most.

use heapsoak_record::Budgets;
use heapsoak_verdict::ComponentVerdict;

use crate::words::{byte_range, bytes, count, range};
use crate::{Check, ComponentFigures, Figures, Interval, Outcome, ResourceFigures};

/// One check per figure that is limited.
pub(crate) fn checks(budgets: &Budgets, figures: &Figures) -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, budget) in &budgets.component {
        let title = |what: &str| format!("budget of {name}: {what}");
        let Some(found) = figures.components.get(name) else {
            checks.push(absent(&format!("budget of {name}"), "component", name, figures.components.keys()));
            continue;
        };
        if let Some(most) = budget.growth_per_1000 {
            checks.push(growth(title("growth"), most, &Grown::component(found), figures.requests));
        }
        if let Some(most) = budget.peak {
            let says =
                format!("at most {} at any quiet point, {} found", bytes(most as f64), bytes(found.peak));
            checks.push(Check::new(title("peak"), outcome(found.peak <= most as f64), says));
        }
        if let Some(most) = budget.churn {
            checks.push(churn(title("churn"), most, found, figures.requests));
        }
    }
    for (name, budget) in &budgets.resource {
        let title = |what: &str| format!("budget of {name}: {what}");
        let Some(found) = figures.resources.get(name) else {
            checks.push(absent(&format!("budget of {name}"), "resource", name, figures.resources.keys()));
            continue;
        };
        if let Some(most) = budget.growth_per_1000 {
            checks.push(growth(title("growth"), most, &Grown::resource(found), figures.requests));
        }
        if let Some(most) = budget.peak {
            let says =
                format!("at most {} at any quiet point, {} found", count(most as f64), count(found.peak));
            checks.push(Check::new(title("peak"), outcome(found.peak <= most as f64), says));
        }
    }
    checks
}

/// Growth of either sort, with how to write it.
struct Grown {
    verdict: ComponentVerdict,
    growth: Interval,
    detectable: f64,
    unit: &'static str,
}

impl Grown {
    fn component(found: &ComponentFigures) -> Grown {
        Grown { verdict: found.verdict, growth: found.growth, detectable: found.detectable, unit: " bytes" }
    }

    fn resource(found: &ResourceFigures) -> Grown {
        Grown { verdict: found.verdict, growth: found.growth, detectable: found.detectable, unit: "" }
    }
}

fn growth(name: String, most: f64, found: &Grown, requests: f64) -> Check {
    let unit = found.unit;
    let allowed = format!("at most {}{unit} per 1,000 requests", count(most));
    if found.verdict == ComponentVerdict::Inconclusive {
        let says = format!("{allowed}; whether it grows for ever is undecided");
        return Check::wanting(name, says, requests);
    }
    if found.verdict != ComponentVerdict::Leak {
        if found.detectable > most {
            let limit = count(found.detectable);
            let says = format!("{allowed}; this run sees no growth below {limit}{unit}, so it can't tell");
            return Check::wanting(name, says, requests * (found.detectable / most - 1.0));
        }
        let says = format!("{allowed}; no growth from {}{unit} on", count(found.detectable));
        return Check::new(name, Outcome::Passed, says);
    }
    let says = format!("{allowed}, {} found", range(found.growth, unit));
    against(name, most, found.growth, says, requests)
}

fn churn(name: String, most: f64, found: &ComponentFigures, requests: f64) -> Check {
    let says = format!("at most {} allocated per request, {} found", bytes(most), byte_range(found.churn));
    against(name, most, found.churn, says, requests)
}

/// All of the interval has to lie on one side of the limit.
fn against(name: String, most: f64, found: Interval, says: String, requests: f64) -> Check {
    if found.low > most {
        return Check::new(name, Outcome::Failed, says);
    }
    if found.high <= most {
        return Check::new(name, Outcome::Passed, says);
    }
    // An interval narrows with the square root of the requests.
    let distance = (found.middle() - most).abs().max(found.half() / 10.0);
    Check::wanting(name, says, requests * ((found.half() / distance).powi(2) - 1.0).max(0.1))
}

/// What is limited and not there: most likely a name that was changed. That must not pass in silence.
fn absent<'a>(check: &str, what: &str, name: &str, known: impl Iterator<Item = &'a String>) -> Check {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let says = format!("the run has no {what} '{name}'; it has {}", known.join(", "));
    Check::new(check, Outcome::Invalid, says)
}

fn outcome(holds: bool) -> Outcome {
    if holds { Outcome::Passed } else { Outcome::Failed }
}
