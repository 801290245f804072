//! Which request kinds a resource's growth comes from. The number of requests of each kind varies at random from
//! cycle to cycle, so the growth of the cycles tells the kinds apart.
//!
//! A kind may leave something for ever, or only until time releases it: then the next advance of the clock takes away
//! what its requests had left. Both are fitted, and only what stays is named.

use crate::resources::Series;
use crate::statistics::{chance_of_fit, combinations, non_negative_least_squares};
use crate::timeline::Timeline;

/// Kinds that together carry less of what stays are not named: most of it comes from elsewhere.
const LEAST_EXPLAINED: f64 = 0.5;

/// A kind with a smaller share of what stays is not named.
const LEAST_SHARE: f64 = 0.1;

/// How much worse, by the criterion, a fit may be that blames only kinds whose heap leaks too.
const PREFERENCE: f64 = 2.0;

/// Many causes at once must explain this much of the squares to be believed.
const NEARLY_ALL: f64 = 0.95;

/// A resource grows along with another when that one's growth explains this much of the squares of its own.
const ALONG: f64 = 0.9;

/// Kinds named by a few steps must not owe it to chance more often than this.
const MOST_CHANCE: f64 = 0.01;

/// By how much, in twice the logarithm of the likelihood, they must be ahead of any other kind in the place of one of them.
const LEAST_LEAD: f64 = 6.0;

/// A fit of a few steps leaves at least this share of the squares: bytes are whole.
const LEAST_UNEXPLAINED: f64 = 1e-9;

/// A possible cause of growth.
#[derive(Debug, Clone)]
struct Cause {
    /// Position of the kind in the header; none for what goes on whatever the requests are.
    kind: Option<usize>,
    stays: bool,
    /// What one unit of it does in each step.
    effect: Vec<f64>,
    /// Units of it in the run.
    total: f64,
}

/// Kinds whose heap says something about them.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    /// Kinds whose heap leaks.
    pub(crate) leaking: Vec<usize>,
    /// Kinds whose memory waits for time to free it.
    pub(crate) waiting: Vec<usize>,
}

/// The kinds a resource's growth comes from, by their position in the header, most first. Kinds whose heap leaks too
/// are preferred when they explain the growth as well as others do.
pub(crate) fn attribute(timeline: &Timeline<'_>, series: &Series, suspects: &Suspects) -> Vec<usize> {
    let steps = steps(timeline);
    let growth: Vec<f64> =
        steps.iter().map(|step| series.values[step.to] - series.values[step.from]).collect();
    let kinds = timeline.recording.header.kinds.len();
    let causes: Vec<Cause> = (0..kinds)
        .map(Some)
        .chain([None])
        .flat_map(|kind| [(kind, true), (kind, false)])
        // Without an advance of the clock what waits can't be told from what stays.
        .filter(|&(_, stays)| stays || timeline.advances())
        .map(|(kind, stays)| cause(timeline, &steps, kind, stays))
        .collect();
    let from_all = choose(&causes, &growth, &|_| true);
    let from_suspects = choose(&causes, &growth, &|kind| suspects.leaking.contains(&kind));
    let kinds = preferred(from_suspects, from_all).kinds(&causes);
    if kinds.is_empty() { all_suspects(&causes, &growth, suspects) } else { kinds }
}

/// The same for what is known at a few points only: the kinds that the growth of each step comes from. `by_kind` has the
/// requests of each kind in each step. Nothing where chance alone would do as well, or another kind would.
pub(crate) fn attribute_steps(growth: &[f64], by_kind: &[Vec<f64>], requests: &[f64]) -> Vec<usize> {
    let cause = |kind: Option<usize>, effect: &[f64]| Cause {
        kind,
        stays: true,
        effect: effect.to_vec(),
        total: effect.iter().sum(),
    };
    let mut causes: Vec<Cause> =
        by_kind.iter().enumerate().map(|(kind, effect)| cause(Some(kind), effect)).collect();
    causes.push(cause(None, requests));
    causes.retain(|cause| cause.total > 0.0);
    let best = choose(&causes, growth, &|_| true);
    let unexplained = |chosen: &[usize]| {
        let effects: Vec<Vec<f64>> = chosen.iter().map(|&index| causes[index].effect.clone()).collect();
        (1.0 - non_negative_least_squares(&effects, growth).explained).max(LEAST_UNEXPLAINED)
    };
    let kinds: Vec<usize> =
        best.chosen.iter().copied().filter(|&index| causes[index].kind.is_some()).collect();
    let alike: Vec<usize> = (0..causes.len()).filter(|&index| causes[index].kind.is_none()).collect();
    let (left, left_alike) = (unexplained(&best.chosen), unexplained(&alike));
    let freedom = growth.len().saturating_sub(best.chosen.len());
    let chance = chance_of_fit(left_alike, left, kinds.len(), freedom)
        * combinations(causes.len() - alike.len(), kinds.len());
    if chance > MOST_CHANCE {
        return Vec::new();
    }
    let rivalled = kinds.iter().any(|&chosen| {
        (0..causes.len()).filter(|index| !best.chosen.contains(index)).any(|rival| {
            let swapped: Vec<usize> =
                best.chosen.iter().map(|&index| if index == chosen { rival } else { index }).collect();
            growth.len() as f64 * (unexplained(&swapped) / left).ln() < LEAST_LEAD
        })
    });
    if rivalled { Vec::new() } else { best.kinds(&causes) }
}

