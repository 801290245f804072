//! Every piece of evidence about a component, and how it weighed: what `heapsoak explain` prints.

use heapsoak_record::Recording;
use serde::Serialize;

use crate::cohorts::TURNED_OVER;
use crate::components::components;
use crate::evidence::{Ground, Judged};
use crate::judgement::{ComponentVerdict, Growth};
use crate::policy::Policy;
use crate::timeline::Timeline;
use crate::words::{bytes, count, growth, plural};

/// How a piece of evidence weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weighs {
    /// The answer is a leak by it.
    Decided,
    /// It speaks for a leak.
    For,
    /// It speaks against one.
    Against,
    /// It says nothing either way.
    Neither,
}

impl Weighs {
    /// In a word or two.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Weighs::Decided => "decides",
            Weighs::For => "for a leak",
            Weighs::Against => "against",
            Weighs::Neither => "–",
        }
    }
}

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Piece {
    /// The rule it comes from.
    pub rule: &'static str,
    /// What the rule found, in a sentence.
    pub found: String,
    /// How it weighed.
    pub weighs: Weighs,
}

/// All evidence about a component, or about what it holds for one request kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The component.
    pub component: String,
    /// Whose memory: the component's name, and what requests asked for it.
    pub about: String,
    /// The answer.
    pub verdict: ComponentVerdict,
    /// Growth per 1,000 requests of the run.
    pub growth_bytes_per_1000_requests: Growth,
    /// Each piece, the leading ones first.
    pub pieces: Vec<Piece>,
}

/// Explains the verdict on a component, or on all of them: each as a whole, then by request kind.
#[must_use]
pub fn explain(recording: &Recording, component: Option<&str>) -> Vec<Explanation> {
    let longest = recording.longest_part();
    let timeline = Timeline::new(longest.as_ref().map_or(recording, |part| &part.recording));
    let policy = Policy::default();
    if timeline.instants.is_empty() {
        return Vec::new();
    }
    components(&timeline, &policy)
        .iter()
        .filter(|one| component.is_none_or(|name| name == one.name))
        .flat_map(|one| std::iter::once(&one.whole).chain(&one.parts))
        .map(|judged| Explanation {
            component: judged.unit.component.clone(),
            about: judged.unit.name(),
            verdict: judged.verdict,
            growth_bytes_per_1000_requests: judged.growth_per_1000(),
            pieces: pieces(judged, &policy),
        })
        .collect()
}

fn pieces(judged: &Judged, policy: &Policy) -> Vec<Piece> {
    vec![
        survivors(judged, policy),
        dying(judged),
        in_place(judged),
        doubling(judged),
        sublinear(judged),
        backlog(judged),
        level(judged, policy),
        standing_still(judged),
        time(judged),
        limit(judged),
    ]
}

/// `Decided` for what a leak was found by, else as given.
fn weighs(judged: &Judged, ground: Ground, otherwise: Weighs) -> Weighs {
    if judged.grounds.contains(&ground) { Weighs::Decided } else { otherwise }
}

fn survivors(judged: &Judged, policy: &Policy) -> Piece {
    let rest = &judged.evidence.rest;
    let found = format!(
        "{} judged after a warm-up of {} keep {} in {} from {} events: {} a request; {} of {} keep some, {} needed; \
         chance without a leak {:.1e}",
        plural(rest.judged.len(), "cohort"),
        plural(rest.warm_up, "cohort"),
        bytes(rest.bytes),
        plural(rest.blocks as usize, "block"),
        count(rest.events),
        growth(rest.kept.rate),
        count(rest.keeping * rest.groups as f64),
        plural(rest.groups, "group"),
        count(policy.least_groups as f64),
        rest.kept.p,
    );
    let otherwise = match (rest.blocks > 0.0, rest.thins_out || !rest.settled) {
        (false, _) => Weighs::Against,
        (true, true) => Weighs::Neither,
        (true, false) => Weighs::For,
    };
    Piece { rule: "survivors", found, weighs: weighs(judged, Ground::Survivors, otherwise) }
}

fn dying(judged: &Judged) -> Piece {
    let rest = &judged.evidence.rest;
    let still = if rest.settled { "have stopped dying" } else { "are still dying" };
    let thins = if rest.thins_out { "; younger ones keep less and less" } else { "" };
    let found = format!(
        "the judged cohorts {still}: {:.1} % lost in the last third of their lives; the oldest lost {:.0} % of what they \
         were made with{thins}",
        100.0 * rest.lost,
        100.0 * rest.turned_over,
    );
    let against = !rest.settled || rest.thins_out || (rest.turned_over >= TURNED_OVER && !judged.leaks());
    Piece { rule: "dying", found, weighs: if against { Weighs::Against } else { Weighs::Neither } }
}

