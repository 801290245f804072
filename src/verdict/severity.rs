//! How bad a finding is; the rule is documented at [`Severity`].

use crate::churn::Churn;
use crate::judgement::{Pattern, Severity};

/// From so many bytes per 1,000 requests on, growth is critical, high, medium.
const GROWTH: [(f64, Severity); 3] =
    [(10e6, Severity::Critical), (100e3, Severity::High), (10e3, Severity::Medium)];

/// What is bounded is medium from so many bytes on.
const HELD: f64 = 1e6;

/// Growing churn is medium, and any churn high, from so many bytes per request on.
const CHURN: (f64, f64) = (4096.0, 4.0 * 1024.0 * 1024.0);

/// Churn that does not grow is medium from so many bytes per request on.
const STEADY_CHURN: f64 = 2.0 * 1024.0 * 1024.0;

/// What makes a finding bad.
pub(crate) struct Weight<'a> {
    /// Bytes per 1,000 requests of the run that are never given back.
    pub(crate) per_1000: f64,
    /// Bytes held for a time.
    pub(crate) held: f64,
    /// Resources that leak along.
    pub(crate) resources: &'a [String],
}

/// Severity of a finding that is not churn.
pub(crate) fn severity(pattern: Pattern, weight: &Weight<'_>) -> Severity {
    let by_growth = GROWTH
        .iter()
        .find(|(least, _)| weight.per_1000 >= *least)
        .map_or(Severity::Low, |&(_, severity)| severity);
    let by_resource = weight
        .resources
        .iter()
        .map(|name| if name == "children" || name == "zombies" { Severity::Critical } else { Severity::High })
        .max()
        .unwrap_or(Severity::Low);
    let by_hold =
        if pattern == Pattern::TimeDriven && weight.held > HELD { Severity::Medium } else { Severity::Low };
    by_growth.max(by_resource).max(by_hold)
}

/// Severity of churn.
pub(crate) fn of_churn(churn: &Churn) -> Severity {
    let medium = if churn.grows { CHURN.0 } else { STEADY_CHURN };
    if churn.late >= CHURN.1 {
        Severity::High
    } else if churn.late >= medium {
        Severity::Medium
    } else {
        Severity::Low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leak(per_1000: f64, resources: &[String]) -> Severity {
        severity(Pattern::UnboundedGrowth, &Weight { per_1000, held: 0.0, resources })
    }

    #[test]
    fn growth_decides_the_severity_of_a_leak() {
        assert_eq!(leak(9.9e3, &[]), Severity::Low);
        assert_eq!(leak(10e3, &[]), Severity::Medium);
        assert_eq!(leak(100e3, &[]), Severity::High);
        assert_eq!(leak(10e6, &[]), Severity::Critical);
    }

    #[test]
    fn processes_that_stay_are_critical_however_few_bytes_go_along() {
        assert_eq!(leak(1.0, &["zombies".to_owned()]), Severity::Critical);
        assert_eq!(leak(1.0, &["fds.pipe".to_owned()]), Severity::High);
    }

    #[test]
    fn what_time_frees_is_never_above_medium() {
        let held = |held| severity(Pattern::TimeDriven, &Weight { per_1000: 0.0, held, resources: &[] });
        assert_eq!(held(900e3), Severity::Low);
        assert_eq!(held(900e6), Severity::Medium);
        assert_eq!(held(1e6), Severity::Low, "more than a megabyte");
    }
}
