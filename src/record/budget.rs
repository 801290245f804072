use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a server may cost: most growth, most memory, most allocation, by component and by resource.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Budgets {
    /// By component.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub component: BTreeMap<String, ComponentBudget>,
    /// By non-heap resource, e.g. `zombies`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resource: BTreeMap<String, ResourceBudget>,
}

/// What a component may cost.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ComponentBudget {
    /// Most growth, in bytes per 1,000 requests of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth_per_1000: Option<f64>,
    /// Most bytes alive at any quiet point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<u64>,
    /// Most bytes allocated per request of the run, after warm-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub churn: Option<f64>,
}

/// What a resource may cost.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ResourceBudget {
    /// Most growth, per 1,000 requests of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth_per_1000: Option<f64>,
    /// Most at any quiet point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<u64>,
}

impl Budgets {
    /// Whether nothing is limited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.component.is_empty() && self.resource.is_empty()
    }

    /// These budgets with others over them: what `over` limits replaces what stands here, figure by figure.
    #[must_use]
    pub fn overlaid(&self, over: &Budgets) -> Budgets {
        let mut all = self.clone();
        for (name, budget) in &over.component {
            let own = all.component.entry(name.clone()).or_default();
            own.growth_per_1000 = budget.growth_per_1000.or(own.growth_per_1000);
            own.peak = budget.peak.or(own.peak);
            own.churn = budget.churn.or(own.churn);
        }
        for (name, budget) in &over.resource {
            let own = all.resource.entry(name.clone()).or_default();
            own.growth_per_1000 = budget.growth_per_1000.or(own.growth_per_1000);
            own.peak = budget.peak.or(own.peak);
        }
        all
    }

    /// What no run can show to hold, or is no limit at all; none when everything can be.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let growths = self
            .component
            .iter()
            .map(|(name, budget)| (name, budget.growth_per_1000, "component"))
            .chain(self.resource.iter().map(|(name, budget)| (name, budget.growth_per_1000, "resource")));
        for (name, growth, what) in growths {
            if growth.is_some_and(|growth| !growth.is_finite() || growth <= 0.0) {
                return Some(format!(
                    "growth-per-1000 of {what} '{name}' must be above zero: no run can show that nothing grows, \
                     only that nothing grows by more than it can detect"
                ));
            }
        }
        for (name, budget) in &self.component {
            if budget.churn.is_some_and(|churn| !churn.is_finite() || churn < 0.0) {
                return Some(format!("churn of component '{name}' must be a number of bytes"));
            }
            if *budget == ComponentBudget::default() {
                return Some(format!(
                    "the budget of component '{name}' limits nothing: add growth-per-1000, peak or churn"
                ));
            }
        }
        let empty = self.resource.iter().find(|(_, budget)| **budget == ResourceBudget::default());
        empty.map(|(name, _)| {
            format!("the budget of resource '{name}' limits nothing: add growth-per-1000 or peak")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(growth_per_1000: Option<f64>, peak: Option<u64>) -> Budgets {
        let budget = ComponentBudget { growth_per_1000, peak, churn: None };
        Budgets { component: BTreeMap::from([("session".to_owned(), budget)]), ..Budgets::default() }
    }

    #[test]
    fn a_budget_laid_over_another_replaces_only_what_it_limits() {
        let all = session(Some(1_000.0), Some(5_000)).overlaid(&session(None, Some(9_000)));
        assert_eq!(all, session(Some(1_000.0), Some(9_000)));
    }

    #[test]
    fn a_budget_that_no_run_can_hold_is_a_mistake() {
        assert!(session(Some(0.0), None).problem().unwrap().contains("'session' must be above zero"));
        assert!(session(Some(f64::NAN), None).problem().is_some());
        assert!(session(None, None).problem().unwrap().contains("limits nothing"));
        assert_eq!(session(Some(64.0), Some(0)).problem(), None);
    }
}
