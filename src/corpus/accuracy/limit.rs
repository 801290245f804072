//! Leaks of exactly the detection limit that a run stated.

use heapsoak_corpus::Case;

use crate::order::Order;
use crate::trial::Found;

/// Healthy programs, run again with a leak planted: of blocks of the component's mean size, as many as make the limit
/// that the run without them stated.
pub(crate) fn planted(cases: &[Case], orders: &[Order], found: &[Found]) -> Vec<Order> {
    let alone = |order: &Order| cases.iter().any(|case| case.name == order.case && case.leaks.is_none());
    orders
        .iter()
        .zip(found)
        .filter(|(order, found)| {
            !order.faulty && alone(order) && found.verdict == "clean" && found.limit > 0.0
        })
        .map(|(order, found)| {
            let bytes = found.block.round().max(1.0);
            Order { planted: Some((bytes as usize, found.limit / bytes)), ..order.clone() }
        })
        .collect()
}
