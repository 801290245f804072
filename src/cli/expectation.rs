use heapsoak_driver::{Expect, ExpectedComponent, ExpectedFinding, OneOf};
use heapsoak_verdict::{Finding, Judgement, Severity};

/// Compares what a scenario expects with what was found. Returns what is not so, one sentence each.
#[must_use]
pub(crate) fn unmet(expect: &Expect, judgement: &Judgement) -> Vec<String> {
    let mut unmet = Vec::new();
    check_verdict(expect, judgement, &mut unmet);
    for (name, expected) in &expect.component {
        check_component(name, expected, judgement, &mut unmet);
    }
    for (name, expected) in &expect.resources {
        let found = judgement.resource(name).map(|resource| resource.verdict.word());
        check_word(&format!("resource {name}"), expected, found, &mut unmet);
    }
    for (component, expected) in &expect.claims {
        let claim = judgement.claims.iter().find(|judged| judged.claim.component == *component);
        check_word(
            &format!("claim on {component}"),
            expected,
            claim.map(|judged| judged.answer.word()),
            &mut unmet,
        );
    }
    check_findings(expect, judgement, &mut unmet);
    unmet
}

fn check_verdict(expect: &Expect, judgement: &Judgement, unmet: &mut Vec<String>) {
    if let Some(expected) = &expect.verdict {
        check_word("verdict", expected, Some(judgement.verdict.word()), unmet);
    }
}

fn check_component(name: &str, expected: &ExpectedComponent, judgement: &Judgement, unmet: &mut Vec<String>) {
    let what = format!("component {name}");
    let Some(component) = judgement.component(name) else {
        check_word(&what, &expected.verdict, None, unmet);
        return;
    };
    check_word(&what, &expected.verdict, Some(component.verdict.word()), unmet);
    let growth = component.growth_bytes_per_1000_requests.estimate;
    if let Some([low, high]) = expected.growth_per_1000
        && !(low..=high).contains(&growth)
    {
        unmet.push(format!(
            "{what}: expected growth of {low} to {high} bytes per 1,000 requests, got {growth:.0}"
        ));
    }
    if let (Some(most), Some(bound)) = (expected.bound_max, component.bound_bytes)
        && bound > most
    {
        unmet.push(format!("{what}: expected a bound of at most {most} bytes, got {bound}"));
    }
}

fn check_word<V>(what: &str, expected: &OneOf<V>, found: Option<&str>, unmet: &mut Vec<String>) {
    if found.is_none_or(|found| !expected.allows(found)) {
        unmet.push(format!(
            "{what}: expected {expected}, got {}",
            found.unwrap_or("nothing: it is not in this run")
        ));
    }
}

fn check_findings(expect: &Expect, judgement: &Judgement, unmet: &mut Vec<String>) {
    for expected in &expect.findings {
        if !judgement.findings.iter().any(|finding| is(finding, expected)) {
            unmet.push(format!("finding {}: expected, but not found", describe(expected)));
        }
    }
    let most = expect.max_severity.as_ref().and_then(worst_allowed);
    for finding in &judgement.findings {
        let listed = expect.findings.iter().any(|expected| is(finding, expected));
        if most.is_some_and(|most| finding.severity > most) {
            unmet.push(format!("finding '{}': {} is too severe", finding.summary, finding.severity.word()));
        } else if expect.only && !listed && finding.severity > Severity::Low {
            unmet.push(format!("finding '{}' ({}): not expected", finding.summary, finding.severity.word()));
        }
    }
}

/// The worst severity among the words.
fn worst_allowed<V>(words: &OneOf<V>) -> Option<Severity> {
    let severities = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];
    severities.into_iter().find(|severity| words.allows(severity.word()))
}

fn is(finding: &Finding, expected: &ExpectedFinding) -> bool {
    let triggers = |kind: &String| finding.triggered_by.contains(kind);
    finding.component == expected.component
        && expected.pattern.as_ref().is_none_or(|pattern| pattern.allows(finding.pattern.word()))
        && expected.triggered_by.iter().all(triggers)
        && !expected.not_triggered_by.iter().any(triggers)
        && expected.resource.as_ref().is_none_or(|resource| finding.resources.contains(resource))
}

fn describe(expected: &ExpectedFinding) -> String {
    let mut words = expected.component.clone();
    if let Some(pattern) = &expected.pattern {
        words += &format!(", {pattern}");
    }
    if !expected.triggered_by.is_empty() {
        words += &format!(", triggered by {}", expected.triggered_by.join(" and "));
    }
    if !expected.not_triggered_by.is_empty() {
        words += &format!(", not triggered by {}", expected.not_triggered_by.join(" or "));
    }
    if let Some(resource) = &expected.resource {
        words += &format!(", with {resource}");
    }
    words
}

#[cfg(test)]
mod tests {
    use heapsoak_verdict::{Growth, Pattern};

    use super::*;

    fn finding(severity: Severity, component: &str, pattern: Pattern, triggered_by: &[&str]) -> Finding {
        Finding {
            severity,
            component: component.to_owned(),
            pattern,
            growth_bytes_per_1000_requests: Growth::default(),
            at_10000_requests_bytes: 0.0,
            triggered_by: triggered_by.iter().map(|kind| (*kind).to_owned()).collect(),
            growth_bytes_per_1000_triggering_requests: None,
            resources: vec!["children".to_owned()],
            bound_bytes: None,
            summary: format!("{component} grows"),
            evidence: Vec::new(),
            action: String::new(),
        }
    }

    fn expected(component: &str) -> ExpectedFinding {
        ExpectedFinding {
            component: component.to_owned(),
            pattern: None,
            triggered_by: Vec::new(),
            not_triggered_by: Vec::new(),
            resource: None,
        }
    }

    #[test]
    fn a_finding_matches_when_it_has_all_that_is_expected() {
        let found =
            finding(Severity::High, "session", Pattern::CleanupGap, &["session.expired", "session.error"]);
        let kinds = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>();
        assert!(is(&found, &expected("session")));
        assert!(!is(&found, &expected("cache")));
        let one = ExpectedFinding { triggered_by: kinds(&["session.expired"]), ..expected("session") };
        assert!(is(&found, &one));
        let other = ExpectedFinding { triggered_by: kinds(&["session.success"]), ..expected("session") };
        assert!(!is(&found, &other));
        let without = ExpectedFinding { not_triggered_by: kinds(&["session.error"]), ..expected("session") };
        assert!(!is(&found, &without));
        let resource = ExpectedFinding { resource: Some("zombies".to_owned()), ..expected("session") };
        assert!(!is(&found, &resource));
    }

    #[test]
    fn a_finding_is_described_with_all_that_identifies_it() {
        let expected = ExpectedFinding {
            triggered_by: vec!["a.b".to_owned(), "a.c".to_owned()],
            resource: Some("children".to_owned()),
            ..expected("a")
        };
        assert_eq!(describe(&expected), "a, triggered by a.b and a.c, with children");
    }
}
