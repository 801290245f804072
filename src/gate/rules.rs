use std::collections::BTreeMap;

use heapsoak_record::{Budgets, ComponentBudget, ResourceBudget};
use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use crate::Suppression;

/// Version of the file's format.
const VERSION: u32 = 1;

/// What is asked of every run, as `heapsoak.toml` has it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    /// Largest detection limit a component may have, in bytes per 1,000 requests. The positive control is planted at this
    /// rate. None: whatever the run sees, and a control of the tool's own choice.
    pub detection_limit: Option<f64>,
    /// Known leaks that may pass for a while.
    pub suppressions: Vec<Suppression>,
    everywhere: Budgets,
    by_scenario: BTreeMap<String, Budgets>,
}

/// Why the rules can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RulesError {
    /// What is wrong and what to do.
    pub message: String,
    /// Where, in bytes from the start of the text.
    pub span: std::ops::Range<usize>,
}

impl Rules {
    /// Reads rules from the text of a file.
    ///
    /// # Errors
    ///
    /// Names the first mistake and its place.
    pub fn parse(text: &str) -> Result<Rules, RulesError> {
        let file: File = toml::from_str(text).map_err(|error| RulesError {
            message: error.message().to_owned(),
            span: error.span().unwrap_or(0..0),
        })?;
        let wrong = |span: std::ops::Range<usize>, message: String| RulesError { message, span };
        if *file.version.get_ref() != VERSION {
            let message = format!("version {} is unknown: write version = {VERSION}", file.version.get_ref());
            return Err(wrong(file.version.span(), message));
        }
        let gate = file.gate.unwrap_or_default();
        if let Some(limit) = gate.detection_limit.as_ref().filter(|limit| !is_limit(*limit.get_ref())) {
            let message = "a detection limit is a number of bytes per 1,000 requests, from 64 up".to_owned();
            return Err(wrong(limit.span(), message));
        }
        let mut by_scenario = BTreeMap::new();
        for (name, scenario) in file.scenario {
            let budgets = checked(scenario.budget)?;
            by_scenario.insert(name, budgets);
        }
        let suppressions = file.suppression.into_iter().map(suppression).collect::<Result<_, _>>()?;
        Ok(Rules {
            detection_limit: gate.detection_limit.map(Spanned::into_inner),
            suppressions,
            everywhere: file.budget.map(checked).transpose()?.unwrap_or_default(),
            by_scenario,
        })
    }

    /// Rules that ask for nothing but a detection limit.
    #[must_use]
    pub fn with_detection_limit(limit: Option<f64>) -> Rules {
        Rules { detection_limit: limit, ..Rules::default() }
    }

    /// The budgets of a scenario: its own over those of all.
    #[must_use]
    pub fn budgets(&self, scenario: &str) -> Budgets {
        self.by_scenario
            .get(scenario)
            .map_or_else(|| self.everywhere.clone(), |own| self.everywhere.overlaid(own))
    }

    /// Scenarios that have budgets of their own, to be checked against those that there are.
    pub fn scenarios(&self) -> impl Iterator<Item = &str> {
        let suppressed = self.suppressions.iter().flat_map(|suppression| &suppression.scenarios);
        self.by_scenario.keys().chain(suppressed).map(String::as_str)
    }
}

fn is_limit(limit: f64) -> bool {
    limit.is_finite() && limit >= 64.0
}

fn checked(budgets: Spanned<BudgetFile>) -> Result<Budgets, RulesError> {
    let span = budgets.span();
    let BudgetFile { component, resource } = budgets.into_inner();
    let budgets = Budgets { component, resource };
    match budgets.problem() {
        Some(message) => Err(RulesError { message, span }),
        None => Ok(budgets),
    }
}

fn suppression(file: Spanned<SuppressionFile>) -> Result<Suppression, RulesError> {
    let span = file.span();
    let file = file.into_inner();
    let wrong = |message: &str| RulesError { message: message.to_owned(), span: span.clone() };
    if file.reason.trim().is_empty() {
        return Err(wrong(
            "a suppression needs a reason: whoever reads it next has to know why the leak may pass",
        ));
    }
    let until =
        date(&file.until).ok_or_else(|| wrong("until is a day: write until = 2027-01-31, without quotes"))?;
    Ok(Suppression {
        component: file.component,
        pattern: file.pattern,
        triggered_by: file.triggered_by,
        scenarios: file.scenarios,
        reason: file.reason,
        until,
    })
}