/// The choice among the suspects, unless another is clearly better.
fn preferred(from_suspects: Choice, from_all: Choice) -> Choice {
    if from_suspects.score <= from_all.score + PREFERENCE { from_suspects } else { from_all }
}

/// What the suspects explain all together: where many kinds have a part, none of them stands out alone.
fn all_suspects(causes: &[Cause], growth: &[f64], suspects: &Suspects) -> Vec<usize> {
    let suspected = |cause: &Cause| {
        cause.kind.is_none_or(|kind| {
            if cause.stays { suspects.leaking.contains(&kind) } else { suspects.waiting.contains(&kind) }
        })
    };
    let chosen: Vec<usize> = (0..causes.len()).filter(|&index| suspected(&causes[index])).collect();
    if chosen.len() * 3 > growth.len() * 2 {
        return Vec::new();
    }
    let effects: Vec<Vec<f64>> = chosen.iter().map(|&index| causes[index].effect.clone()).collect();
    let fit = non_negative_least_squares(&effects, growth);
    if fit.explained < NEARLY_ALL {
        return Vec::new();
    }
    Choice { chosen, coefficients: fit.coefficients, score: 0.0 }.kinds(causes)
}

/// For a resource whose kinds could not be told: those of another one that grows along with it at the quiet points.
pub(crate) fn adopt(series: &Series, others: &[(&Series, &[String])]) -> Vec<String> {
    let growth = |of: &Series| -> Vec<f64> {
        series.troughs.windows(2).map(|pair| of.values[pair[1]] - of.values[pair[0]]).collect()
    };
    let own = growth(series);
    others
        .iter()
        .filter(|(_, kinds)| !kinds.is_empty())
        .map(|(other, kinds)| (non_negative_least_squares(&[growth(other)], &own).explained, kinds))
        .filter(|(explained, _)| *explained >= ALONG)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(Vec::new, |(_, kinds)| kinds.to_vec())
}

/// A stretch of the run between two instants.
#[derive(Debug)]
struct Step {
    from: usize,
    to: usize,
    /// For an advance of the clock: the instant from which on it releases.
    releases_since: Option<usize>,
}

/// The requests of each cycle, and each advance of the clock. The first cycle is left out: it holds start-up.
fn steps(timeline: &Timeline<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut since = 0;
    for (index, cycle) in timeline.cycles.iter().enumerate() {
        if index > 0 {
            let from = timeline.cycles[index - 1].last;
            steps.push(Step { from, to: cycle.end, releases_since: None });
        }
        if cycle.advanced {
            steps.push(Step { from: cycle.end, to: cycle.last, releases_since: Some(since) });
            since = cycle.last;
        }
    }
    steps
}

fn cause(timeline: &Timeline<'_>, steps: &[Step], kind: Option<usize>, stays: bool) -> Cause {
    let units = |index: usize| {
        let instant = &timeline.instants[index];
        kind.map_or_else(|| f64::from(instant.cycle), |kind| instant.by_kind[kind])
    };
    let effect = steps
        .iter()
        .map(|step| match step.releases_since {
            None => units(step.to) - units(step.from),
            Some(_) if stays => 0.0,
            Some(since) => units(since) - units(step.to),
        })
        .collect();
    Cause { kind, stays, effect, total: timeline.cycles.last().map_or(0.0, |last| units(last.last)) }
}

/// Causes chosen to explain a growth, with how much each unit of them leaves.
#[derive(Clone)]
struct Choice {
    chosen: Vec<usize>,
    coefficients: Vec<f64>,
    score: f64,
}

