//! Which trials are run.

use heapsoak_corpus::{Amount, Case, Growth, cases};

use crate::error::AccuracyError;
use crate::order::Order;

/// The cases asked for.
pub(crate) fn chosen(text: Option<&str>) -> Result<Vec<Case>, AccuracyError> {
    let chosen: Vec<Case> =
        cases().into_iter().filter(|case| text.is_none_or(|text| case.name.contains(text))).collect();
    if chosen.is_empty() {
        return Err(AccuracyError::NoCase(text.unwrap_or_default().to_owned()));
    }
    Ok(chosen)
}

/// Every case at every amount, leaking and healthy, with every seed.
pub(crate) fn orders(cases: &[Case], seeds: &std::ops::Range<u64>) -> Vec<Order> {
    let mut orders = Vec::new();
    for case in cases {
        for amount in case.amounts {
            for faulty in [true, false] {
                if if faulty { case.leaks.is_some() } else { case.healthy } {
                    orders.extend(seeds.clone().map(|seed| order(case, *amount, faulty, seed)));
                }
            }
        }
    }
    orders
}

/// Leaks of 64 bytes or more a step from the start, asked cycle by cycle.
pub(crate) fn stepwise(cases: &[Case], seeds: &std::ops::Range<u64>) -> Vec<Order> {
    let amount = Amount::each(64);
    let from_the_start = |case: &&Case| {
        let truth = match case.leaks {
            Some(Growth::Steady(truth)) => truth(&amount) >= 64.0,
            Some(Growth::Changing) => !case.name.contains("square root"),
            Some(Growth::SteadyOf(..) | Growth::Resource) | None => false,
        };
        truth && case.amounts.contains(&amount) && !case.name.contains("starts after")
    };
    cases
        .iter()
        .filter(from_the_start)
        .flat_map(|case| {
            seeds.clone().map(|seed| Order { stepwise: true, ..order(case, amount, true, seed) })
        })
        .collect()
}

fn order(case: &Case, amount: Amount, faulty: bool, seed: u64) -> Order {
    Order {
        case: case.name.to_owned(),
        faulty,
        bytes: amount.bytes,
        every: amount.every,
        seed,
        stepwise: false,
        planted: None,
    }
}
