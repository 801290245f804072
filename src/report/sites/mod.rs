//! The lines that allocate what a finding is about.

mod excerpt;

use heapsoak_symbols::{Measure, Question};
use heapsoak_verdict::{Finding, Pattern};

pub use excerpt::{Excerpt, Line};
pub use heapsoak_symbols::{Caller, Site};

/// What a finding asks of the stacks: where what piled up was allocated; of what time frees, where most of it was; of churn,
/// where most is.
pub(crate) fn question(finding: &Finding) -> Question<'_> {
    Question {
        component: &finding.component,
        kinds: &finding.triggered_by,
        measure: match finding.pattern {
            Pattern::Churn => Measure::Allocated,
            // What time frees comes and goes.
            Pattern::TimeDriven if finding.bound_bytes.is_some() => Measure::Held,
            _ => Measure::Growth,
        },
    }
}