impl Choice {
    /// The kinds that carry a share worth naming of what stays, most first.
    fn kinds(&self, causes: &[Cause]) -> Vec<usize> {
        let staying: Vec<(f64, Option<usize>)> = self
            .chosen
            .iter()
            .zip(&self.coefficients)
            .filter(|&(&index, _)| causes[index].stays)
            .map(|(&index, coefficient)| (coefficient * causes[index].total, causes[index].kind))
            .collect();
        let total: f64 = staying.iter().map(|(carried, _)| carried).sum();
        let mut named: Vec<(f64, usize)> = staying
            .into_iter()
            .filter(|(carried, _)| *carried > 0.0 && *carried >= LEAST_SHARE * total)
            .filter_map(|(carried, kind)| kind.map(|kind| (carried, kind)))
            .collect();
        named.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        if named.iter().map(|(carried, _)| carried).sum::<f64>() < LEAST_EXPLAINED * total {
            return Vec::new();
        }
        named.into_iter().map(|(_, kind)| kind).collect()
    }
}

/// Starts with what goes on whatever the requests are, adds kind after kind, each time the one that explains most, and
/// takes the best of all the fits on this way: several causes may only show together. What a kind leaves for a time
/// may be explained by any kind, what stays only by those `to_blame`.
fn choose(causes: &[Cause], growth: &[f64], to_blame: &dyn Fn(usize) -> bool) -> Choice {
    let fit = |chosen: Vec<usize>| {
        let effects: Vec<Vec<f64>> = chosen.iter().map(|&index| causes[index].effect.clone()).collect();
        let fit = non_negative_least_squares(&effects, growth);
        let score = score(fit.explained, chosen.len(), causes.len(), growth.len());
        Choice { chosen, coefficients: fit.coefficients, score }
    };
    let mut last = fit((0..causes.len()).filter(|&index| causes[index].kind.is_none()).collect());
    let mut best = last.clone();
    while last.chosen.len() < growth.len() / 2 {
        let next = (0..causes.len())
            .filter(|index| !last.chosen.contains(index))
            .filter(|&index| causes[index].kind.is_some_and(|kind| !causes[index].stays || to_blame(kind)))
            .map(|index| fit(last.chosen.iter().copied().chain([index]).collect()))
            .min_by(|a, b| a.score.total_cmp(&b.score));
        let Some(next) = next else { break };
        last = next;
        if last.score < best.score {
            best = last.clone();
        }
    }
    best
}

