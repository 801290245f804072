//! Two runs of one program, side by side: whether they say different things of a component or a resource.
//!
//! Growth per 1,000 requests of a run depends on how many requests of each kind its seed drew. So what leaks on a kind is
//! compared per request of that kind, and put together with the mean of both runs' mixes.

use serde::{Deserialize, Serialize};

use crate::evidence::sum;
use crate::judgement::{
    ComponentJudgement, ComponentVerdict, Growth, Judgement, KindJudgement, ResourceJudgement,
};

/// 99.9 % intervals are this many times as wide as 95 % ones: 1.7 times with many groups behind them, 2.1 times with ten.
/// Runs have many components and are compared on every change: one in twenty would cry wolf every day.
const WIDER: f64 = 2.0;

/// What one run says of a component or a resource.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Its verdict.
    pub verdict: ComponentVerdict,
    /// Its growth per 1,000 requests of the run.
    pub growth: Growth,
    /// The smallest growth that would have been called a leak.
    pub minimum_detectable: f64,
}

/// What one run says of a component for one request kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct KindArm {
    /// None for what no request asked for.
    kind: Option<String>,
    /// Requests of the kind for each request of the run.
    share: f64,
    /// Growth and detection limit are per 1,000 requests of the kind.
    arm: Arm,
}

/// A component or a resource in one run, with the kinds its growth comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// What is said of it as a whole.
    pub arm: Arm,
    kinds: Vec<KindArm>,
}

impl Subject {
    /// Something a run does not have: it does not grow, which no limit makes uncertain.
    #[must_use]
    pub fn absent() -> Subject {
        let (verdict, growth) = (ComponentVerdict::Stable, Growth::default());
        Subject { arm: Arm { verdict, growth, minimum_detectable: 0.0 }, kinds: Vec::new() }
    }

    /// A component of a judged run.
    #[must_use]
    pub fn component(judgement: &Judgement, component: &ComponentJudgement) -> Subject {
        let requests = (judgement.requests.sent as f64).max(1.0);
        Subject {
            arm: Arm {
                verdict: component.verdict,
                growth: component.growth_bytes_per_1000_requests,
                minimum_detectable: component.minimum_detectable_bytes_per_1000_requests,
            },
            kinds: component.kinds.iter().map(|kind| KindArm::of(kind, requests)).collect(),
        }
    }

    /// A resource of a judged run.
    #[must_use]
    pub fn resource(resource: &ResourceJudgement) -> Subject {
        Subject {
            arm: Arm {
                verdict: resource.verdict,
                growth: resource.growth_per_1000_requests,
                minimum_detectable: resource.minimum_detectable_per_1000_requests,
            },
            kinds: Vec::new(),
        }
    }

    fn kind(&self, kind: Option<&String>) -> Option<&KindArm> {
        self.kinds.iter().find(|own| own.kind.as_ref() == kind)
    }

    /// Whether it leaks, and is known to do so on no particular kind.
    fn leaks_as_a_whole(&self) -> bool {
        leaks(&self.arm) && !self.kinds.iter().any(|kind| leaks(&kind.arm))
    }

    /// Its growth per 1,000 requests of the mean mix of two runs, and by how much more it may grow unseen where the
    /// other run has a leak.
    fn beside(&self, other: &Subject) -> (Growth, f64) {
        if !leaks(&self.arm) {
            return (Growth::default(), self.arm.minimum_detectable);
        }
        if self.leaks_as_a_whole() || other.leaks_as_a_whole() {
            return (self.arm.growth, 0.0);
        }
        let (mut grown, mut unseen) = (Vec::new(), 0.0);
        for own in &self.kinds {
            let Some(twin) = other.kind(own.kind.as_ref()) else {
                // In the other run the component allocates nothing for this kind.
                grown.extend(leaks(&own.arm).then(|| own.arm.growth.scaled(own.share)));
                continue;
            };
            let share = (own.share + twin.share) / 2.0;
            let undecided = |arm: &Arm| arm.verdict == ComponentVerdict::Inconclusive;
            if undecided(&own.arm) || (leaks(&other.arm) && undecided(&twin.arm)) {
                continue;
            }
            if leaks(&own.arm) {
                grown.push(own.arm.growth.scaled(share));
            } else if leaks(&twin.arm) {
                unseen += own.arm.minimum_detectable * share;
            }
        }
        (sum(&grown), unseen)
    }
}

