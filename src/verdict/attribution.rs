//! Which request kinds a resource's growth comes from. The number of requests of each kind varies at random from
//! cycle to cycle, so the growth of the cycles tells the kinds apart.

use crate::resources::Series;
use crate::statistics::{Fit, non_negative_least_squares};
use crate::timeline::Timeline;

/// A combination of kinds that explains less of the growth says nothing.
const LEAST_EXPLAINED: f64 = 0.7;

/// A kind with a smaller share of the growth is not named.
const LEAST_SHARE: f64 = 0.1;

/// The kinds a resource's growth comes from, by their position in the header. Kinds in `suspects`, whose heap leaks
/// too, are preferred when they explain the growth as well as others do.
pub(crate) fn attribute(timeline: &Timeline<'_>, series: &Series, suspects: &[usize]) -> Vec<usize> {
    // From the end of one cycle's rest to the end of the next one's requests: advances of the clock, which release
    // what only waited, lie in between. There are enough cycles to tell many kinds apart.
    let steps: Vec<(usize, usize)> =
        timeline.cycles.windows(2).map(|pair| (pair[0].last, pair[1].end)).collect();
    let growth: Vec<f64> = steps.iter().map(|&(from, to)| series.values[to] - series.values[from]).collect();
    let columns: Vec<Vec<f64>> = (0..timeline.recording.header.kinds.len())
        .map(|kind| {
            let sent = |index: usize| timeline.instants[index].by_kind[kind];
            steps.iter().map(|&(from, to)| sent(to) - sent(from)).collect()
        })
        .collect();
    let all: Vec<usize> = (0..columns.len()).collect();
    let from_all = choose(&columns, &growth, &all);
    let from_suspects = choose(&columns, &growth, suspects);
    let better = if from_suspects.score <= from_all.score + 2.0 { from_suspects } else { from_all };
    let kinds = better.kinds(&columns);
    // Among them may be kinds whose share is only held for a time. If those whose heap leaks carry the growth that
    // stays, the others are such.
    let staying = better.carried(&columns, &|kind| suspects.contains(&kind));
    let grown = timeline.cycles.last().map_or(0.0, |last| series.values[last.last] - series.values[0]);
    if staying >= LEAST_EXPLAINED * grown && staying > 0.0 {
        return kinds.into_iter().filter(|kind| suspects.contains(kind)).collect();
    }
    kinds
}

/// A few kinds chosen to explain a growth.
struct Choice {
    chosen: Vec<usize>,
    fit: Fit,
    /// Schwarz's criterion: lower is better.
    score: f64,
}

impl Choice {
    /// How much of the growth some of the kinds carry.
    fn carried(&self, columns: &[Vec<f64>], among: &dyn Fn(usize) -> bool) -> f64 {
        self.chosen
            .iter()
            .zip(&self.fit.coefficients)
            .filter(|&(&kind, _)| among(kind))
            .map(|(&kind, coefficient)| coefficient * columns[kind].iter().sum::<f64>())
            .sum()
    }

    /// The chosen kinds that carry a share worth naming, most first.
    fn kinds(&self, columns: &[Vec<f64>]) -> Vec<usize> {
        if self.fit.explained < LEAST_EXPLAINED {
            return Vec::new();
        }
        let carried: Vec<f64> = self
            .chosen
            .iter()
            .zip(&self.fit.coefficients)
            .map(|(&kind, coefficient)| coefficient * columns[kind].iter().sum::<f64>())
            .collect();
        let total: f64 = carried.iter().sum();
        let mut named: Vec<(f64, usize)> = carried
            .into_iter()
            .zip(self.chosen.iter().copied())
            .filter(|(carried, _)| *carried >= LEAST_SHARE * total)
            .collect();
        named.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        named.into_iter().map(|(_, kind)| kind).collect()
    }
}

/// Adds kind after kind, each time the one that explains most, as long as Schwarz's criterion (1978) approves.
fn choose(columns: &[Vec<f64>], growth: &[f64], among: &[usize]) -> Choice {
    let mut best = Choice {
        chosen: Vec::new(),
        fit: Fit { coefficients: Vec::new(), explained: 0.0 },
        score: score(0.0, 0, growth.len()),
    };
    loop {
        let next = among
            .iter()
            .filter(|kind| !best.chosen.contains(kind))
            .map(|&kind| {
                let mut chosen = best.chosen.clone();
                chosen.push(kind);
                let picked: Vec<Vec<f64>> = chosen.iter().map(|&kind| columns[kind].clone()).collect();
                let fit = non_negative_least_squares(&picked, growth);
                let score = score(fit.explained, chosen.len(), growth.len());
                Choice { chosen, fit, score }
            })
            .min_by(|a, b| a.score.total_cmp(&b.score));
        match next {
            Some(next) if next.score < best.score => best = next,
            _ => return best,
        }
    }
}

fn score(explained: f64, kinds: usize, values: usize) -> f64 {
    // A perfect fit leaves a millionth, so that noise far below one descriptor does not decide.
    let unexplained = (1.0 - explained).max(1e-6);
    let n = values as f64;
    n * unexplained.ln() + kinds as f64 * n.max(1.0).ln()
}