/// Schwarz's criterion, extended for a choice among many (Chen and Chen, 2008): lower is better.
fn score(explained: f64, chosen: usize, among: usize, values: usize) -> f64 {
    // A perfect fit leaves a millionth, so that noise far below one descriptor does not decide.
    let unexplained = (1.0 - explained).max(1e-6);
    let n = values.max(1) as f64;
    n * unexplained.ln() + chosen as f64 * (n.ln() + 2.0 * (among.max(1) as f64).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests of five kinds in so many steps, and numbers of chance besides.
    fn steps(count: usize, random: &mut u64) -> (Vec<Vec<f64>>, Vec<f64>) {
        let mut draw = |end: u64| {
            *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((*random >> 33) % end) as f64
        };
        let by_kind = (0..5).map(|_| (0..count).map(|_| 80.0 + draw(40)).collect()).collect();
        (by_kind, (0..count).map(|_| draw(2_000)).collect())
    }

    fn requests(by_kind: &[Vec<f64>]) -> Vec<f64> {
        (0..by_kind[0].len()).map(|step| by_kind.iter().map(|kind| kind[step]).sum()).collect()
    }

    #[test]
    fn growth_that_follows_no_kind_is_hardly_ever_blamed_on_one() {
        let mut random = 1;
        let wrong = (0..200).filter(|number| {
            let (by_kind, chance) = steps(4 + number % 20, &mut random);
            let growth: Vec<f64> = chance.iter().map(|chance| 10_000.0 + chance).collect();
            !attribute_steps(&growth, &by_kind, &requests(&by_kind)).is_empty()
        });
        let wrong = wrong.count();
        assert!(wrong <= 2, "{wrong} of 200");
    }

    #[test]
    fn growth_that_follows_one_kind_or_two_is_blamed_on_them() {
        let mut random = 1;
        for count in 8..30 {
            let (by_kind, _) = steps(count, &mut random);
            let one: Vec<f64> = by_kind[3].iter().map(|sent| 100.0 * sent).collect();
            assert_eq!(attribute_steps(&one, &by_kind, &requests(&by_kind)), [3]);
            let two: Vec<f64> = one.iter().zip(&by_kind[1]).map(|(one, sent)| one + 40.0 * sent).collect();
            assert_eq!(attribute_steps(&two, &by_kind, &requests(&by_kind)), [3, 1]);
        }
    }

    #[test]
    fn growth_that_follows_a_kind_and_chance_is_blamed_as_far_as_chance_would_not_do_as_well() {
        let mut random = 1;
        let blamed = |idle: bool, random: &mut u64| {
            let (mut by_kind, chance) = steps(12, random);
            let all = requests(&by_kind);
            let growth: Vec<f64> =
                by_kind[3].iter().zip(&chance).map(|(sent, chance)| 100.0 * sent + 2.0 * chance).collect();
            if idle {
                by_kind.push(vec![0.0; 12]);
            }
            attribute_steps(&growth, &by_kind, &all) == [3]
        };
        let without = (0..100).filter(|_| blamed(false, &mut random)).count();
        random = 1;
        let with = (0..100).filter(|_| blamed(true, &mut random)).count();
        assert_eq!((without, with), (13, 13), "a kind that was not asked for changes nothing");
    }

    #[test]
    fn of_two_kinds_that_always_come_together_none_is_blamed() {
        let (mut by_kind, _) = steps(12, &mut 1);
        by_kind[2] = by_kind[3].iter().map(|sent| 2.0 * sent).collect();
        let growth: Vec<f64> = by_kind[3].iter().map(|sent| 100.0 * sent).collect();
        assert!(attribute_steps(&growth, &by_kind, &requests(&by_kind)).is_empty());
    }

    /// A cause that left this in each step.
    fn cause(kind: Option<usize>, stays: bool, effect: &[f64]) -> Cause {
        Cause { kind, stays, effect: effect.to_vec(), total: effect.iter().sum() }
    }

    #[test]
    fn the_criterion_is_schwarzs_with_a_price_for_the_choice_among_many() {
        // 20 ln 0.1 + 3 (ln 20 + 2 ln 7).
        assert!((score(0.9, 3, 7, 20) - -25.389_044_1).abs() < 1e-6, "{}", score(0.9, 3, 7, 20));
        // A perfect fit: 20 ln 1e-6 + ln 20.
        assert!((score(1.0, 1, 1, 20) - -273.314_478_9).abs() < 1e-6, "{}", score(1.0, 1, 1, 20));
        assert_eq!(score(0.0, 1, 0, 0), 0.0);
    }

    #[test]
    fn suspects_are_preferred_up_to_a_score_that_is_two_worse() {
        let choice = |kind, score| Choice { chosen: vec![kind], coefficients: vec![1.0], score };
        let preferred = |suspects, all| preferred(choice(0, suspects), choice(1, all)).chosen[0];
        assert_eq!([preferred(-50.0, -51.0), preferred(-50.0, -52.0), preferred(-50.0, -52.1)], [0, 0, 1]);
    }

    #[test]
    fn kinds_that_carry_nothing_are_not_named() {
        let causes = [cause(Some(0), true, &[1.0, 2.0]), cause(Some(1), true, &[2.0, 1.0])];
        let choice =
            |first, second| Choice { chosen: vec![0, 1], coefficients: vec![first, second], score: 0.0 };
        assert_eq!(choice(0.0, 0.0).kinds(&causes), [0; 0]);
        assert_eq!(choice(1.0, 0.0).kinds(&causes), [0]);
        assert_eq!(choice(1.0, 2.0).kinds(&causes), [1, 0]);
    }

    #[test]
    fn a_growth_is_explained_by_no_more_causes_than_half_of_its_steps() {
        let effects = [
            [5.0, 1.0, 2.0, 9.0, 1.0, 3.0],
            [1.0, 6.0, 2.0, 1.0, 8.0, 2.0],
            [2.0, 1.0, 7.0, 3.0, 2.0, 1.0],
            [1.0, 2.0, 1.0, 5.0, 1.0, 9.0],
            [3.0, 3.0, 1.0, 1.0, 4.0, 2.0],
        ];
        let causes: Vec<Cause> =
            effects.iter().enumerate().map(|(kind, effect)| cause(Some(kind), true, effect)).collect();
        let growth: Vec<f64> = (0..6).map(|step| effects.iter().map(|effect| effect[step]).sum()).collect();
        let choice = choose(&causes, &growth, &|_| true);
        assert!((1..=3).contains(&choice.chosen.len()), "{:?}", choice.chosen);
    }

    #[test]
    fn what_stays_is_blamed_on_the_kinds_to_blame_and_what_waits_on_any() {
        let (one, other) =
            ([3.0, 0.0, 1.0, 0.0, 2.0, 5.0, 1.0, 0.0], [0.0, 4.0, 0.0, 1.0, 0.0, 0.0, 2.0, 3.0]);
        let causes = [cause(Some(0), true, &one), cause(Some(0), false, &one), cause(Some(1), true, &other)];
        let growth: Vec<f64> = one.iter().zip(other).map(|(one, other)| one + other).collect();
        let mut chosen = choose(&causes, &growth, &|kind| kind == 1).chosen;
        chosen.sort_unstable();
        assert_eq!(chosen, [1, 2]);
    }
}
