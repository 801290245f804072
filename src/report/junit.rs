use std::time::Duration;

use heapsoak_record::Unit;
use heapsoak_verdict::ComponentVerdict;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::units::Bytes;
use crate::{Check, CheckOutcome, RenderError, Rendered, Renderer, Run, phrases};

/// The report as JUnit XML: one suite per scenario, one case per component, resource and check of a gate.
///
/// A leak is a failure; what the run could not decide is an error, so that no server shows it as passed.
#[derive(Debug, Clone, Copy, Default)]
pub struct JUnit;

impl Renderer for JUnit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn render(&self, run: &Run<'_>) -> Result<Vec<Rendered>, RenderError> {
        self.render_all(std::slice::from_ref(run))
    }

    fn render_all(&self, runs: &[Run<'_>]) -> Result<Vec<Rendered>, RenderError> {
        let mut report = Report::new("heapsoak");
        report.add_test_suites(runs.iter().map(suite));
        let wrong = |error: quick_junit::SerializeError| RenderError::Format {
            format: "junit",
            why: error.to_string(),
        };
        Ok(vec![Rendered::new("junit.xml", report.to_string().map_err(wrong)?)])
    }
}

fn suite(run: &Run<'_>) -> TestSuite {
    let header = &run.recording.header;
    let mut suite = TestSuite::new(format!("heapsoak.{}", header.scenario));
    let last = run.recording.snapshots.last().map(|snapshot| snapshot.elapsed_ms);
    let elapsed = run.recording.end.as_ref().map(|end| end.elapsed_ms).or(last).unwrap_or_default();
    suite.set_time(Duration::from_millis(elapsed));
    let properties = [
        ("verdict", run.judgement.verdict.word().to_owned()),
        ("seed", header.seed.to_string()),
        ("target", header.target.name.clone()),
        ("again", phrases::reproduce(run)),
    ];
    for (name, value) in properties {
        suite.add_property((name, value.as_str()));
    }
    suite.add_test_case(quality(run));
    for component in &run.judgement.components {
        let growth = component.growth_bytes_per_1000_requests;
        let found = format!(
            "{} per 1,000 requests ({}); from {} on it would have been seen",
            phrases::estimate(growth, Unit::Bytes),
            phrases::interval(growth, Unit::Bytes),
            Bytes(component.minimum_detectable_bytes_per_1000_requests)
        );
        suite.add_test_case(case(run, "component", &component.name, component.verdict, &found));
    }
    for resource in run.judgement.resources.iter().filter(|resource| resource.unit == Unit::Count) {
        let growth = resource.growth_per_1000_requests;
        let found = format!(
            "{} per 1,000 requests ({})",
            phrases::estimate(growth, Unit::Count),
            phrases::interval(growth, Unit::Count)
        );
        suite.add_test_case(case(run, "resource", &resource.name, resource.verdict, &found));
    }
    for check in run.checks {
        suite.add_test_case(checked(run, check));
    }
    suite
}

/// Whether the run's data can carry a verdict at all.
fn quality(run: &Run<'_>) -> TestCase {
    let failures = &run.judgement.quality.failures;
    let status = match failures.first() {
        None => TestCaseStatus::success(),
        Some(first) => bad(NonSuccessKind::Error, "invalid", &phrases::sentence(first), &failures.join("\n")),
    };
    named(run, "run", "the data can carry a verdict", status)
}

fn case(run: &Run<'_>, what: &str, name: &str, verdict: ComponentVerdict, found: &str) -> TestCase {
    let status = match verdict {
        ComponentVerdict::Stable | ComponentVerdict::Bounded => TestCaseStatus::success(),
        ComponentVerdict::Leak => {
            bad(NonSuccessKind::Failure, "leak", &format!("{name} leaks: {found}"), &findings(run, name))
        }
        ComponentVerdict::Inconclusive => {
            let message = format!("{name} is undecided: {found}");
            bad(NonSuccessKind::Error, "inconclusive", &message, &phrases::headline(run))
        }
    };
    let mut case = named(run, what, name, status);
    let healthy = matches!(verdict, ComponentVerdict::Stable | ComponentVerdict::Bounded);
    let more = if healthy { findings(run, name) } else { String::new() };
    case.set_system_out(format!("{}: {found}\n{more}", verdict.word()).trim_end());
    case
}

fn checked(run: &Run<'_>, check: &Check) -> TestCase {
    let status = match check.outcome {
        CheckOutcome::Passed => TestCaseStatus::success(),
        CheckOutcome::Failed => bad(NonSuccessKind::Failure, "check", &check.says, &check.says),
        CheckOutcome::Undecided => bad(NonSuccessKind::Error, "undecided", &check.says, &check.says),
    };
    named(run, "check", &check.name, status)
}

fn named(run: &Run<'_>, what: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(format!("heapsoak.{}.{what}", run.recording.header.scenario));
    case.set_time(Duration::ZERO);
    case
}

fn bad(kind: NonSuccessKind, of: &str, message: &str, more: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(of).set_message(message).set_description(more);
    status
}

/// What was found about a component or a resource, for people who open the case.
fn findings(run: &Run<'_>, name: &str) -> String {
    let about = run.findings().filter(|(_, finding)| {
        finding.component == name || finding.resources.iter().any(|resource| resource == name)
    });
    let said = about.map(|(number, finding)| {
        let triggers = match finding.triggered_by.as_slice() {
            [] => String::new(),
            kinds => format!("\n  triggered by {}", phrases::list(kinds)),
        };
        let site = run.sites(finding).into_iter().next();
        let site = site.map(|site| format!("\n  {}", phrases::at(&site))).unwrap_or_default();
        format!(
            "finding {number}, {}: {}{triggers}{site}\n  do: {}",
            finding.severity.word(),
            phrases::ended(&finding.summary),
            phrases::ended(&finding.action)
        )
    });
    said.collect::<Vec<_>>().join("\n")
}
