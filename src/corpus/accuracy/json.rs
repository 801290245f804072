use serde_json::{Map, Value, json};

use crate::measures::{Figures, Share};

/// The figures as one object.
pub(crate) fn json(figures: &Figures) -> String {
    let methods: Map<String, Value> = figures
        .naive
        .iter()
        .map(|(name, found, alarms)| {
            ((*name).to_owned(), json!({ "found_rate": found.rate(), "false_rate": alarms.rate() }))
        })
        .collect();
    let power: Map<String, Value> = figures
        .naive
        .iter()
        .zip(&figures.sawtooth.naive)
        .map(|((name, ..), share)| ((*name).to_owned(), json!(share.rate())))
        .collect();
    let cases: Vec<Value> = figures
        .rows
        .iter()
        .map(|row| {
            json!({ "case": row.case, "amount": row.amount, "faulty": row.faulty, "verdicts": row.verdicts,
                    "coverage": (row.covered.all > 0).then(|| row.covered.rate()), "bias": row.bias })
        })
        .collect();
    let object = json!({
        "trials": figures.trials,
        "found_rate": figures.found.rate(),
        "found_rate_with_those_below_the_limit": figures.found_of_all.rate(),
        "false_rate": figures.false_alarms.rate(),
        "twin_false": figures.twin_false.of,
        "inconclusive_rate": figures.inconclusive.rate(),
        "coverage_95": figures.covered.rate(),
        "detection_limit_found_rate": figures.at_limit.rate(),
        "requests_64B_max": if figures.never_found > 0 { None } else { figures.requests.last() },
        "requests_64B_median": median(&figures.requests),
        "smallest_bytes_per_request": figures.smallest(),
        "smallest_bytes_per_request_by_component": figures.mixed,
        "aa_flip_rate": figures.flips.rate(),
        "aa_different_answers_rate": figures.different.rate(),
        "sawtooth_found_rate": figures.sawtooth.found.rate(),
        "sawtooth_power_of_other_methods": power,
        "time_driven_rate": figures.time_driven.rate(),
        "methods": methods,
        "counts": {
            "leaks_at_or_above_the_limit": counted(figures.found),
            "healthy_called_leak": counted(figures.false_alarms),
            "twins_called_leak": counted(figures.twin_false),
            "inconclusive": counted(figures.inconclusive),
            "covered": counted(figures.covered),
            "found_at_the_limit": counted(figures.at_limit),
            "flips": counted(figures.flips),
        },
        "cases": cases,
    });
    format!("{object:#}\n")
}

fn counted(share: Share) -> Value {
    json!([share.of, share.all])
}

/// The middle one; none of nothing.
pub(crate) fn median(sorted: &[u64]) -> Option<u64> {
    sorted.get(sorted.len() / 2).copied()
}