fn in_place(judged: &Judged) -> Piece {
    let grown = &judged.evidence.in_place;
    let found = format!(
        "old blocks that still live grew in {} of {}, by {} a request{}",
        count(grown.steps as f64),
        plural(grown.cycles, "cycle"),
        growth(grown.grown.rate),
        if grown.steady { ", steadily" } else { "" },
    );
    let otherwise = if grown.steady { Weighs::For } else { Weighs::Neither };
    Piece { rule: "growth in place", found, weighs: weighs(judged, Ground::InPlace, otherwise) }
}

fn doubling(judged: &Judged) -> Piece {
    let (found, otherwise) = match judged.evidence.doubling {
        None => (
            "no container doubles at the pace of the requests, or the next step is overdue".to_owned(),
            Weighs::Neither,
        ),
        Some(doubling) => (
            format!(
                "a container doubled {} times at the pace of the requests, last after {}{}",
                doubling.steps,
                count(doubling.last),
                if doubling.goes_on { "" } else { ": too long ago to say that it goes on" },
            ),
            Weighs::For,
        ),
    };
    Piece { rule: "doubling", found, weighs: weighs(judged, Ground::Doubling, otherwise) }
}

fn sublinear(judged: &Judged) -> Piece {
    let (found, otherwise) = match judged.evidence.sublinear {
        None => ("what is kept does not go with a power of the requests".to_owned(), Weighs::Neither),
        Some(sublinear) => (
            format!("what is kept goes with the requests to the power of {:.2}", sublinear.exponent),
            Weighs::For,
        ),
    };
    Piece { rule: "power of the requests", found, weighs: weighs(judged, Ground::Sublinear, otherwise) }
}

fn backlog(judged: &Judged) -> Piece {
    let (found, otherwise) = match &judged.evidence.backlog {
        None => ("no queue in which each entry waits longer".to_owned(), Weighs::Neither),
        Some(backlog) => (
            format!(
                "the level rises to the end by {} a request, and what is alive grows older",
                growth(backlog.grown.rate)
            ),
            Weighs::For,
        ),
    };
    Piece { rule: "backlog", found, weighs: weighs(judged, Ground::Backlog, otherwise) }
}

fn level(judged: &Judged, policy: &Policy) -> Piece {
    let level = &judged.evidence.level;
    let (held, falls) = (level.held(), level.fluctuates());
    let found = format!(
        "it went from {} to {}, at most {} ({} above the start), all but reached after {} of {} requests{}",
        bytes(level.start),
        bytes(level.end),
        bytes(level.peak),
        bytes(level.rise),
        count(level.reached),
        count(level.requests),
        match (held, falls) {
            (true, _) => ", and held since",
            (false, true) => ", and comes down again",
            (false, false) => "",
        },
    );
    let against = !level.grew(policy) || held || falls;
    Piece { rule: "level", found, weighs: if against { Weighs::Against } else { Weighs::Neither } }
}

fn standing_still(judged: &Judged) -> Piece {
    let still = judged.evidence.stands_still;
    let found = if still {
        "the level stood still over the last third of the run, where such a leak would have raised it: blocks that are \
         used again"
    } else {
        "the level moved as much as such a leak would have moved it, or nothing is kept"
    };
    Piece {
        rule: "standing still",
        found: found.to_owned(),
        weighs: if still { Weighs::Against } else { Weighs::Neither },
    }
}

fn time(judged: &Judged) -> Piece {
    let evidence = &judged.evidence;
    let (found, weighs) = match (&evidence.time, evidence.per_second) {
        (Some(time), _) => (
            format!(
                "{} of the clock freed {:.0} % of what was made since the one before",
                plural(time.advances, "advance"),
                100.0 * time.freed
            ),
            Weighs::Against,
        ),
        (None, Some(rate)) => (
            format!("it goes with time rather than with requests: {} a second", bytes(rate)),
            Weighs::Neither,
        ),
        (None, None) => {
            ("time frees nothing of it, and does not make it grow by itself".to_owned(), Weighs::Neither)
        }
    };
    Piece { rule: "time", found, weighs }
}

fn limit(judged: &Judged) -> Piece {
    let found = format!(
        "the smallest leak that this run would have found: {} per 1,000 requests, tried with blocks added to what was \
         counted",
        bytes(judged.evidence.least_detectable)
    );
    Piece { rule: "detection limit", found, weighs: Weighs::Neither }
}