impl KindArm {
    fn of(kind: &KindJudgement, requests: f64) -> KindArm {
        // What no request asked for goes with the requests of the run.
        let share = if kind.requests > 0 { kind.requests as f64 / requests } else { 1.0 };
        KindArm {
            kind: kind.kind.clone(),
            share,
            arm: Arm {
                verdict: kind.verdict,
                growth: kind.growth_bytes_per_1000_requests.scaled(1.0 / share),
                minimum_detectable: kind.minimum_detectable_bytes_per_1000_requests / share,
            },
        }
    }
}

fn leaks(arm: &Arm) -> bool {
    arm.verdict == ComponentVerdict::Leak
}

/// By how much more something grows in the later run, per 1,000 requests and with a 99.9 % interval, if the two runs say
/// different things beyond what chance and their detection limits explain: both leak, and the interval excludes zero; or one
/// leaks by more than the other could have missed. What is undecided differs from nothing.
#[must_use]
pub fn difference(before: &Subject, after: &Subject) -> Option<Growth> {
    if [before, after].iter().any(|one| one.arm.verdict == ComponentVerdict::Inconclusive) {
        return None;
    }
    let ((then, then_unseen), (now, now_unseen)) = (before.beside(after), after.beside(before));
    let estimate = now.estimate - then.estimate;
    let below = WIDER * (now.estimate - now.low).hypot(then.high - then.estimate);
    let above = WIDER * (now.high - now.estimate).hypot(then.estimate - then.low);
    let difference = Growth { estimate, low: estimate - below, high: estimate + above };
    (difference.low > then_unseen || difference.high < -now_unseen).then_some(difference)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm(verdict: ComponentVerdict, estimate: f64, half: f64, minimum_detectable: f64) -> Arm {
        let growth = Growth { estimate, low: estimate - half, high: estimate + half };
        Arm { verdict, growth, minimum_detectable }
    }

    fn whole(verdict: ComponentVerdict, estimate: f64, half: f64, minimum_detectable: f64) -> Subject {
        Subject { arm: arm(verdict, estimate, half, minimum_detectable), kinds: Vec::new() }
    }

    /// A leak of a kind that is this share of the requests, and so much per 1,000 of its own; another kind beside it.
    fn on_a_kind(share: f64, per_1000: f64, other: ComponentVerdict) -> Subject {
        let kind = |kind: &str, share, arm| KindArm { kind: Some(kind.to_owned()), share, arm };
        let growth = if other == ComponentVerdict::Leak { 300.0 } else { 0.0 };
        Subject {
            arm: arm(ComponentVerdict::Leak, share * per_1000, 0.0, 10.0),
            kinds: vec![
                kind("a", share, arm(ComponentVerdict::Leak, per_1000, 0.01 * per_1000, 64.0)),
                kind("b", 0.5, arm(other, growth, 10.0, 500.0)),
            ],
        }
    }

    #[test]
    fn a_leak_that_the_other_run_could_have_missed_is_no_difference() {
        let leak = whole(ComponentVerdict::Leak, 1000.0, 300.0, 500.0);
        assert_eq!(difference(&whole(ComponentVerdict::Stable, 0.0, 0.0, 2000.0), &leak), None);
        let found = difference(&whole(ComponentVerdict::Stable, 0.0, 0.0, 100.0), &leak).unwrap();
        assert_eq!((found.estimate, found.low, found.high), (1000.0, 400.0, 1600.0));
        let gone = difference(&leak, &whole(ComponentVerdict::Bounded, 0.0, 0.0, 100.0)).unwrap();
        assert_eq!((gone.estimate, gone.low, gone.high), (-1000.0, -1600.0, -400.0));
        assert_eq!(difference(&leak, &whole(ComponentVerdict::Bounded, 0.0, 0.0, 400.0)), None);
        assert!(difference(&Subject::absent(), &leak).is_some());
    }

    #[test]
    fn what_is_undecided_differs_from_nothing() {
        let leak = whole(ComponentVerdict::Leak, 1000.0, 3.0, 5.0);
        let open = whole(ComponentVerdict::Inconclusive, 0.0, 0.0, 5.0);
        assert_eq!(difference(&leak, &open), None);
        assert_eq!(difference(&open, &leak), None);
    }

    #[test]
    fn two_runs_without_a_component_do_not_differ_in_it() {
        assert_eq!(difference(&Subject::absent(), &Subject::absent()), None);
    }

    #[test]
    fn a_kind_is_compared_per_request_of_it_and_the_background_per_request_of_the_run() {
        let judged = |kind: Option<&str>, requests| KindJudgement {
            kind: kind.map(str::to_owned),
            verdict: ComponentVerdict::Leak,
            requests,
            growth_bytes_per_1000_requests: Growth { estimate: 100.0, low: 80.0, high: 120.0 },
            growth_bytes_per_1000_triggering_requests: None,
            minimum_detectable_bytes_per_1000_requests: 20.0,
            bound_bytes: None,
            live_bytes: 0,
            allocated_bytes_per_request: None,
            evidence: Vec::new(),
        };
        let kind = KindArm::of(&judged(Some("a"), 250), 1000.0);
        assert_eq!((kind.share, kind.arm.growth.estimate, kind.arm.minimum_detectable), (0.25, 400.0, 80.0));
        let background = KindArm::of(&judged(None, 0), 1000.0);
        let arm = background.arm;
        assert_eq!((background.share, arm.growth.estimate, arm.minimum_detectable), (1.0, 100.0, 20.0));
    }

    #[test]
    fn two_leaks_differ_when_a_wide_interval_shows_it() {
        let leak = |estimate| whole(ComponentVerdict::Leak, estimate, 100.0, 64.0);
        assert_eq!(difference(&leak(1000.0), &leak(1250.0)), None);
        assert!(difference(&leak(1000.0), &leak(1300.0)).is_some());
        assert!(difference(&leak(1300.0), &leak(1000.0)).is_some());
    }

    #[test]
    fn another_share_of_the_kind_that_leaks_is_no_difference() {
        let stable = ComponentVerdict::Stable;
        let (few, many) = (on_a_kind(0.2, 5000.0, stable), on_a_kind(0.3, 5000.0, stable));
        assert_eq!(difference(&few, &many), None);
        let worse = difference(&few, &on_a_kind(0.3, 6000.0, stable)).unwrap();
        assert!((worse.estimate - 250.0).abs() < 1e-9, "{worse:?}");
    }

    #[test]
    fn a_second_kind_counts_when_the_other_run_would_have_seen_it() {
        let (one, both) = (
            on_a_kind(0.2, 5000.0, ComponentVerdict::Stable),
            on_a_kind(0.2, 5000.0, ComponentVerdict::Leak),
        );
        // It adds 150, and the run without it could have missed 250.
        assert_eq!(difference(&one, &both), None);
        let mut sharp = one;
        sharp.kinds[1].arm.minimum_detectable = 200.0;
        let more = difference(&sharp, &both).unwrap();
        assert!((more.estimate - 150.0).abs() < 1e-9, "{more:?}");
        assert!(difference(&both, &sharp).is_some());
    }

    #[test]
    fn a_kind_that_is_undecided_in_one_run_is_left_out() {
        let mut open = on_a_kind(0.2, 5000.0, ComponentVerdict::Inconclusive);
        open.kinds[1].arm.minimum_detectable = 50.0;
        let both = on_a_kind(0.2, 5000.0, ComponentVerdict::Leak);
        assert_eq!(difference(&open, &both), None);
        assert_eq!(difference(&both, &open), None);
    }

    #[test]
    fn a_leak_on_no_particular_kind_is_compared_as_a_whole() {
        let kind = on_a_kind(0.2, 5000.0, ComponentVerdict::Stable);
        assert_eq!(difference(&whole(ComponentVerdict::Leak, 1000.0, 10.0, 64.0), &kind), None);
        assert!(difference(&whole(ComponentVerdict::Leak, 1100.0, 10.0, 64.0), &kind).is_some());
    }
}