fn date(until: &Datetime) -> Option<Date> {
    let date = until.date.filter(|_| until.time.is_none())?;
    Date::new(date.year.try_into().ok()?, date.month.try_into().ok()?, date.day.try_into().ok()?).ok()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Spanned<u32>,
    gate: Option<GateFile>,
    budget: Option<Spanned<BudgetFile>>,
    #[serde(default)]
    scenario: BTreeMap<String, ScenarioFile>,
    #[serde(default)]
    suppression: Vec<Spanned<SuppressionFile>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct GateFile {
    detection_limit: Option<Spanned<f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScenarioFile {
    budget: Spanned<BudgetFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetFile {
    #[serde(default)]
    component: BTreeMap<String, ComponentBudget>,
    #[serde(default)]
    resource: BTreeMap<String, ResourceBudget>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SuppressionFile {
    component: String,
    pattern: Option<String>,
    #[serde(default)]
    triggered_by: Vec<String>,
    #[serde(default)]
    scenarios: Vec<String>,
    reason: String,
    until: Datetime,
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"
version = 1

[gate]
detection-limit = 4096

[budget.component.session]
growth-per-1000 = 10_000
peak = 2_000_000

[budget.resource.zombies]
peak = 0

[scenario.fixed.budget.component.session]
peak = 500_000
churn = 65_536

[[suppression]]
component = "verifier"
triggered-by = ["verifier.junk-suffix"]
scenarios = ["missed"]
reason = "the strict decoder comes with the next release"
until = 2027-01-31
"#;

    #[test]
    fn a_full_file_is_read_and_a_scenarios_budgets_lie_over_those_of_all() {
        let rules = Rules::parse(FULL).unwrap();
        assert_eq!(rules.detection_limit, Some(4096.0));
        let session = rules.budgets("fixed").component["session"];
        let expected =
            ComponentBudget { growth_per_1000: Some(10_000.0), peak: Some(500_000), churn: Some(65_536.0) };
        assert_eq!(session, expected);
        assert_eq!(rules.budgets("claims").component["session"].peak, Some(2_000_000));
        assert_eq!(rules.suppressions[0].until, Date::constant(2027, 1, 31));
        assert_eq!(rules.scenarios().collect::<Vec<_>>(), ["fixed", "missed"]);
    }

    #[test]
    fn each_mistake_is_named_with_its_place() {
        let cases = [
            ("version = 9", "version 9 is unknown"),
            ("version = 1\nbudgets = 3", "unknown field `budgets`"),
            ("version = 1\n[budget.component.a]\ngrowth-per-1000 = 0", "above zero"),
            ("version = 1\n[budget.component.a]\ngrowth = 7", "unknown field `growth`"),
            ("version = 1\n[gate]\ndetection-limit = 3", "from 64 up"),
            ("version = 1\n[[suppression]]\ncomponent = \"a\"\nuntil = 2027-01-31", "missing field `reason`"),
            ("version = 1\n[[suppression]]\ncomponent = \"a\"\nreason = \"b\"", "missing field `until`"),
            (
                "version = 1\n[[suppression]]\ncomponent = \"a\"\nreason = \" \"\nuntil = 2027-01-31",
                "needs a reason",
            ),
            ("version = 1\n[[suppression]]\ncomponent = \"a\"\nreason = \"b\"\nuntil = \"soon\"", ""),
        ];
        for (text, says) in cases {
            let error = Rules::parse(text).unwrap_err();
            assert!(error.message.contains(says), "{text}: {error}");
            assert!(error.span.end <= text.len());
        }
    }

    #[test]
    fn the_example_of_the_documentation_is_read() {
        let page = include_str!("../../docs/gate.md");
        let example = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let rules = Rules::parse(example).unwrap();
        assert_eq!(rules.suppressions.len(), 1);
        assert!(!rules.budgets("fixed").is_empty());
    }
}
