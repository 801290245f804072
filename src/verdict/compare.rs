//! Two runs of one program, side by side: whether they say different things of a component.

use crate::judgement::{ComponentJudgement, ComponentVerdict, Growth};

/// 99.9 % intervals are this many times as wide as 95 % ones, with a dozen groups behind them. Runs have many components
/// and are compared on every change: one in twenty would cry wolf every day.
const WIDER: f64 = 2.0;

/// What one run says of a component.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arm {
    /// Its verdict.
    pub verdict: ComponentVerdict,
    /// Its growth.
    pub growth: Growth,
    /// The smallest growth that would have been called a leak.
    pub minimum_detectable: f64,
}

impl From<&ComponentJudgement> for Arm {
    fn from(component: &ComponentJudgement) -> Arm {
        Arm {
            verdict: component.verdict,
            growth: component.growth_bytes_per_1000_requests,
            minimum_detectable: component.minimum_detectable_bytes_per_1000_requests,
        }
    }
}

/// By how much more a component grows in the later run, with a 99.9 % interval, if the two runs say different things
/// beyond what chance and their detection limits explain: both leak, and the interval excludes zero; or one leaks by more
/// than the other could have missed. What is undecided differs from nothing.
#[must_use]
pub fn difference(before: Arm, after: Arm) -> Option<Growth> {
    let leaks = |arm: &Arm| arm.verdict == ComponentVerdict::Leak;
    let grown = |arm: &Arm| if leaks(arm) { arm.growth } else { Growth::default() };
    if [before, after].iter().any(|arm| arm.verdict == ComponentVerdict::Inconclusive) {
        return None;
    }
    let (then, now) = (grown(&before), grown(&after));
    let estimate = now.estimate - then.estimate;
    let below = WIDER * (now.estimate - now.low).hypot(then.high - then.estimate);
    let above = WIDER * (now.high - now.estimate).hypot(then.estimate - then.low);
    let difference = Growth { estimate, low: estimate - below, high: estimate + above };
    let differs = match (leaks(&before), leaks(&after)) {
        (true, true) => difference.low > 0.0 || difference.high < 0.0,
        (false, true) => difference.low > before.minimum_detectable,
        (true, false) => difference.high < -after.minimum_detectable,
        (false, false) => false,
    };
    differs.then_some(difference)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm(verdict: ComponentVerdict, estimate: f64, half: f64, minimum_detectable: f64) -> Arm {
        let growth = Growth { estimate, low: estimate - half, high: estimate + half };
        Arm { verdict, growth, minimum_detectable }
    }

    #[test]
    fn a_leak_that_the_other_run_could_have_missed_is_no_difference() {
        let leak = arm(ComponentVerdict::Leak, 1000.0, 300.0, 500.0);
        assert_eq!(difference(arm(ComponentVerdict::Stable, 0.0, 0.0, 2000.0), leak), None);
        let found = difference(arm(ComponentVerdict::Stable, 0.0, 0.0, 100.0), leak).unwrap();
        assert_eq!((found.estimate, found.low, found.high), (1000.0, 400.0, 1600.0));
        assert!(difference(leak, arm(ComponentVerdict::Bounded, 0.0, 0.0, 100.0)).is_some());
        assert_eq!(difference(leak, arm(ComponentVerdict::Inconclusive, 0.0, 0.0, 100.0)), None);
    }

    #[test]
    fn two_leaks_differ_when_a_wide_interval_shows_it() {
        let leak = |estimate| arm(ComponentVerdict::Leak, estimate, 100.0, 64.0);
        assert_eq!(difference(leak(1000.0), leak(1250.0)), None);
        assert!(difference(leak(1000.0), leak(1300.0)).is_some());
    }
}
