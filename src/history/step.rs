use crate::Point;

/// Chance that any of the trends looked at is called a step without being one.
const ALPHA: f64 = 0.05;

/// Orders that runs are shuffled into.
const SHUFFLES: usize = 4_000;

/// Steps below this share of what came before are within what two runs of the same commit may differ by.
const REPRODUCIBLE: f64 = 0.05;

/// A commit from which on growth is higher.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Position of its first run among the points.
    pub at: usize,
    /// The commit.
    pub commit: String,
    /// The commit before it.
    pub before: String,
    /// Mean growth of the runs before, per 1,000 requests.
    pub from: f64,
    /// Mean growth of the runs from it on.
    pub to: f64,
    /// Why it counts as a step, in a sentence.
    pub because: String,
}

/// Finds where growth stepped up: the split into *before* and *from here on* that explains most of what the runs differ
/// by. It has to fall between two commits, to be larger than the detection limit of the runs and than what two runs of the
/// same commit may differ by, and not to be chance. That it is not is shown in one of two ways:
///
/// - every interval from there on lies above every interval before, by more than 4.5 standard errors;
/// - a permutation test: of 4,000 random orders of the same runs, so few have as clear a split that with `trends` such
///   tests all in all one in twenty would find something.
#[must_use]
pub fn find_step(points: &[Point], trends: usize) -> Option<Step> {
    let values: Vec<f64> = points.iter().map(|point| point.estimate).collect();
    let between = |at: &usize| points[*at].commit != points[at - 1].commit;
    let splits: Vec<usize> = (1..points.len()).filter(between).collect();
    let (at, gain) = best_split(&values, &splits)?;
    let (from, to) = (mean(&values[..at]), mean(&values[at..]));
    let grain = points.iter().map(|point| point.detectable).fold(0.0, f64::max);
    if to - from <= grain.min(to / 2.0) + REPRODUCIBLE * to {
        return None;
    }
    let because = if is_apart(&points[..at], &points[at..]) {
        format!(
            "all {} from there on lie above all {} before, intervals and all",
            runs(points.len() - at),
            runs(at)
        )
    } else {
        let chance = chance(&values, &splits, gain);
        if chance * trends.max(1) as f64 > ALPHA {
            return None;
        }
        format!(
            "of {SHUFFLES} random orders of the {} {} as clear a split",
            runs(points.len()),
            match (chance * SHUFFLES as f64).round() {
                0.0 => "none has".to_owned(),
                number => format!("{number} have"),
            }
        )
    };
    Some(Step {
        at,
        commit: points[at].commit.clone(),
        before: points[at - 1].commit.clone(),
        from,
        to,
        because,
    })
}

fn runs(number: usize) -> String {
    if number == 1 { "1 run".to_owned() } else { format!("{number} runs") }
}

/// Whether every run after lies above every run before, beyond chance.
fn is_apart(before: &[Point], after: &[Point]) -> bool {
    after.iter().all(|now| {
        before.iter().all(|then| {
            // What did not leak has its detection limit as its upper end; a leak has to be above that.
            now.growth.low > then.growth.high && now.growth.exceeds(then.growth, 0.0)
        })
    })
}

/// The split with the largest part of the squares explained, among those where the mean goes up.
fn best_split(values: &[f64], splits: &[usize]) -> Option<(usize, f64)> {
    let number = values.len() as f64;
    let total: f64 = values.iter().sum();
    let mut best: Option<(usize, f64)> = None;
    let (mut sum, mut counted) = (0.0, 0);
    for &at in splits {
        sum += values[counted..at].iter().sum::<f64>();
        counted = at;
        let (left, right) = (at as f64, number - at as f64);
        let difference = (total - sum) / right - sum / left;
        let gain = left * right / number * difference * difference;
        if difference > 0.0 && best.is_none_or(|(_, most)| gain > most) {
            best = Some((at, gain));
        }
    }
    best
}

/// Share of random orders whose best split is as good.
fn chance(values: &[f64], splits: &[usize], gain: f64) -> f64 {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut shuffled = values.to_vec();
    let as_good = (0..SHUFFLES)
        .filter(|_| {
            for last in (1..shuffled.len()).rev() {
                shuffled.swap(last, random.below(last + 1));
            }
            best_split(&shuffled, splits).is_some_and(|(_, other)| other >= gain * (1.0 - 1e-9))
        })
        .count();
    (as_good as f64).max(0.5) / SHUFFLES as f64
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The same numbers every time: the same history gives the same answer. (Knuth's MMIX generator.)
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % end
    }
}

#[cfg(test)]
mod tests {
    use heapsoak_gate::Interval;

    use super::*;

    /// A run of a commit: growth with its half-width; zero is no leak, seen from 100 on.
    fn point(commit: usize, estimate: f64, half: f64) -> Point {
        let leaks = estimate > 0.0;
        let growth = if leaks {
            Interval { low: estimate - half, high: estimate + half }
        } else {
            Interval { low: 0.0, high: 100.0 }
        };
        Point {
            commit: format!("c{commit}"),
            verdict: if leaks { "leak" } else { "stable" }.to_owned(),
            growth,
            estimate,
            detectable: 100.0,
            held: 0.0,
            churn: None,
        }
    }

    fn history(growths: &[f64], half: f64) -> Vec<Point> {
        growths.iter().enumerate().map(|(commit, &growth)| point(commit, growth, half)).collect()
    }

    #[test]
    fn the_first_leak_of_a_history_is_a_step_even_when_it_is_the_last_run() {
        let step = find_step(&history(&[0.0, 0.0, 0.0, 5_000.0], 50.0), 30).unwrap();
        assert_eq!((step.commit.as_str(), step.before.as_str(), step.at), ("c3", "c2", 3));
        assert_eq!((step.from, step.to), (0.0, 5_000.0));
        assert!(step.because.contains("lie above"), "{}", step.because);
    }

    #[test]
    fn a_step_within_the_noise_of_single_runs_is_found_by_their_number() {
        let growths: Vec<f64> = (0..40)
            .map(|run| if run < 23 { 1_000.0 } else { 1_400.0 } + f64::from(run * 37 % 11) * 30.0)
            .collect();
        let step = find_step(&history(&growths, 400.0), 30).unwrap();
        assert_eq!(step.commit, "c23");
        assert!(step.because.contains("random orders"), "{}", step.because);
    }

    #[test]
    fn noise_a_step_down_and_a_step_below_the_detection_limit_are_none() {
        let noise: Vec<f64> = (0..40).map(|run| 1_000.0 + f64::from(run * 37 % 11) * 30.0).collect();
        assert_eq!(find_step(&history(&noise, 100.0), 30), None);
        assert_eq!(find_step(&history(&[5_000.0, 5_000.0, 5_000.0, 1_000.0, 1_000.0], 50.0), 30), None);
        assert_eq!(find_step(&history(&[1_000.0, 1_000.0, 1_000.0, 1_020.0], 1.0), 30), None);
        assert_eq!(find_step(&history(&[0.0], 1.0), 1), None);
        assert_eq!(find_step(&[], 1), None);
    }

    #[test]
    fn runs_of_one_commit_are_never_split() {
        let points = [point(1, 1_000.0, 10.0), point(1, 9_000.0, 10.0)];
        assert_eq!(find_step(&points, 1), None);
    }

    #[test]
    fn one_noisy_run_in_the_middle_is_no_step() {
        let mut growths = vec![1_000.0; 15];
        growths[7] = 8_000.0;
        assert_eq!(find_step(&history(&growths, 50.0), 30), None);
    }
}
