//! What a verdict rests on, in sentences.

use crate::cohorts::TURNED_OVER;
use crate::evidence::{Ground, Judged};
use crate::judgement::ComponentVerdict;
use crate::timeline::Timeline;
use crate::unit::Scope;
use crate::words::{bytes, count, duration, growth, plural};

/// The evidence about a unit, the deciding sentence first.
pub(crate) fn explain(timeline: &Timeline<'_>, judged: &Judged) -> Vec<String> {
    let mut sentences = vec![deciding(timeline, judged)];
    let evidence = &judged.evidence;
    if let Some(time) = &evidence.time {
        sentences.push(format!(
            "advancing the server's clock freed {:.0} % of what was held ({} advances, up to {} at once): {} a request \
             live until {} have passed",
            100.0 * time.freed,
            count(time.advances as f64),
            bytes(time.peak),
            bytes(time.per_request),
            duration(time.lifetime_ms),
        ));
    }
    if judged.leaks() && evidence.rest.step_bytes > 0.0 {
        sentences.push(format!(
            "{} in a few cohorts stand out and are not in the estimate: containers that grow in steps, or memory yet to die",
            bytes(evidence.rest.step_bytes)
        ));
    }
    if judged.leaks() && evidence.in_place.steady && evidence.in_place.grown.rate.low > 0.0 {
        sentences.push(format!(
            "old blocks grew in place in {} of {}, by {} a request",
            count(evidence.in_place.steps as f64),
            plural(evidence.in_place.cycles, "cycle"),
            bytes(evidence.in_place.grown.rate.estimate),
        ));
    }
    if let Some((slope, p)) = evidence.level.troughs
        && judged.unit.scope == Scope::Whole
        && evidence.level.grew(&crate::Policy::default())
    {
        let way = if slope.low > 0.0 && p < 0.05 {
            "rise"
        } else if slope.high < 0.0 {
            "fall"
        } else {
            "have no clear trend"
        };
        sentences.push(format!("the troughs {way}: {} per 1,000 requests (Theil-Sen)", growth(slope)));
    }
    if let Some(age) = evidence.rest.lifetime.filter(|&age| age > 0) {
        sentences.push(format!("whole cohorts were seen to live for {} and then die", plural(age, "cycle")));
    }
    if let Some(per_second) = evidence.per_second {
        sentences
            .push(format!("it grows with time rather than with requests: {} a second", bytes(per_second)));
    }
    sentences
}

fn deciding(timeline: &Timeline<'_>, judged: &Judged) -> String {
    let rest = &judged.evidence.rest;
    let level = &judged.evidence.level;
    let name = judged.unit.name();
    match judged.verdict {
        ComponentVerdict::Leak => leaking(timeline, judged),
        ComponentVerdict::Bounded if judged.evidence.time.is_some() => {
            format!("{name} rose to {} and gives it back as time passes", bytes(level.peak))
        }
        ComponentVerdict::Bounded if rest.turned_over >= TURNED_OVER => format!(
            "{name} rose to {} and turns over: the oldest cohorts have lost {:.0} % of what they held",
            bytes(level.peak),
            100.0 * rest.turned_over,
        ),
        ComponentVerdict::Bounded if rest.died > 0 => format!(
            "{name} rose to {} and turns over: {} died without leaving anything",
            bytes(level.peak),
            plural(rest.died, "whole cohort"),
        ),
        ComponentVerdict::Bounded if !level.held() => {
            format!("{name} goes up to {} and down again, and its troughs do not rise", bytes(level.peak))
        }
        ComponentVerdict::Bounded => format!(
            "{name} rose to {} within the first {} requests and held that level for {} more",
            bytes(level.peak),
            count(level.reached),
            count(level.requests - level.reached),
        ),
        ComponentVerdict::Stable => format!(
            "{name} did not grow beyond {} per 1,000 requests, the least this run can tell",
            bytes(judged.evidence.least_detectable)
        ),
        ComponentVerdict::Inconclusive if rest.thins_out => {
            format!("{name} still fills up, ever more slowly: {} so far", bytes(level.peak))
        }
        ComponentVerdict::Inconclusive => format!(
            "{name} rose by {}, last after {} requests: too late in the run to tell whether it goes on",
            bytes(level.rise),
            count(level.reached),
        ),
    }
}

/// Why a unit is called a leak.
fn leaking(timeline: &Timeline<'_>, judged: &Judged) -> String {
    let evidence = &judged.evidence;
    let rest = &evidence.rest;
    let name = judged.unit.name();
    match judged.grounds.first() {
        Some(Ground::Survivors) | None => format!(
            "cohorts {} keep {} a request in {:.0} % of {}; in the last third of their lives they lost {:.1} % of it",
            cohorts(timeline, &rest.judged),
            growth(rest.kept.rate),
            100.0 * rest.keeping,
            plural(rest.groups, "group"),
            100.0 * rest.lost,
        ),
        Some(Ground::InPlace) => format!("{name} keeps growing inside blocks made long ago"),
        Some(Ground::Doubling) => {
            let (steps, last) =
                evidence.doubling.map_or((0, 0.0), |doubling| (doubling.steps, doubling.last));
            format!(
                "{name} doubled {steps} times, each time after twice as many requests as the time before, last after {}",
                count(last)
            )
        }
        Some(Ground::Sublinear) => {
            let exponent = evidence.sublinear.map_or(0.0, |sublinear| sublinear.exponent);
            format!(
                "what {name} keeps goes with the requests to the power of {exponent:.2}, and the power does not fall: it \
                 grows ever more slowly, and without end"
            )
        }
        Some(Ground::Backlog) => format!(
            "{name} rises by {} a request to the end of the run, though its cohorts die: each waits longer than the one \
             before",
            evidence.backlog.as_ref().map_or_else(String::new, |backlog| growth(backlog.grown.rate)),
        ),
    }
}

/// `4 to 25`.
fn cohorts(timeline: &Timeline<'_>, spans: &[usize]) -> String {
    match spans {
        [] => "none".to_owned(),
        [first, .., last] => {
            format!("{} to {}", timeline.spans[*first - 1].last + 1, timeline.spans[*last].last)
        }
        [one] => timeline.spans[*one].last.to_string(),
    }
}
