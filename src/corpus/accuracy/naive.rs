//! What other tools do, on the same recordings: a series of live bytes (and of each count of the process) at the quiet
//! points, the first tenth of the cycles left out as warm-up.

use heapsoak_record::{Recording, Unit};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::trial::{live_blocks, live_bytes, troughs};

/// A rule: whether it calls a series a leak.
type Rule = fn(&[f64]) -> bool;

/// The rules and their names.
pub(crate) const METHODS: [(&str, Rule); 6] = [
    ("least squares", least_squares),
    ("Mann-Kendall", mann_kendall),
    ("Theil-Sen", theil_sen),
    ("last minus first", last_minus_first),
    ("monotone in every cycle", monotone),
    ("divisible by N", divisible),
];

/// Level of the tests.
const LEVEL: f64 = 0.05;

/// A difference of less says nothing, in bytes.
const LEAST: f64 = 4096.0;

/// What each method says of a recording.
pub(crate) fn answers(recording: &Recording) -> Vec<bool> {
    let troughs = troughs(recording);
    let past = &troughs[troughs.len().div_ceil(10).min(troughs.len())..];
    let bytes: Vec<f64> = past.iter().map(|snapshot| live_bytes(snapshot)).collect();
    let blocks: Vec<f64> = past.iter().map(|snapshot| live_blocks(snapshot)).collect();
    let names: Vec<String> = past
        .first()
        .map(|snapshot| {
            let counts = snapshot.resources.iter().filter(|resource| resource.unit == Unit::Count);
            counts.map(|resource| resource.name.clone()).collect()
        })
        .unwrap_or_default();
    let counts: Vec<Vec<f64>> = names
        .iter()
        .map(|name| past.iter().map(|snapshot| snapshot.resource(name).unwrap_or(0) as f64).collect())
        .collect();
    METHODS
        .iter()
        .map(|&(name, rule)| {
            // Objects are counted by that rule, not bytes.
            let heap = if name == "divisible by N" { &blocks } else { &bytes };
            let unit = if name == "last minus first" { LEAST } else { 1.0 };
            rule(heap) || counts.iter().any(|count| rule(&scaled(count, unit / 3.0)))
        })
        .collect()
}

/// Three things more count as much as the least bytes.
fn scaled(series: &[f64], by: f64) -> Vec<f64> {
    series.iter().map(|value| value * by).collect()
}

/// A slope above zero by the t test.
fn least_squares(y: &[f64]) -> bool {
    let n = y.len() as f64;
    if y.len() < 3 {
        return false;
    }
    let (mean_x, mean_y) = ((n - 1.0) / 2.0, y.iter().sum::<f64>() / n);
    let (mut sxx, mut sxy, mut syy) = (0.0, 0.0, 0.0);
    for (x, y) in y.iter().enumerate() {
        let (x, y) = (x as f64 - mean_x, y - mean_y);
        sxx += x * x;
        sxy += x * y;
        syy += y * y;
    }
    let slope = sxy / sxx;
    let error = ((syy - slope * sxy).max(0.0) / (n - 2.0) / sxx).sqrt();
    if error <= 0.0 {
        return slope > 0.0;
    }
    let t = StudentsT::new(0.0, 1.0, n - 2.0).expect("there are three values at least");
    t.sf(slope / error) < LEVEL
}

/// Pairs that rise minus pairs that fall, and the variance of that without a trend.
fn kendall(y: &[f64]) -> (f64, f64) {
    let mut s = 0.0;
    for later in 1..y.len() {
        for earlier in 0..later {
            s += f64::from(i8::from(y[later] > y[earlier]) - i8::from(y[later] < y[earlier]));
        }
    }
    let mut sorted = y.to_vec();
    sorted.sort_by(f64::total_cmp);
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let ties: f64 = sorted.chunk_by(|a, b| a == b).map(|group| term(group.len() as f64)).sum();
    (s, (term(y.len() as f64) - ties) / 18.0)
}

fn mann_kendall(y: &[f64]) -> bool {
    let (s, variance) = kendall(y);
    let normal = Normal::new(0.0, 1.0).expect("the standard normal distribution exists");
    variance > 0.0 && s > 0.0 && normal.sf((s - 1.0) / variance.sqrt()) < LEVEL
}

/// The lower end of Sen's interval above zero.
fn theil_sen(y: &[f64]) -> bool {
    let mut slopes: Vec<f64> = Vec::new();
    for later in 1..y.len() {
        slopes.extend((0..later).map(|earlier| (y[later] - y[earlier]) / (later - earlier) as f64));
    }
    slopes.sort_by(f64::total_cmp);
    let normal = Normal::new(0.0, 1.0).expect("the standard normal distribution exists");
    let reach = normal.inverse_cdf(1.0 - LEVEL / 2.0) * kendall(y).1.max(0.0).sqrt();
    let low = ((slopes.len() as f64 - reach) / 2.0).floor().max(1.0) as usize - 1;
    slopes.get(low).is_some_and(|&slope| slope > 0.0)
}

fn last_minus_first(y: &[f64]) -> bool {
    y.first().zip(y.last()).is_some_and(|(first, last)| last - first >= LEAST)
}

fn monotone(y: &[f64]) -> bool {
    y.len() > 1 && y.windows(2).all(|pair| pair[1] > pair[0])
}

/// Objects grew by a positive multiple of the number of cycles.
fn divisible(y: &[f64]) -> bool {
    let cycles = y.len().saturating_sub(1) as f64;
    y.first()
        .zip(y.last())
        .is_some_and(|(first, last)| last > first && ((last - first) % cycles).abs() < 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(y: &[f64]) -> Vec<bool> {
        METHODS.iter().map(|(_, rule)| rule(y)).collect()
    }

    #[test]
    fn a_straight_rise_is_a_leak_for_all_of_them() {
        let y: Vec<f64> = (0..12).map(|cycle| f64::from(cycle) * 1000.0).collect();
        assert_eq!(says(&y), [true; 6]);
    }

    #[test]
    fn a_level_series_is_a_leak_for_none_of_them() {
        assert_eq!(says(&[5000.0; 12]), [false; 6]);
    }

    #[test]
    fn the_methods_agree_with_scipy() {
        // scipy 1.17.1 over range(8): linregress(…, alternative="greater").pvalue is 0.0120 and 0.1158; the low end of
        // theilslopes(…, 0.95) 0.0 and -0.67; kendalltau(…, alternative="greater", method="asymptotic").pvalue, without
        // continuity correction, 0.0170 and 0.0851.
        let (rises, scatters) =
            ([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 6.0, 8.0], [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0]);
        assert!(least_squares(&rises) && !least_squares(&scatters));
        assert!(!theil_sen(&rises) && !theil_sen(&scatters));
        assert!(mann_kendall(&rises) && !mann_kendall(&scatters));
        let ((s, variance), normal) = (kendall(&rises), Normal::new(0.0, 1.0).unwrap());
        assert!((normal.sf(s / variance.sqrt()) - 0.017_024_6).abs() < 1e-6);
    }
}
